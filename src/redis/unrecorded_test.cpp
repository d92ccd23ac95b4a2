#include "redis/unrecorded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace etage::redis {
namespace {

using namespace std::chrono_literals;
using coherence::Softness;
using flow::Invalidation;
using flow::Target;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Target tag(std::string text) { return {Target::Kind::tag, std::move(text)}; }
const Target everything{Target::Kind::everything, {}};
Invalidation hard(std::vector<Target> targets) { return {std::move(targets), Softness::hard}; }
Invalidation soft(std::vector<Target> targets) { return {std::move(targets), Softness::soft}; }

TEST(Unrecorded, MergesWhatItIsGiven) {
    Unrecorded queue;
    EXPECT_TRUE(queue.empty());
    queue.add(hard({tag("b"), tag("a")}));
    queue.add(hard({tag("a"), {Target::Kind::key, "a"}}));
    queue.add(soft({tag("c")}));
    EXPECT_EQ(queue.size(), 4U);
    const auto taken = queue.take();
    ASSERT_THAT(taken, SizeIs(2));
    EXPECT_EQ(taken[0].softness, Softness::hard);
    EXPECT_THAT(taken[0].targets, ElementsAre(tag("a"), tag("b"), Target{Target::Kind::key, "a"}));
    EXPECT_EQ(taken[1].softness, Softness::soft);
    EXPECT_THAT(taken[1].targets, ElementsAre(tag("c")));
    EXPECT_TRUE(queue.empty());
    EXPECT_THAT(queue.take(), IsEmpty());
}

TEST(Unrecorded, HardOutweighsSoftInAnyOrder) {
    Unrecorded queue;
    queue.add(soft({tag("a")}));
    queue.add(hard({tag("a"), tag("b")}));
    queue.add(soft({tag("b")}));
    const auto taken = queue.take();
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_THAT(taken[0].targets, ElementsAre(tag("a"), tag("b")));
}

TEST(Unrecorded, WithoutRoomItIsEverything) {
    Unrecorded queue(2);
    EXPECT_TRUE(queue.add(hard({tag("a"), tag("b")})));
    EXPECT_TRUE(queue.add(hard({tag("b")}))) << "named before";
    EXPECT_FALSE(queue.add(hard({tag("c")})));
    EXPECT_TRUE(queue.add(hard({tag("d")}))) << "part of everything";
    const auto taken = queue.take();
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_THAT(taken[0].targets, ElementsAre(everything));
    EXPECT_EQ(taken[0].softness, Softness::hard);
}

TEST(Unrecorded, SoftOverflowLeavesTheHardOnesExact) {
    Unrecorded queue(1);
    queue.add(hard({tag("a")}));
    EXPECT_FALSE(queue.add(soft({tag("b"), tag("c")})));
    const auto taken = queue.take();
    ASSERT_THAT(taken, SizeIs(2));
    EXPECT_THAT(taken[0].targets, ElementsAre(tag("a")));
    EXPECT_THAT(taken[1].targets, ElementsAre(everything));
}

TEST(Timed, IsForgottenOrTakenInOrder) {
    Timed timed;
    const Instant start(1h);
    EXPECT_EQ(timed.first(), std::nullopt);
    for (const auto* text : {"a", "b", "c"}) timed.note(hard({tag(text)}), start + 10s * (text[0] - 'a'));
    EXPECT_EQ(timed.first(), start);
    timed.forget_before(start);
    EXPECT_THAT(timed.all(), SizeIs(3));
    timed.forget_before(start + 1s);
    EXPECT_THAT(timed.all(), SizeIs(2));
    EXPECT_THAT(timed.take_until(start + 9s), IsEmpty());
    EXPECT_THAT(timed.take_until(start + 10s), SizeIs(1));
    EXPECT_EQ(timed.first(), start + 20s);
}

TEST(Timed, WithoutRoomItIsEverything) {
    Timed timed(2);
    const Instant start(1h);
    timed.note(soft({tag("a"), tag("b")}), start);
    timed.note(hard({tag("c")}), start + 1s);
    timed.note(hard({tag("d")}), start + 2s);
    EXPECT_EQ(timed.first(), start + 1s) << "not before the newest of what it stands for";
    const auto kept = timed.all();
    ASSERT_THAT(kept, SizeIs(2));
    EXPECT_THAT(kept[0].targets, ElementsAre(everything));
    EXPECT_EQ(kept[0].softness, Softness::hard);
}

/// Whatever was put in is covered by what comes out, at least as hard.
RC_GTEST_PROP(UnrecordedProperty, NothingIsLost, ()) {
    const auto targets = rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 9));
    const auto inputs = *rc::gen::container<std::vector<std::pair<bool, std::vector<int>>>>(
        rc::gen::pair(rc::gen::arbitrary<bool>(), targets));
    Unrecorded queue(4);
    for (const auto& [is_soft, numbers] : inputs) {
        Invalidation one = is_soft ? soft({}) : hard({});
        for (const int n : numbers) one.targets.push_back(n == 8 ? everything : tag(std::to_string(n)));
        queue.add(one);
    }
    RC_ASSERT(queue.size() <= 10U);
    const auto taken = queue.take();
    const auto covers = [&](const Target& target, Softness softness) {
        return std::ranges::any_of(taken, [&](const Invalidation& out) {
            if (out.softness == Softness::soft && softness == Softness::hard) return false;
            return std::ranges::count(out.targets, target) + std::ranges::count(out.targets, everything) > 0;
        });
    };
    for (const auto& [is_soft, numbers] : inputs)
        for (const int n : numbers)
            RC_ASSERT(covers(n == 8 ? everything : tag(std::to_string(n)), is_soft ? Softness::soft : Softness::hard));
}

}  // namespace
}  // namespace etage::redis
