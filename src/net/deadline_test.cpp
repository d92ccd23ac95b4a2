#include "net/deadline.hpp"

#include "net/virtual_time.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace etage::net {
namespace {

using namespace std::chrono_literals;

const Now start{Instant(1h), WallTime(std::chrono::seconds(1'700'000'000))};

struct WatchdogTest : testing::Test {
    base::VirtualClock clock{start};
    asio::io_context io;
    int cuts = 0;
    std::unique_ptr<Watchdog> watchdog = std::make_unique<Watchdog>(io.get_executor(), [this] { ++cuts; });

    void pass(Duration time) { advance(io, clock, time); }
};

TEST_F(WatchdogTest, CutsAtTheDeadlineAndNotBefore) {
    watchdog->arm(start.mono + 1s);
    pass(999ms);
    EXPECT_EQ(cuts, 0);
    EXPECT_FALSE(watchdog->expired());
    pass(1ms);
    EXPECT_EQ(cuts, 1);
    EXPECT_TRUE(watchdog->expired());
    pass(10s);
    EXPECT_EQ(cuts, 1);
}

TEST_F(WatchdogTest, DisarmedNeverCuts) {
    watchdog->arm(start.mono + 1s);
    watchdog->disarm();
    pass(10s);
    EXPECT_EQ(cuts, 0);
    EXPECT_FALSE(watchdog->expired());
}

TEST_F(WatchdogTest, LaterDeadlineReplacesAnEarlierOne) {
    watchdog->arm(start.mono + 1s);
    watchdog->arm(start.mono + 5s);
    pass(4s);
    EXPECT_EQ(cuts, 0);
    pass(1s);
    EXPECT_EQ(cuts, 1);
}

TEST_F(WatchdogTest, EarlierDeadlineReplacesALaterOne) {
    watchdog->arm(start.mono + 30s);
    watchdog->arm(start.mono + 2s);
    pass(2s);
    EXPECT_EQ(cuts, 1);
    pass(30s);
    EXPECT_EQ(cuts, 1);
}

TEST_F(WatchdogTest, RearmedWhileTheOldWaitIsPending) {
    watchdog->arm(start.mono + 1s);
    watchdog->disarm();
    pass(500ms);
    watchdog->arm(start.mono + 2s);
    pass(1s);  // the old wait fires, finds a later deadline
    EXPECT_EQ(cuts, 0);
    pass(500ms);
    EXPECT_EQ(cuts, 1);
}

TEST_F(WatchdogTest, ArmForgetsThatItExpired) {
    watchdog->arm(start.mono + 1s);
    pass(1s);
    ASSERT_TRUE(watchdog->expired());
    watchdog->arm(start.mono + 5s);
    EXPECT_FALSE(watchdog->expired());
    pass(4s);
    EXPECT_EQ(cuts, 2);
}

TEST_F(WatchdogTest, DestroyedNeverCuts) {
    watchdog->arm(start.mono + 1s);
    io.poll();
    watchdog.reset();
    pass(10s);
    EXPECT_EQ(cuts, 0);
}

}  // namespace
}  // namespace etage::net
