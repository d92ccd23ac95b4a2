#include "net/slots.hpp"

#include "net/virtual_time.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace etage::net {
namespace {

using namespace std::chrono_literals;

const Now start{Instant(1h), WallTime(std::chrono::seconds(1'700'000'000))};

/// One who asks for a slot; `done` says that the wait ended, `slot` with what.
struct Asker {
    bool done = false;
    std::optional<Slot> slot;

    void ask(asio::io_context& io, Slots& slots, Instant deadline) {
        asio::co_spawn(
            io,
            [this, &slots, deadline]() -> asio::awaitable<void> {
                slot = co_await slots.acquire(deadline);
                done = true;
            },
            asio::detached);
    }
};

struct SlotsTest : testing::Test {
    base::VirtualClock clock{start};
    asio::io_context io;
    Slots slots{1};
};

TEST_F(SlotsTest, FreeOnesAreGivenAtOnceAndComeBack) {
    Asker a;
    a.ask(io, slots, Instant::min());
    io.poll();
    ASSERT_TRUE(a.slot);
    EXPECT_EQ(slots.free(), 0U);
    a.slot.reset();
    EXPECT_EQ(slots.free(), 1U);
}

TEST_F(SlotsTest, WaitersAreServedInOrder) {
    Asker a, b, c;
    a.ask(io, slots, Instant::max());
    b.ask(io, slots, Instant::max());
    c.ask(io, slots, Instant::max());
    io.poll();
    EXPECT_EQ(slots.waiting(), 2U);
    a.slot.reset();
    io.restart();
    io.poll();
    EXPECT_TRUE(b.slot);
    EXPECT_FALSE(c.done);
    b.slot.reset();
    io.restart();
    io.poll();
    EXPECT_TRUE(c.slot);
    c.slot.reset();
    EXPECT_EQ(slots.free(), 1U);
}

TEST_F(SlotsTest, DeadlineGivesUp) {
    Asker a, b;
    a.ask(io, slots, Instant::max());
    b.ask(io, slots, start.mono + 3s);
    advance(io, clock, 3s);
    EXPECT_TRUE(b.done);
    EXPECT_FALSE(b.slot);
    EXPECT_EQ(slots.waiting(), 0U);
    a.slot.reset();
    EXPECT_EQ(slots.free(), 1U);
}

TEST_F(SlotsTest, GrantedAsTheDeadlinePassesIsKept) {
    Asker a, b;
    a.ask(io, slots, Instant::max());
    b.ask(io, slots, start.mono + 3s);
    io.poll();
    a.slot.reset();  // granted, the wake-up is posted
    advance(io, clock, 3s);
    EXPECT_TRUE(b.slot);
    EXPECT_EQ(slots.free(), 0U);
}

TEST_F(SlotsTest, WaiterDestroyedBeforeAndAfterItsGrant) {
    Asker a, b, c;
    a.ask(io, slots, Instant::max());
    io.poll();
    {
        asio::io_context brief;
        b.ask(brief, slots, Instant::max());
        brief.poll();
        EXPECT_EQ(slots.waiting(), 1U);
    }
    EXPECT_EQ(slots.waiting(), 0U);
    {
        asio::io_context brief;
        c.ask(brief, slots, Instant::max());
        brief.poll();
        a.slot.reset();  // granted to c, which never resumes
        EXPECT_EQ(slots.free(), 0U);
    }
    EXPECT_FALSE(b.done || c.done);
    EXPECT_EQ(slots.free(), 1U);
}

TEST_F(SlotsTest, WhoFindsTheLineFullIsTurnedAwayAtOnce) {
    Slots few(1, 1);
    Asker a, b, c;
    a.ask(io, few, Instant::max());
    b.ask(io, few, Instant::max());
    c.ask(io, few, Instant::max());
    io.poll();
    EXPECT_FALSE(b.done);
    EXPECT_TRUE(c.done);
    EXPECT_FALSE(c.slot);
    EXPECT_EQ(few.waiting(), 1U);
    a.slot.reset();
    io.restart();
    io.poll();
    EXPECT_TRUE(b.slot);
}

TEST_F(SlotsTest, MoreOfThemGoToThoseWhoWait) {
    Asker a, b, c, d;
    for (Asker* asker : {&a, &b, &c, &d}) asker->ask(io, slots, Instant::max());
    io.poll();
    slots.resize(3);
    io.restart();
    io.poll();
    EXPECT_TRUE(b.slot && c.slot);
    EXPECT_FALSE(d.done);
    EXPECT_EQ(slots.in_use(), 3U);
    EXPECT_EQ(slots.waiting(), 1U);
}

TEST_F(SlotsTest, FewerOfThemTakeNobodysAway) {
    slots.resize(3);
    Asker a, b, c, d;
    for (Asker* asker : {&a, &b, &c}) asker->ask(io, slots, Instant::max());
    io.poll();
    slots.resize(1);
    EXPECT_EQ(slots.in_use(), 3U);
    EXPECT_EQ(slots.free(), 0U);
    d.ask(io, slots, Instant::max());
    a.slot.reset();
    b.slot.reset();
    io.restart();
    io.poll();
    EXPECT_FALSE(d.done) << "c still has the one there is";
    c.slot.reset();
    io.restart();
    io.poll();
    EXPECT_TRUE(d.slot);
}

TEST(Slots, NeverMoreThanTheBoundOnTwoThreads) {
    constexpr std::size_t slots_max = 3;
    constexpr int askers = 16;
    constexpr int rounds = 300;
    Slots slots(slots_max);
    std::atomic<std::size_t> held{0}, most{0};
    std::atomic<int> refused{0};
    auto work = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            const Instant deadline = base::TimerClock::now() + 20s;
            auto slot = co_await slots.acquire(deadline);
            if (!slot) {
                ++refused;
                continue;
            }
            const auto now = ++held;
            for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
            }
            co_await asio::post(quietly);
            --held;
        }
    };
    asio::io_context a, b;
    for (int i = 0; i < askers; ++i) asio::co_spawn(i % 2 == 0 ? a : b, work(), asio::detached);
    std::thread other([&] { b.run(); });
    a.run();
    other.join();
    EXPECT_EQ(refused.load(), 0);
    EXPECT_LE(most.load(), slots_max);
    EXPECT_EQ(slots.free(), slots_max);
    EXPECT_EQ(slots.waiting(), 0U);
}

}  // namespace
}  // namespace etage::net
