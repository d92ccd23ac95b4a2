#include "coherence/mark_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace etage::coherence {
namespace {

TEST(MarkTable, KnowsNothingAtFirst) {
    const MarkTable table(64);
    for (const TagHash tag : {TagHash{0}, TagHash{1}, ~TagHash{0}}) {
        EXPECT_FALSE(table.maybe_newer(0, tag));
        EXPECT_EQ(table.find(tag).hard, 0U);
        EXPECT_EQ(table.find(tag).soft, 0U);
    }
}

TEST(MarkTable, RoundsItsRoomDownToAPowerOfTwoAndKeepsEightAtLeast) {
    EXPECT_EQ(MarkTable(0).marks_max(), 8U);
    EXPECT_EQ(MarkTable(15).marks_max(), 8U);
    EXPECT_EQ(MarkTable(16).marks_max(), 16U);
    EXPECT_EQ(MarkTable(100).marks_max(), 64U);
    EXPECT_EQ(MarkTable(std::size_t{1} << 16).marks_max(), std::size_t{1} << 16);
}

TEST(MarkTable, HardAndSoftAreKeptApartInOneWay) {
    MarkTable table(8);
    table.mark(7, {.hard = 3, .soft = 0});
    table.mark(7, {.hard = 0, .soft = 5});
    EXPECT_EQ(table.find(7).hard, 3U);
    EXPECT_EQ(table.find(7).soft, 5U);
}

TEST(MarkTable, ATagMarkedAgainKeepsItsLargerPosition) {
    MarkTable table(8);
    table.mark(7, {.hard = 9, .soft = 0});
    table.mark(7, {.hard = 4, .soft = 0});
    EXPECT_EQ(table.find(7).hard, 9U);
    for (Sequence s = 10; s < 100; ++s) table.mark(7, {.hard = s, .soft = 0});
    EXPECT_EQ(table.find(7).hard, 99U);
    EXPECT_EQ(table.forgotten(), 0U);
}

/// V-04: hashes of tags are no secret, so sets must be.
TEST(MarkTable, TagsThatShareASetInOneProcessDoNotInAnother) {
    constexpr std::size_t marks = std::size_t{1} << 16;
    constexpr TagHash victim = 0xABCD'EF01'2345'6789U;
    MarkTable known(marks);
    known.mark(victim, {.hard = 1, .soft = 0});
    std::vector<TagHash> chosen;
    for (TagHash tag = 1; chosen.size() < 16; ++tag)
        if (known.maybe_newer(0, tag)) chosen.push_back(tag);
    for (const TagHash tag : chosen) known.mark(tag, {.hard = 9, .soft = 0});
    EXPECT_EQ(known.find(victim).hard, 9U) << "an attacker who knows the sets forges a mark";
    for (const std::uint64_t secret : {0x1234'5678'9ABC'DEF1U, 0x0F0F'0F0F'0F0F'0F0FU, 0xFFFF'0000'1111'2222U}) {
        MarkTable table(marks, secret);
        table.mark(victim, {.hard = 1, .soft = 0});
        for (const TagHash tag : chosen) table.mark(tag, {.hard = 9, .soft = 0});
        EXPECT_EQ(table.find(victim).hard, 1U);
        EXPECT_EQ(table.forgotten(), 0U);
    }
}

TEST(MarkTable, TheTagWhoseHashIsZeroIsATagLikeAnyOther) {
    MarkTable table(8);
    table.mark(1, {.hard = 1, .soft = 0});
    table.mark(0, {.hard = 2, .soft = 0});
    EXPECT_TRUE(table.maybe_newer(1, 0));
    EXPECT_EQ(table.find(0).hard, 2U);
    EXPECT_EQ(table.find(1).hard, 1U);
}

TEST(MarkTable, TheOldestMarkIsForgottenAndItsSetsFloorCoversIt) {
    MarkTable table(8);  // one set
    for (TagHash tag = 1; tag <= 8; ++tag) table.mark(tag, {.hard = tag, .soft = 0});
    EXPECT_EQ(table.forgotten(), 0U);
    table.mark(9, {.hard = 9, .soft = 0});
    EXPECT_EQ(table.forgotten(), 1U);
    EXPECT_EQ(table.find(1).hard, 1U) << "forgotten, but covered by the floor";
    EXPECT_EQ(table.find(77).hard, 1U) << "and so is everything else in this set, up to there";
    EXPECT_EQ(table.find(2).hard, 2U);
    EXPECT_EQ(table.find(9).hard, 9U);
}

TEST(MarkTable, AForgottenSoftMarkRaisesTheSoftFloorOnly) {
    MarkTable table(8);
    table.mark(1, {.hard = 0, .soft = 1});
    for (TagHash tag = 2; tag <= 9; ++tag) table.mark(tag, {.hard = tag, .soft = 0});
    EXPECT_EQ(table.find(77).soft, 1U);
    EXPECT_EQ(table.find(77).hard, 0U);
}

TEST(MarkTable, ForgettingStaysInItsSet) {
    MarkTable table(std::size_t{1} << 12);
    std::vector<TagHash> same_set{1};
    for (TagHash tag = 2; same_set.size() < 20; ++tag) {
        MarkTable probe(std::size_t{1} << 12);
        probe.mark(1, {.hard = 1, .soft = 0});
        if (probe.maybe_newer(0, tag)) same_set.push_back(tag);
    }
    Sequence position = 0;
    for (const TagHash tag : same_set) table.mark(tag, {.hard = ++position, .soft = 0});
    EXPECT_EQ(table.forgotten(), same_set.size() - MarkTable::ways);
    std::size_t touched = 0;
    for (TagHash tag = 1; tag <= 4096; ++tag) touched += table.maybe_newer(0, tag) ? 1U : 0U;
    EXPECT_LT(touched, 4096U / 64);
}

/// What a table of any size may answer: exact if nothing was forgotten; otherwise at least that, and not more than the
/// newest position of all.
void check_against_exact_marks(std::size_t marks_max, const std::vector<std::pair<TagHash, bool>>& records) {
    MarkTable table(marks_max);
    std::map<TagHash, Mark> exact;
    Sequence position = 0;
    for (const auto& [tag, hard] : records) {
        ++position;
        table.mark(tag, hard ? Mark{position, 0} : Mark{0, position});
        (hard ? exact[tag].hard : exact[tag].soft) = position;
        for (const auto& [known, mark] : exact) {
            const Mark found = table.find(known);
            RC_ASSERT(found.hard >= mark.hard);
            RC_ASSERT(found.soft >= mark.soft);
            RC_ASSERT(std::max(found.hard, found.soft) <= position);
            const Sequence newest = std::max(mark.hard, mark.soft);
            RC_ASSERT(table.maybe_newer(newest - 1, known));
            if (table.forgotten() != 0) continue;
            RC_ASSERT(found.hard == mark.hard);
            RC_ASSERT(found.soft == mark.soft);
        }
    }
}

TEST(MarkTable, NeverAnswersLessThanExactMarksWould) {
    EXPECT_TRUE(rc::check([] {
        const auto marks_max = *rc::gen::element<std::size_t>(8, 16, 64);
        const auto records = *rc::gen::container<std::vector<std::pair<TagHash, bool>>>(
            rc::gen::pair(rc::gen::inRange<TagHash>(0, 40), rc::gen::arbitrary<bool>()));
        check_against_exact_marks(marks_max, records);
    }));
}

}  // namespace
}  // namespace etage::coherence
