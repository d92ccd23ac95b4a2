#include "net/event.hpp"

#include "net/virtual_time.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <optional>
#include <thread>

namespace etage::net {
namespace {

using namespace std::chrono_literals;

const Now start{Instant(1h), WallTime(std::chrono::seconds(1'700'000'000))};

/// A coroutine waiting on `event`; its result appears in `result`.
void wait(asio::io_context& io, Event& event, Instant deadline, std::function<bool()> ready,
          std::optional<bool>& result) {
    asio::co_spawn(
        io,
        [&event, deadline, ready = std::move(ready), &result]() -> asio::awaitable<void> {
            result = co_await event.wait_until(deadline, ready);
        },
        asio::detached);
}

TEST(Event, ReadyAtOnceDoesNotWait) {
    asio::io_context io;
    Event event;
    std::optional<bool> result;
    wait(io, event, Instant::max(), [] { return true; }, result);
    io.run();
    EXPECT_EQ(result, true);
}

TEST(Event, NotificationWakesAllWhoWait) {
    base::VirtualClock clock(start);
    asio::io_context io;
    Event event;
    bool ready = false;
    std::optional<bool> a, b;
    wait(io, event, Instant::max(), [&] { return ready; }, a);
    wait(io, event, start.mono + 1s, [&] { return ready; }, b);
    io.poll();
    EXPECT_FALSE(a || b);

    ready = true;
    event.notify_all();
    io.poll();
    EXPECT_EQ(a, true);
    EXPECT_EQ(b, true);
}

TEST(Event, NotificationForOthersLeavesTheWaiterWaiting) {
    base::VirtualClock clock(start);
    asio::io_context io;
    Event event;
    bool ready = false;
    std::optional<bool> result;
    wait(io, event, start.mono + 1s, [&] { return ready; }, result);
    io.poll();
    for (int i = 0; i < 3; ++i) {
        event.notify_all();
        io.poll();
        EXPECT_FALSE(result);
    }
    ready = true;
    event.notify_all();
    io.poll();
    EXPECT_EQ(result, true);
}

TEST(Event, DeadlineEndsTheWait) {
    base::VirtualClock clock(start);
    asio::io_context io;
    Event event;
    std::optional<bool> result;
    wait(io, event, start.mono + 1s, [] { return false; }, result);
    advance(io, clock, 999ms);
    EXPECT_FALSE(result);
    advance(io, clock, 1ms);
    EXPECT_EQ(result, false);
    event.notify_all();  // finds nobody
    io.poll();
}

TEST(Event, DeadlineInThePastStillLooksOnce) {
    asio::io_context io;
    Event event;
    std::optional<bool> no, yes;
    wait(io, event, Instant::min(), [] { return false; }, no);
    wait(io, event, Instant::min(), [] { return true; }, yes);
    io.run();
    EXPECT_EQ(no, false);
    EXPECT_EQ(yes, true);
}

TEST(Event, ReadyAtTheDeadlineCounts) {
    base::VirtualClock clock(start);
    asio::io_context io;
    Event event;
    bool ready = false;
    std::optional<bool> result;
    wait(io, event, start.mono + 1s, [&] { return ready; }, result);
    io.poll();
    ready = true;  // and nobody notifies
    advance(io, clock, 1s);
    EXPECT_EQ(result, true);
}

TEST(Event, NotifiedBetweenCheckAndSleepIsNotLost) {
    base::VirtualClock clock(start);
    asio::io_context io;
    Event event;
    bool ready = false;
    std::optional<bool> result;
    // The change happens inside the check itself: registered already, not asleep yet.
    wait(
        io, event, Instant::max(),
        [&, looked = false]() mutable {
            if (looked) return ready;
            looked = true;
            ready = true;
            event.notify_all();
            return false;
        },
        result);
    io.poll();
    EXPECT_EQ(result, true);
}

TEST(Event, NotificationAndDeadlineTogether) {
    base::VirtualClock clock(start);
    asio::io_context io;
    Event event;
    bool ready = false;
    std::optional<bool> result;
    wait(io, event, start.mono + 1s, [&] { return ready; }, result);
    io.poll();
    ready = true;
    event.notify_all();      // posted, not run
    advance(io, clock, 1s);  // the deadline passes as well
    EXPECT_EQ(result, true);
}

TEST(Event, CoroutineDestroyedWhileWaitingLeavesTheList) {
    Event event;
    std::optional<bool> result;
    {
        asio::io_context io;
        wait(io, event, Instant::max(), [] { return false; }, result);
        io.poll();
    }
    event.notify_all();  // would touch a dead timer
    EXPECT_FALSE(result);
}

/// Two threads hand a ball to and fro; a lost wake-up is a deadline that passes.
TEST(Event, TwoThreadsNeverMissEachOther) {
    constexpr int rounds = 3000;
    Event event;
    std::atomic<int> turn{0};
    std::atomic<int> lost{0};
    auto play = [&](int who) -> asio::awaitable<void> {
        for (int i = who; i < 2 * rounds; i += 2) {
            const Instant deadline = base::TimerClock::now() + 20s;
            if (!co_await event.wait_until(deadline, [&] { return turn.load() == i; })) ++lost;
            turn.store(i + 1);
            event.notify_all();
        }
    };
    asio::io_context a, b;
    asio::co_spawn(a, play(0), asio::detached);
    asio::co_spawn(b, play(1), asio::detached);
    std::thread other([&] { b.run(); });
    a.run();
    other.join();
    EXPECT_EQ(lost.load(), 0);
    EXPECT_EQ(turn.load(), 2 * rounds);
}

/// Many waiters with tiny deadlines against a notifier that never rests: expiry and notification meet everywhere.
TEST(Event, ExpiryAgainstNotificationFromAnotherThread) {
    constexpr int waiters = 8;
    constexpr int rounds = 200;
    Event event;
    std::atomic<int> finished{0};
    std::atomic<bool> stop{false};
    auto churn = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            int looks = 0;
            const Instant deadline = base::TimerClock::now() + 50us;
            co_await event.wait_until(deadline, [&] { return ++looks > 3; });
        }
        ++finished;
    };
    asio::io_context a, b;
    for (int i = 0; i < waiters; ++i) asio::co_spawn(i % 2 == 0 ? a : b, churn(), asio::detached);
    std::thread notifier([&] {
        while (!stop.load()) event.notify_all();
    });
    std::thread other([&] { b.run(); });
    a.run();
    other.join();
    stop.store(true);
    notifier.join();
    EXPECT_EQ(finished.load(), waiters);
}

}  // namespace
}  // namespace etage::net
