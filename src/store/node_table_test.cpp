#include "store/node_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

namespace etage::store {
namespace {

/// A table that grows by itself, with nodes that stay.
class Table {
public:
    Node& add(std::uint64_t low, std::uint64_t high = 0) {
        Node& node = nodes_.emplace_back();
        node.hash = {high, low};
        if (const std::size_t needed = table.slots_needed(); needed != 0) {
            NodeTable::Slots slots(needed);
            table.grow(slots);
        }
        table.insert(node);
        return node;
    }
    NodeTable table;

private:
    std::deque<Node> nodes_;
};

constexpr std::uint64_t top = ~std::uint64_t{0};

TEST(NodeTable, FindsWhatIsInItOnly) {
    Table t;
    EXPECT_EQ(t.table.find({1, 2}), nullptr);
    Node& node = t.add(2, 1);
    EXPECT_EQ(t.table.find({1, 2}), &node);
    EXPECT_EQ(t.table.find({0, 2}), nullptr);
    EXPECT_EQ(t.table.find({1, 3}), nullptr);
    EXPECT_EQ(t.table.size(), 1U);
}

TEST(NodeTable, CrowdsAtTheEndGoOnAtTheBeginning) {
    Table t;
    std::vector<Node*> nodes;
    for (std::uint64_t i = 0; i < 12; ++i) nodes.push_back(&t.add(top - i));
    EXPECT_EQ(t.table.slots(), NodeTable::slots_min);
    for (const Node* node : nodes) EXPECT_EQ(t.table.find(node->hash), node);
    std::size_t seen = 0;
    t.table.for_range(top - 4, top, [&](const Node&) { ++seen; });
    EXPECT_EQ(seen, 5U);
    while (!nodes.empty()) {
        const Node* const gone = nodes.front();
        t.table.erase(*gone);
        nodes.erase(nodes.begin());
        EXPECT_EQ(t.table.find(gone->hash), nullptr);
        for (const Node* node : nodes) ASSERT_EQ(t.table.find(node->hash), node);
    }
    EXPECT_EQ(t.table.size(), 0U);
}

TEST(NodeTable, IsNeverFullerThanThreeQuarters) {
    Table t;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        t.add(i << 54);
        ASSERT_LE(t.table.size(), t.table.slots() / 4 * 3);
    }
    EXPECT_EQ(t.table.slots(), 2048U);
    EXPECT_GE(t.table.footprint(), 2048 * sizeof(NodeTable::Slot));
}

TEST(NodeTable, BehavesLikeAMapWhateverTheHashes) {
    EXPECT_TRUE(rc::check("insert, erase, find", [] {
        Table t;
        std::map<std::uint64_t, Node*> model;
        // Few bits at the top: long crowds of nodes that want the same home.
        const auto homes = *rc::gen::inRange<std::uint64_t>(1, 40);
        const auto steps = *rc::gen::container<std::vector<std::uint16_t>>(rc::gen::arbitrary<std::uint16_t>());
        for (const std::uint16_t step : steps) {
            const std::uint64_t low = ((step % homes) << 58) + step % 7;
            const auto found = model.find(low);
            RC_ASSERT(t.table.find({0, low}) == (found == model.end() ? nullptr : found->second));
            if (found == model.end()) {
                model[low] = &t.add(low);
            } else {
                t.table.erase(*found->second);
                model.erase(found);
            }
            RC_ASSERT(t.table.size() == model.size());
        }
        for (const auto& [low, node] : model) RC_ASSERT(t.table.find({0, low}) == node);
    }));
}

/// Walks stretch by stretch and lets `meanwhile` change the table in between.
template <class F>
std::map<std::uint64_t, int> walk(const NodeTable& table, F&& meanwhile) {
    std::map<std::uint64_t, int> seen;
    std::uint64_t first = 0;
    do {
        const std::uint64_t last = table.stretch_end(first, 4);
        table.for_range(first, last, [&](const Node& node) { ++seen[node.hash.low]; });
        first = last + 1;
        meanwhile();
    } while (first != 0);
    return seen;
}

TEST(NodeTable, AWalkSeesEverythingOnce) {
    for (const std::size_t count : {0U, 1U, 12U, 13U, 500U}) {
        Table t;
        std::mt19937_64 random(count);
        for (std::size_t i = 0; i < count; ++i) t.add(random());
        const auto seen = walk(t.table, [] {});
        EXPECT_EQ(seen.size(), count);
        EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& s) { return s.second == 1; }));
    }
}

TEST(NodeTable, AWalkSeesWhatStaysOnceThoughTheTableGrows) {
    Table t;
    std::mt19937_64 random(7);
    std::vector<std::uint64_t> stays;
    for (int i = 0; i < 100; ++i) stays.push_back(t.add(random()).hash.low);
    int pauses = 0;
    const auto seen = walk(t.table, [&] {
        if (++pauses > 20) return;
        for (int i = 0; i < 20; ++i) t.add(random());
        t.table.erase(t.add(random()));
    });
    EXPECT_GT(t.table.slots(), 256U);
    for (const std::uint64_t low : stays) EXPECT_EQ(seen.count(low) != 0 ? seen.at(low) : 0, 1);
    EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& s) { return s.second == 1; }));
}

}  // namespace
}  // namespace etage::store
