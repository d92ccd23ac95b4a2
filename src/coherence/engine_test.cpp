#include "coherence/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace etage::coherence {
namespace {

using Tags = std::vector<TagHash>;

constexpr TagHash posts = 101;
constexpr TagHash users = 202;

TEST(Engine, StartsColdAtItsPosition) {
    const Engine engine(1000);
    EXPECT_EQ(engine.fence(), 1000U);
    EXPECT_EQ(engine.floor(), 1000U);
    EXPECT_EQ(engine.judge(1000, Tags{posts}), Validity::valid);
    EXPECT_EQ(engine.judge(999, Tags{posts}), Validity::unsure) << "filled in an earlier life";
    EXPECT_TRUE(engine.caught_up(1000));
    EXPECT_FALSE(engine.caught_up(1001));
}

TEST(Engine, AHardMarkKillsWhatWasFilledBeforeIt) {
    Engine engine;
    const Sequence before = engine.fence();
    const Sequence token = engine.invalidate({Tags{posts}});
    EXPECT_EQ(token, before + 1);
    EXPECT_EQ(engine.fence(), token);
    EXPECT_EQ(engine.judge(before, Tags{users, posts}), Validity::gone);
    EXPECT_EQ(engine.judge(before, Tags{users}), Validity::valid);
    EXPECT_EQ(engine.judge(engine.fence(), Tags{users, posts}), Validity::valid);
}

TEST(Engine, ASoftMarkMakesStaleAndAHardOneOutweighsIt) {
    Engine engine;
    engine.invalidate({Tags{posts}, Softness::soft});
    EXPECT_EQ(engine.judge(0, Tags{posts}), Validity::stale);
    engine.invalidate({Tags{users}, Softness::hard});
    EXPECT_EQ(engine.judge(0, Tags{posts, users}), Validity::gone);
    EXPECT_EQ(engine.judge(0, Tags{users, posts}), Validity::gone);
    EXPECT_EQ(engine.judge(1, Tags{posts}), Validity::valid);
}

TEST(Engine, OneTagMayCarryBothMarks) {
    Engine engine;
    engine.invalidate({Tags{posts}, Softness::hard});  // 1
    engine.invalidate({Tags{posts}, Softness::soft});  // 2
    EXPECT_EQ(engine.judge(0, Tags{posts}), Validity::gone);
    EXPECT_EQ(engine.judge(1, Tags{posts}), Validity::stale);
    EXPECT_EQ(engine.judge(2, Tags{posts}), Validity::valid);
    engine.invalidate({Tags{posts}, Softness::hard});  // 3
    EXPECT_EQ(engine.judge(2, Tags{posts}), Validity::gone);
}

TEST(Engine, OneRecordMarksAllItsTagsAtOnePosition) {
    Engine engine;
    const Sequence token = engine.invalidate({Tags{posts, users}});
    EXPECT_EQ(engine.judge(token - 1, Tags{posts}), Validity::gone);
    EXPECT_EQ(engine.judge(token - 1, Tags{users}), Validity::gone);
    EXPECT_EQ(engine.judge(token, Tags{posts, users}), Validity::valid);
}

TEST(Engine, ARecordWithoutTagsOnlyMovesThePosition) {
    Engine engine;
    EXPECT_EQ(engine.invalidate({}), 1U);
    EXPECT_EQ(engine.judge(0, Tags{posts}), Validity::valid);
}

TEST(Engine, RecordsFromALogAreAppliedOnceAndInOrder) {
    Engine engine(10);
    engine.apply(20, {Tags{posts}});
    EXPECT_EQ(engine.fence(), 20U);
    engine.apply(20, {Tags{users}});
    engine.apply(15, {Tags{users}});
    EXPECT_EQ(engine.fence(), 20U);
    EXPECT_EQ(engine.judge(10, Tags{users}), Validity::valid) << "repeats change nothing";
    EXPECT_EQ(engine.judge(19, Tags{posts}), Validity::gone);
    EXPECT_EQ(engine.judge(20, Tags{posts}), Validity::valid);
}

TEST(Engine, AppliedAheadKillsThePresentFenceUntilTheRecordArrives) {
    Engine engine(10);
    engine.apply_ahead({Tags{posts}});
    EXPECT_EQ(engine.fence(), 10U) << "the log has not been read further";
    EXPECT_EQ(engine.judge(10, Tags{posts}), Validity::gone);
    EXPECT_EQ(engine.judge(engine.fence(), Tags{posts}), Validity::gone) << "a fill that begins now, too: too much";
    EXPECT_EQ(engine.judge(10, Tags{users}), Validity::valid);
    engine.apply(20, {Tags{posts}});
    EXPECT_EQ(engine.judge(engine.fence(), Tags{posts}), Validity::valid);
    EXPECT_EQ(engine.judge(19, Tags{posts}), Validity::gone);
}

// Another instance has read further in the log than this one; what it filled lies in the shared store.
TEST(Engine, AppliedAheadAtItsPositionKillsFencesOfInstancesThatAreAhead) {
    Engine engine(10);
    engine.apply_ahead({Tags{posts}});
    EXPECT_EQ(engine.judge(15, Tags{posts}), Validity::valid) << "the first step alone is not enough to acknowledge";
    engine.apply_ahead(20, {Tags{posts}});
    EXPECT_EQ(engine.judge(15, Tags{posts}), Validity::gone);
    EXPECT_EQ(engine.judge(20, Tags{posts}), Validity::valid);
    EXPECT_EQ(engine.fence(), 10U) << "records 11 to 19 are still to come";
    engine.apply(15, {Tags{users}});
    EXPECT_EQ(engine.judge(14, Tags{users}), Validity::gone);
}

TEST(Engine, AppliedAheadAfterItsTurnInTheLogChangesNothing) {
    Engine engine(10);
    engine.apply(20, {Tags{posts}});
    engine.apply(30, {Tags{users}});
    engine.apply_ahead(20, {Tags{posts}});
    EXPECT_EQ(engine.judge(30, Tags{posts}), Validity::valid);
    EXPECT_TRUE(engine.nothing_after(30));
}

TEST(Engine, AGapRaisesTheFloorAndReadingGoesOnBehindIt) {
    Engine engine(10);
    engine.raise_floor(50);
    EXPECT_EQ(engine.floor(), 50U);
    EXPECT_EQ(engine.fence(), 50U) << "or nothing could ever be kept before the next record";
    EXPECT_EQ(engine.judge(49, Tags{}), Validity::unsure);
    engine.apply_ahead({Tags{users}});
    EXPECT_EQ(engine.judge(49, Tags{users}), Validity::gone) << "what is known outweighs what is not";
    EXPECT_EQ(engine.judge(50, Tags{posts}), Validity::valid);
    engine.raise_floor(20);
    EXPECT_EQ(engine.floor(), 50U);
}

TEST(Engine, HowWellItSeesIsAMatterOfTime) {
    Engine engine;
    EXPECT_EQ(engine.sight(Instant::max()), Sight::clear) << "a log in this process is always heard";
    const Instant start(std::chrono::seconds(100));
    engine.sees_until(start, start + std::chrono::seconds(5));
    EXPECT_EQ(engine.sight(start), Sight::clear);
    EXPECT_EQ(engine.sight(start + Duration(1)), Sight::dim);
    EXPECT_EQ(engine.sight(start + std::chrono::seconds(5)), Sight::dim);
    EXPECT_EQ(engine.sight(start + std::chrono::seconds(5) + Duration(1)), Sight::blind);
    engine.sees_until(start + std::chrono::seconds(9), start + std::chrono::seconds(9));
    EXPECT_EQ(engine.sight(start + std::chrono::seconds(9)), Sight::clear);
    EXPECT_EQ(engine.sight(start + std::chrono::seconds(9) + Duration(1)), Sight::blind) << "strict: nothing between";
}

TEST(Engine, TheFastPathSeesEveryKindOfChange) {
    Engine engine(10);
    EXPECT_TRUE(engine.nothing_after(10));
    engine.apply_ahead({Tags{posts}});
    EXPECT_FALSE(engine.nothing_after(10)) << "though fence() is still 10";
    engine.apply(20, {Tags{posts}});
    EXPECT_TRUE(engine.nothing_after(20));
    engine.apply_ahead(40, {Tags{posts}});
    engine.apply(30, {Tags{users}});
    EXPECT_FALSE(engine.nothing_after(30));
    engine.raise_floor(50);
    EXPECT_FALSE(engine.nothing_after(40));
    EXPECT_TRUE(engine.nothing_after(engine.invalidate({Tags{posts}})));
}

TEST(Engine, ForgettingMarksInvalidatesMoreNeverLess) {
    Engine engine(0, 8);
    for (TagHash tag = 1; tag <= 20; ++tag) engine.invalidate({Tags{tag}});
    EXPECT_EQ(engine.marks_forgotten(), 12U);
    for (TagHash tag = 1; tag <= 20; ++tag) EXPECT_EQ(engine.judge(tag - 1, Tags{tag}), Validity::gone) << tag;
    EXPECT_EQ(engine.judge(11, Tags{posts}), Validity::gone) << "never invalidated, but older than what was forgotten";
    EXPECT_EQ(engine.judge(12, Tags{posts}), Validity::valid);
}

TEST(Engine, AFloodOfMarksKeepsTheNewestUsable) {
    Engine engine(0, std::size_t{1} << 10);
    for (TagHash tag = 0; tag < 100'000; ++tag) engine.invalidate({Tags{tag * 0x9E37'79B9'7F4A'7C15U}});
    EXPECT_EQ(engine.judge(engine.fence(), Tags{posts, users}), Validity::valid);
    EXPECT_EQ(engine.judge(0, Tags{posts}), Validity::gone);
}

}  // namespace
}  // namespace etage::coherence
