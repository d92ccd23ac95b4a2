#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace etage::base {
namespace {

using namespace std::chrono_literals;

constexpr Now start{Instant(100s), WallTime(1'700'000'000s)};

TEST(Clock, TheRealOneOnlyMovesForward) {
    Now before = read_clock();
    for (int i = 0; i < 1000; ++i) {
        const Now now = read_clock();
        ASSERT_GE(now.mono, before.mono);
        before = now;
    }
    EXPECT_GT(before.wall, WallTime(1'700'000'000s));
}

TEST(Clock, TimersSeeTheSameTime) {
    const Instant a = read_clock().mono;
    const Instant b = TimerClock::now();
    const Instant c = read_clock().mono;
    EXPECT_LE(a, b);
    EXPECT_LE(b, c);
}

TEST(VirtualClock, StandsUntilItIsAdvanced) {
    VirtualClock clock(start);
    EXPECT_EQ(read_clock().mono, start.mono);
    EXPECT_EQ(read_clock().wall, start.wall);
    EXPECT_EQ(TimerClock::now(), start.mono);
    clock.advance(90min);
    EXPECT_EQ(read_clock().mono, start.mono + 90min);
    EXPECT_EQ(read_clock().wall, start.wall + 90min);
    EXPECT_EQ(TimerClock::now(), clock.now().mono);
}

TEST(VirtualClock, FractionsOfASecondAddUpOnTheWall) {
    VirtualClock clock(start);
    for (int i = 0; i < 3; ++i) clock.advance(400ms);
    EXPECT_EQ(clock.now().mono, start.mono + 1200ms);
    EXPECT_EQ(clock.now().wall, start.wall + 1s);
}

TEST(VirtualClock, BelongsToItsThread) {
    const VirtualClock clock(start);
    Now elsewhere{};
    std::jthread([&] { elsewhere = read_clock(); }).join();
    EXPECT_GT(elsewhere.wall, start.wall);
    EXPECT_EQ(read_clock().wall, start.wall);
}

TEST(VirtualClock, RealTimeComesBackAfterIt) {
    {
        const VirtualClock clock(start);
    }
    EXPECT_GT(read_clock().wall, start.wall);
}

}  // namespace
}  // namespace etage::base
