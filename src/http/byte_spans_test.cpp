#include "http/byte_spans.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

namespace etage::http {
namespace {

ByteSpans spans(const std::vector<ByteRange>& ranges) {
    ByteSpans out;
    for (const ByteRange& range : ranges) out.add(range);
    return out;
}

/// The field a cache would send, or "nothing".
std::string asks(const ByteSpans& have, std::optional<std::uint64_t> complete_length) {
    RangeText text;
    const auto spec = have.missing(complete_length);
    return spec ? std::string(write_range(text, *spec)) : "nothing";
}

TEST(ByteSpansRfc9111, Section3_4_PiecesAreCombined) {
    EXPECT_EQ(spans({{0, 4}, {10, 14}}).pieces().size(), 2U);
    EXPECT_EQ(spans({{0, 4}, {10, 14}, {5, 9}}).pieces().size(), 1U) << "adjacent to both";
    EXPECT_EQ(spans({{0, 4}, {2, 8}}).pieces()[0], (ByteRange{0, 8}));
    EXPECT_EQ(spans({{2, 8}, {0, 4}}).pieces()[0], (ByteRange{0, 8}));
    EXPECT_EQ(spans({{0, 1}, {3, 4}, {6, 7}, {1, 6}}).pieces()[0], (ByteRange{0, 7}));
    EXPECT_EQ(spans({{0, 9}, {3, 4}}).pieces()[0], (ByteRange{0, 9}));
    EXPECT_EQ(spans({{0, 9}, {20, 29}}).bytes(), 20U);
}

TEST(ByteSpansRfc9111, Section3_4_CoversAndComplete) {
    const ByteSpans have = spans({{0, 4}, {10, 14}});
    EXPECT_TRUE(have.covers({0, 4}));
    EXPECT_TRUE(have.covers({11, 13}));
    EXPECT_FALSE(have.covers({0, 5}));
    EXPECT_FALSE(have.covers({4, 10}));
    EXPECT_FALSE(have.covers({0, 14}));
    EXPECT_FALSE(have.covers({20, 20}));
    EXPECT_TRUE(have.complete(5));
    EXPECT_FALSE(have.complete(15));
    EXPECT_TRUE(ByteSpans().complete(0));
    EXPECT_FALSE(ByteSpans().complete(1));
}

TEST(ByteSpansRfc9111, Section3_4_OneRangeAsksForTheRest) {
    EXPECT_EQ(asks(spans({{0, 4}}), 10), "bytes=5-");
    EXPECT_EQ(asks(spans({{0, 4}}), std::nullopt), "bytes=5-");
    EXPECT_EQ(asks(spans({{5, 9}}), 10), "bytes=0-4");
    EXPECT_EQ(asks(spans({{5, 9}}), std::nullopt), "bytes=0-");
    EXPECT_EQ(asks(spans({{0, 1}, {4, 5}, {8, 9}}), 10), "bytes=2-7");
    EXPECT_EQ(asks(spans({{4, 5}}), 10), "bytes=0-");
    EXPECT_EQ(asks(spans({{0, 9}}), 10), "nothing");
    EXPECT_EQ(asks({}, 10), "bytes=0-");
    EXPECT_EQ(asks({}, 0), "nothing");
    EXPECT_EQ(asks({}, std::nullopt), "bytes=0-");
}

TEST(ByteSpansRfc9111, Section3_4_WhatIsMissingOfAPart) {
    const ByteSpans have = spans({{0, 49}, {60, 69}});
    EXPECT_EQ(have.missing_in({0, 99}), (ByteRange{50, 99}));
    EXPECT_EQ(have.missing_in({40, 65}), (ByteRange{50, 59}));
    EXPECT_EQ(have.missing_in({55, 57}), (ByteRange{55, 57}));
    EXPECT_EQ(have.missing_in({10, 20}), std::nullopt);
}

TEST(ByteSpansTest, HolesAreBounded) {
    ByteSpans have;
    for (std::uint64_t i = 0; i < ByteSpans::pieces_max; ++i) EXPECT_TRUE(have.add({10 * i, 10 * i}));
    EXPECT_FALSE(have.add({10 * ByteSpans::pieces_max, 10 * ByteSpans::pieces_max}));
    EXPECT_EQ(have.pieces().size(), ByteSpans::pieces_max);
    EXPECT_TRUE(have.add({1, 9})) << "it closes a hole";
    EXPECT_EQ(have.pieces().size(), ByteSpans::pieces_max - 1);
    EXPECT_TRUE(have.add({0, 100000}));
    EXPECT_EQ(have.pieces().size(), 1U);
}

constexpr std::size_t oracle_bytes = 48;

ByteRange arbitrary_piece() {
    const int first = *rc::gen::inRange(0, static_cast<int>(oracle_bytes));
    const int last = *rc::gen::inRange(first, static_cast<int>(oracle_bytes));
    return {static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last)};
}

/// The smallest range that holds every missing byte of `wanted`.
std::optional<ByteRange> missing_of(const std::vector<bool>& there, ByteRange wanted) {
    std::optional<ByteRange> out;
    for (std::uint64_t i = wanted.first; i <= wanted.last; ++i)
        if (!there[i]) out = {out ? out->first : i, i};
    return out;
}

TEST(ByteSpansProperty, KnowsWhatAVectorOfBitsKnows) {
    ASSERT_TRUE(rc::check([] {
        ByteSpans have;
        std::vector<bool> there(oracle_bytes, false);
        for (int left = *rc::gen::inRange(0, 12); left > 0; --left) {
            const ByteRange piece = arbitrary_piece();
            RC_ASSERT(have.add(piece));
            for (std::uint64_t i = piece.first; i <= piece.last; ++i) there[i] = true;
        }
        std::uint64_t count = 0;
        for (std::uint64_t i = 0; i < oracle_bytes; ++i) {
            RC_ASSERT(have.covers({i, i}) == there[i]);
            count += there[i] ? 1U : 0U;
        }
        RC_ASSERT(have.bytes() == count);
        for (std::size_t i = 1; i < have.pieces().size(); ++i)
            RC_ASSERT(have.pieces()[i - 1].last + 1 < have.pieces()[i].first);

        const ByteRange wanted = arbitrary_piece();
        const auto missing = missing_of(there, wanted);
        RC_ASSERT(have.missing_in(wanted) == missing);
        RC_ASSERT(have.covers(wanted) == !missing);
        const auto all = missing_of(there, {0, oracle_bytes - 1});
        const auto spec = have.missing(oracle_bytes);
        RC_ASSERT(spec.has_value() == all.has_value());
        if (spec) RC_ASSERT(spec->first == all->first);
        if (spec) RC_ASSERT(std::min<std::uint64_t>(spec->last, oracle_bytes - 1) == all->last);
    }));
}

}  // namespace
}  // namespace etage::http
