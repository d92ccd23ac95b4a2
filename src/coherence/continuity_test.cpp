#include "coherence/continuity.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace etage::coherence {
namespace {

using Step = Continuity::Step;

const std::string here = "aaaa:bbbb";
const std::string generation = Generation::text("r1", here, 900, {100, 0});

/// A log of ids 1000-0 … 1009-0, of which the first has been trimmed; all is well.
SeenLog whole() { return {generation, here, true, true, {1001, 0}, {1009, 0}, {1009, 0}, 9, 2000}; }
KnownLog reader_at(std::uint64_t ms) { return {generation, {ms, 0}, {}}; }
SeenLog trimmed() {
    auto seen = whole();
    seen.has_read = false;
    return seen;
}

TEST(Generation, IsReadAsItWasWritten) {
    const auto read = Generation::parse(Generation::text("f00d", here, 1790000000000, {1790000060000, 0}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->identity, here);
    EXPECT_EQ(read->made_at_ms, 1790000000000U);
    EXPECT_EQ(read->begins, (StreamId{1790000060000, 0}));
    for (const char* text :
         {"", "x", "x y", "x y 1", "x y z 1-0", "x y 1z 1-0", "x y -1 1-0", "x y 1 z", "x y 1 1-0 ", "   "})
        EXPECT_FALSE(Generation::parse(text)) << text;
}

TEST(Continuity, WhatWasReadLastIsStillThere) {
    for (const std::uint64_t ms : {1001, 1005, 1009}) {
        const auto next = continue_log(reader_at(ms), whole());
        EXPECT_EQ(next.step, Step::replay);
        EXPECT_EQ(next.id, (StreamId{ms, 0}));
    }
}

TEST(Continuity, WhatFollowsIsTrimmed) {
    const auto next = continue_log(reader_at(1000), trimmed());
    EXPECT_EQ(next.step, Step::gap);
    EXPECT_EQ(next.id, (StreamId{1009, 0}));
    EXPECT_FALSE(next.why.empty());
}

TEST(Continuity, AColdReaderTakesTheOldestAsItsFloor) {
    const auto next = continue_log({}, whole());
    EXPECT_EQ(next.step, Step::cold);
    EXPECT_EQ(next.id, (StreamId{1001, 0}));
}

TEST(Continuity, ANewHistoryIsAGapHoweverContinuousItLooks) {
    auto seen = whole();
    seen.generation = Generation::text("r2", here, 950, {200, 0});
    const auto next = continue_log(reader_at(1005), seen);
    EXPECT_EQ(next.step, Step::gap);
    EXPECT_EQ(next.id, (StreamId{1009, 0}));
}

TEST(Continuity, WithoutItsGenerationOrOnAnotherServerAHistoryEnds) {
    for (const std::string& text :
         {std::string(), std::string("nonsense"), Generation::text("r1", "cccc:bbbb", 900, {})}) {
        auto seen = whole();
        seen.generation = text;
        for (const KnownLog& known : {KnownLog{}, reader_at(1005)}) {
            const auto next = continue_log(known, seen);
            EXPECT_EQ(next.step, Step::renew) << text;
            EXPECT_EQ(next.id, (StreamId{2000 + history_leap_ms, 0})) << "above the server's clock";
        }
    }
}

TEST(Continuity, ALogThatEndsBeforeWhatIsKnownHasLostSomething) {
    EXPECT_EQ(continue_log(reader_at(1010), whole()).step, Step::renew);
    auto known = reader_at(1005);
    known.own = {900'000, 3};
    const auto next = continue_log(known, whole());
    EXPECT_EQ(next.step, Step::renew);
    EXPECT_EQ(next.id, (StreamId{900'000 + history_leap_ms, 0})) << "above its own tokens";
    KnownLog cold;
    cold.own = {900'000, 3};
    EXPECT_EQ(continue_log(cold, whole()).step, Step::renew);
}

TEST(Continuity, ALogThatEndsBeforeItsHistoryBeganWasDeletedAndMadeAnew) {
    auto seen = whole();
    seen.generation = Generation::text("r1", here, 900, {1010, 0});
    EXPECT_EQ(continue_log({}, seen).step, Step::renew) << "a cold reader could not tell otherwise";
}

TEST(Continuity, ANewHistoryWithNothingButItsBeginning) {
    auto seen = whole();
    seen.generation = Generation::text("r2", here, 950, {1009, 0});
    EXPECT_EQ(continue_log(reader_at(1005), seen).step, Step::gap);
    EXPECT_EQ(continue_log({}, seen).step, Step::cold);
}

TEST(Continuity, ANewHistoryThatBeginsWhereTheOldOneEndedIsNoneYet) {
    auto seen = whole();
    seen.generation = Generation::text("r2", here, 950, {200, 0});
    EXPECT_EQ(continue_log(reader_at(1009), seen).step, Step::renew);
}

TEST(Continuity, AnEmptyLogIsBegunAnew) {
    auto seen = whole();
    seen.length = 0;
    EXPECT_EQ(continue_log(reader_at(1009), seen).step, Step::renew);
    EXPECT_EQ(continue_log({}, SeenLog{"", here, true, false, {}, {}, {}, 0, 77}).id,
              (StreamId{77 + history_leap_ms, 0}));
}

TEST(Continuity, AnIdOutOfAllBoundsOrAnotherTypeIsDeleted) {
    auto seen = whole();
    seen.last = {1'7900'000'000'000'000, 0};
    auto next = continue_log(reader_at(1005), seen);
    EXPECT_EQ(next.step, Step::rebuild);
    EXPECT_EQ(next.id, (StreamId{2000 + history_leap_ms, 0}));
    seen = whole();
    seen.is_stream = false;
    EXPECT_EQ(continue_log(reader_at(1005), seen).step, Step::rebuild);
}

TEST(Continuity, AfterTooManyInOneMillisecondAStepIsMade) {
    auto seen = whole();
    seen.newest = seen.last = {1009, largest_n + 5};
    const auto next = continue_log(reader_at(1005), seen);
    EXPECT_EQ(next.step, Step::step);
    EXPECT_EQ(next.id, (StreamId{1010, 0}));
}

TEST(Continuity, WhenTheEndWasDeletedAStepIsMade) {
    auto seen = whole();
    seen.newest = {1008, 0};
    EXPECT_EQ(continue_log(reader_at(1005), seen).step, Step::step);
    EXPECT_EQ(continue_log({}, seen).id, (StreamId{1010, 0}));
}

TEST(Continuity, AFirstRecordWithoutAPositionIsNoFloor) {
    auto seen = whole();
    seen.first = {1001, largest_n + 1};
    const auto next = continue_log({}, seen);
    EXPECT_EQ(next.step, Step::gap);
    EXPECT_EQ(next.id, (StreamId{1009, 0}));
}

TEST(Continuity, ABatchIsTheNextOneOnlyWhileNothingHasChanged) {
    const auto known = reader_at(1005);
    EXPECT_TRUE(is_next_batch(known, generation, true));
    EXPECT_FALSE(is_next_batch(known, generation, false)) << "trimmed behind the reader's back, or deleted";
    EXPECT_FALSE(is_next_batch(known, "another", true));
}

/// Whatever is there: the reader never goes back, and a new history begins above all that is known.
RC_GTEST_PROP(ContinuityProperty, NothingGoesBack, ()) {
    const auto id =
        rc::gen::map(rc::gen::pair(rc::gen::inRange<std::uint64_t>(0, 8), rc::gen::inRange<std::uint64_t>(0, 3)),
                     [](auto pair) { return StreamId{pair.first, pair.second}; });
    const auto name = rc::gen::element(std::string(), generation, Generation::text("r2", here, 1, {3, 0}),
                                       Generation::text("r1", "x:y", 1, {}));
    const KnownLog known{*name, *id, *id};
    SeenLog seen{*name,
                 here,
                 *rc::gen::arbitrary<bool>(),
                 *rc::gen::arbitrary<bool>(),
                 *id,
                 *id,
                 *id,
                 *rc::gen::inRange<std::uint64_t>(0, 3),
                 *rc::gen::inRange<std::uint64_t>(0, 8)};
    if (seen.last < seen.first) std::swap(seen.first, seen.last);
    if (*rc::gen::arbitrary<bool>()) seen.newest = seen.last;
    if (seen.newest == known.read) seen.has_read = true;  // or it would not be there and there
    const auto next = continue_log(known, seen);
    switch (next.step) {
        case Step::replay: RC_ASSERT(next.id == known.read); break;
        case Step::gap: {
            RC_ASSERT(next.id >= known.own);
            RC_ASSERT(next.id > known.read);
            break;
        }
        case Step::cold: RC_ASSERT(known.generation.empty()); break;
        case Step::step: RC_ASSERT(next.id > seen.last); break;
        case Step::renew: RC_ASSERT(next.id > seen.last); [[fallthrough]];
        case Step::rebuild: {
            RC_ASSERT(next.id > known.read);
            RC_ASSERT(next.id > known.own);
            break;
        }
    }
}

}  // namespace
}  // namespace etage::coherence
