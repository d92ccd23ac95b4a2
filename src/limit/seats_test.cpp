#include "limit/seats.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <thread>
#include <vector>

namespace etage::limit {
namespace {

TEST(Seats, AreTakenUpToTheMostAndComeBack) {
    SeatTable table;
    std::uint64_t taken = 0;
    Seat first = table.enter(7, 2, taken);
    EXPECT_TRUE(first);
    EXPECT_EQ(taken, 1U);
    Seat second = table.enter(7, 2, taken);
    EXPECT_TRUE(second);
    EXPECT_EQ(taken, 2U);
    EXPECT_FALSE(table.enter(7, 2, taken));
    EXPECT_EQ(taken, 2U);
    EXPECT_TRUE(table.enter(8, 2, taken)) << "others have seats of their own";
    first = {};
    EXPECT_EQ(table.taken(7), 1U);
    EXPECT_TRUE(table.enter(7, 2, taken));
    second = {};
    EXPECT_EQ(table.taken(7), 0U);
    EXPECT_EQ(table.size(), 0U) << "nobody is remembered who has nothing in flight";
    EXPECT_FALSE(table.enter(7, 0, taken));
}

TEST(Seats, MoveWithTheirRequest) {
    SeatTable table;
    std::uint64_t taken = 0;
    Seat seat = table.enter(1, 1, taken);
    Seat moved = std::move(seat);
    EXPECT_TRUE(moved);
    EXPECT_EQ(table.taken(1), 1U);
    Seat other = table.enter(2, 1, taken);
    other = std::move(moved);
    EXPECT_EQ(table.taken(2), 0U) << "what it held is given back";
    EXPECT_EQ(table.taken(1), 1U);
    Seat& same = other;
    other = std::move(same);
    EXPECT_EQ(table.taken(1), 1U);
}

TEST(Seats, NobodyElseComesInWhenTooManyAreInside) {
    SeatTable table(3);
    std::uint64_t taken = 0;
    std::vector<Seat> seats;
    for (std::uint64_t key = 0; key < 3; ++key) seats.push_back(table.enter(key, 5, taken));
    EXPECT_FALSE(table.enter(9, 5, taken));
    EXPECT_EQ(table.subjects_refused(), 1U);
    EXPECT_TRUE(table.enter(0, 5, taken)) << "who is inside may take another";
    seats.pop_back();
    EXPECT_TRUE(table.enter(9, 5, taken));
}

TEST(SeatsProperty, CountAsANaiveMapDoes) {
    EXPECT_TRUE(rc::check([] {
        SeatTable table;
        std::map<std::uint64_t, std::uint64_t> counts;
        std::vector<std::pair<std::uint64_t, Seat>> seats;
        for (const int what : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000))) {
            // Few homes and many keys, so that they stand in each other's way.
            const auto key = static_cast<std::uint64_t>(what % 40) << 60U;
            if (what % 3 == 0 && !seats.empty()) {
                auto& [left, seat] = seats[static_cast<std::size_t>(what) % seats.size()];
                if (--counts[left] == 0) counts.erase(left);
                std::swap(seats[static_cast<std::size_t>(what) % seats.size()], seats.back());
                seats.pop_back();
            } else {
                std::uint64_t taken = 0;
                Seat seat = table.enter(key, 3, taken);
                const std::uint64_t before = counts.contains(key) ? counts[key] : 0;
                RC_ASSERT(static_cast<bool>(seat) == (before < 3));
                if (seat) {
                    RC_ASSERT(taken == ++counts[key]);
                    seats.emplace_back(key, std::move(seat));
                }
            }
            RC_ASSERT(table.size() == counts.size());
            for (const auto& [subject, count] : counts) RC_ASSERT(table.taken(subject) == count);
        }
    }));
}

TEST(Seats, ThreadsNeverHoldMoreTogether) {
    SeatTable table;
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < 5000; ++i) {
                std::uint64_t taken = 0;
                const Seat other = table.enter(i * 4 + t + 100, 1, taken);
                const Seat seat = table.enter(1, 2, taken);
                if (!seat) continue;
                const int now = inside.fetch_add(1) + 1;
                int seen = most.load();
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                inside.fetch_sub(1);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(most.load(), 2);
    EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace etage::limit
