#include "limit/shared_seats.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace etage::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Answer = SharedSeats::Answer;

constexpr Instant start{std::chrono::hours(1)};
constexpr std::uint64_t key = 7;

/// What Redis counts, exact.
struct Common {
    struct Hold {
        std::uint64_t seats;
        Instant lapses;
    };
    std::map<const void*, Hold> holds{};

    std::uint64_t hold(const void* who, RemoteSeats::Wish wish, Instant now) {
        std::uint64_t others = 0;
        for (const auto& [instance, hold] : holds)
            if (instance != who && hold.lapses > now) others += hold.seats;
        const std::uint64_t held = std::min(wish.wanted, wish.max - std::min(wish.max, others));
        holds[who] = {std::max(held, wish.in_flight), now + SharedSeats::lapse_after};
        return held;
    }
};

struct Instance {
    Common& common;
    std::uint64_t max = 10;
    std::unique_ptr<SharedSeats> seats = std::make_unique<SharedSeats>();
    int calls = 0;

    Seat enter(Instant now) {
        auto entering = seats->enter(key, "client", max, now);
        if (entering.answer != Answer::ask) return std::move(entering.seat);
        ++calls;
        return seats->granted(key, common.hold(this, {entering.wanted, entering.in_flight, max}, now), now, now);
    }
    void beat(Instant now) {
        for (const auto& held : seats->beat()) seats->confirmed(held.key, common.hold(this, held.wish, now), now);
    }
    std::vector<Seat> fill(Instant now) {
        std::vector<Seat> taken;
        while (Seat seat = enter(now)) taken.push_back(std::move(seat));
        return taken;
    }
};

TEST(SharedSeats, TogetherNoMoreThanTheMost) {
    Common common;
    Instance one{common}, two{common};
    std::vector<Seat> of_one, of_two;
    for (int i = 0; i < 4; ++i) of_one.push_back(one.enter(start));
    of_two = two.fill(start);
    EXPECT_EQ(of_two.size(), 6U);
    EXPECT_FALSE(one.enter(start));
    of_two.pop_back();
    EXPECT_FALSE(one.enter(start + milliseconds(150))) << "two still holds it";
    two.beat(start + milliseconds(200));
    two.beat(start + milliseconds(300));
    EXPECT_TRUE(one.enter(start + milliseconds(400))) << "two has let it go";
}

TEST(SharedSeats, AfterTheCountWasLostNobodyComesInForThoseWhoAreThere) {
    Common common;
    Instance one{common}, two{common};
    std::vector<Seat> of_one = one.fill(start);
    EXPECT_EQ(of_one.size(), 10U);
    common.holds.clear();
    Seat early = two.enter(start + milliseconds(100));
    EXPECT_TRUE(early) << "nobody has said anything yet";
    for (int second = 1; second < 5; ++second) {
        const Instant now = start + seconds(second);
        one.beat(now);
        early = {};
        two.beat(now);
        EXPECT_FALSE(early = two.enter(now + milliseconds(500))) << second;
    }
    of_one.resize(9);
    for (int second = 6; second < 8; ++second) one.beat(start + seconds(second));
    EXPECT_TRUE(two.enter(start + seconds(8)));
}

TEST(SharedSeats, WhatIsHeldIsFilledWithoutAsking) {
    Common common;
    Instance one{common};
    one.fill(start);
    const int calls = one.calls;
    EXPECT_EQ(one.fill(start).size(), 10U);
    EXPECT_EQ(one.calls, calls);
}

TEST(SharedSeats, WhoIsNotGrantedEnoughDoesNotAskAgainAtOnce) {
    Common common;
    Instance one{common}, two{common};
    const auto all = two.fill(start);
    EXPECT_FALSE(one.enter(start));
    EXPECT_FALSE(one.enter(start));
    EXPECT_EQ(one.calls, 1);
    EXPECT_FALSE(one.enter(start + SharedSeats::again_after));
    EXPECT_EQ(one.calls, 2);
}

TEST(SharedSeats, AnInstanceThatCrashesIsForgottenInThreeSeconds) {
    Common common;
    Instance one{common};
    const auto gone = std::make_unique<Instance>(Instance{common});
    const auto lost = gone->fill(start);
    EXPECT_FALSE(one.enter(start + seconds(2)));
    EXPECT_EQ(one.fill(start + seconds(3)).size(), 10U);
}

TEST(SharedSeats, WhatLapsedIsAskedForAgain) {
    Common common;
    Instance one{common}, two{common};
    const auto mine = one.fill(start);
    const auto theirs = two.fill(start + seconds(3));
    EXPECT_EQ(theirs.size(), 10U) << "one was not heard of for so long";
    EXPECT_FALSE(one.enter(start + seconds(3)));
    EXPECT_EQ(one.seats->in_flight(key), 10U) << "what is in flight stays";
}

TEST(SharedSeats, IdleSubjectsAreGivenUpAndForgotten) {
    Common common;
    Instance one{common}, two{common};
    one.fill(start);
    one.beat(start + seconds(1));
    EXPECT_EQ(one.seats->size(), 1U);
    one.beat(start + seconds(2));
    one.beat(start + seconds(3));
    EXPECT_EQ(one.seats->size(), 0U);
    EXPECT_EQ(two.fill(start + seconds(2)).size(), 10U);
}

TEST(SharedSeats, WhoComesDuringACallWaitsForIt) {
    Common common;
    SharedSeats seats;
    const auto first = seats.enter(key, "client", 10, start);
    EXPECT_EQ(first.answer, Answer::ask);
    EXPECT_EQ(first.wanted, 1U);
    int woken = 0;
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(seats.enter(key, "client", 10, start).answer, Answer::wait);
        seats.wait(key, [&] { ++woken; });
    }
    EXPECT_EQ(woken, 0);
    const Seat seat = seats.granted(key, 1, start, start);
    EXPECT_TRUE(seat);
    EXPECT_EQ(woken, 5);
    const auto second = seats.enter(key, "client", 10, start);
    EXPECT_EQ(second.answer, Answer::ask);
    EXPECT_GE(second.wanted, 6U) << "for all who waited";
    seats.failed(key);
    seats.wait(key, [&] { ++woken; });
    EXPECT_EQ(woken, 6) << "there is nothing to wait for";
    EXPECT_EQ(seats.enter(key, "client", 10, start).answer, Answer::ask);
}

TEST(SharedSeats, AloneEachInstanceHasItsPartOrWhatItHolds) {
    Common common;
    Instance one{common};
    std::vector<Seat> taken;
    while (Seat seat = one.seats->enter_alone(key, "client", 10, 4, start)) taken.push_back(std::move(seat));
    EXPECT_EQ(taken.size(), 2U);
    EXPECT_TRUE(one.seats->enter_alone(8, "other", 2, 4, start)) << "one at least";
    taken.clear();
    taken = one.fill(start);
    taken.resize(5);
    EXPECT_TRUE(one.seats->enter_alone(key, "client", 10, 4, start + seconds(2)));
    EXPECT_FALSE(one.seats->enter_alone(key, "client", 10, 4, start + seconds(3))) << "that has lapsed";
}

TEST(SharedSeats, NobodyElseComesInWhenTooManySubjectsAreHeld) {
    SharedSeats seats(2);
    EXPECT_EQ(seats.enter(1, "a", 1, start).answer, Answer::ask);
    EXPECT_EQ(seats.enter(2, "b", 1, start).answer, Answer::ask);
    EXPECT_EQ(seats.enter(3, "c", 1, start).answer, Answer::no);
    EXPECT_FALSE(seats.enter_alone(3, "c", 1, 1, start));
    seats.failed(1);
    EXPECT_TRUE(seats.beat().empty());
    EXPECT_EQ(seats.enter(3, "c", 1, start).answer, Answer::ask);
}

TEST(SharedSeatsProperty, InstancesThatAreHeardNeverExceedTheMostTogether) {
    EXPECT_TRUE(rc::check([] {
        Common common;
        const auto max = *rc::gen::inRange<std::uint64_t>(1, 12);
        std::vector<Instance> instances;
        for (int i = 0; i < 3; ++i) instances.push_back({.common = common, .max = max});
        std::vector<std::vector<Seat>> taken(3);
        Instant now = start, next_beat = start;
        for (const int what : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3000))) {
            now += milliseconds(what % 40);
            for (; next_beat <= now; next_beat += SharedSeats::heartbeat)
                for (Instance& each : instances) each.beat(next_beat);
            const auto i = static_cast<std::size_t>(what) % 3;
            if (what % 5 < 3) {
                if (Seat seat = instances[i].enter(now)) taken[i].push_back(std::move(seat));
            } else if (!taken[i].empty()) {
                taken[i].pop_back();
            }
            RC_ASSERT(taken[0].size() + taken[1].size() + taken[2].size() <= max);
        }
    }));
}

}  // namespace
}  // namespace etage::limit
