// A decision takes nothing from the heap, once its client is known: this test counts what the whole program takes.

#include "base/allocation_count_fixture.hpp"
#include "limit/client_table.hpp"
#include "limit/quota_fixture.hpp"
#include "limit/seats.hpp"
#include "limit/share.hpp"

#include <gtest/gtest.h>

namespace etage::limit {
namespace {

using base::testing::allocations;

using std::chrono::seconds;
using testing::at;
using testing::start;

/// What `decide(i)` allocates the second time it is called for each of a thousand.
template <class F>
std::size_t allocated_by(F&& decide) {
    for (std::uint64_t i = 0; i < 1000; ++i) decide(i);
    const std::size_t before = allocations;
    for (std::uint64_t i = 0; i < 1000; ++i) decide(i);
    return allocations - before;
}

TEST(Allocation, ADecisionTakesNothingFromTheHeap) {
    for (const Algorithm algorithm : {Algorithm::token_bucket, Algorithm::fixed_window, Algorithm::sliding_window}) {
        const Quota quota{.quota = 10, .window = seconds(10), .burst = 10, .algorithm = algorithm};
        ClientTable<State> table;
        EXPECT_EQ(allocated_by([&](std::uint64_t i) {
                      table.visit(i, start, [&](State& state) {
                          take(quota, state, at(start));
                          debit(quota, state, at(start), 1);
                          credit(quota, state, at(start), 1);
                      });
                  }),
                  0U);
    }
}

TEST(Allocation, NorDoesALease) {
    const Quota quota{.quota = 1000, .window = seconds(10), .burst = 100};
    ClientTable<Share> table;
    EXPECT_EQ(allocated_by([&](std::uint64_t i) {
                  table.visit(i, start, [&](Share& share) {
                      const Spending s = spend(quota, 10, share, at(start), 1);
                      if (s.then == Spending::Then::nothing) return;
                      const Claim claim{quota, "client", s.need, s.want, s.back, s.debt, s.at_least, true};
                      settle(quota, 10, share, claim, {s.want, {seconds(1), 0, 0}}, at(start));
                      spend_alone(quota, share, at(start), 1, 4);
                  });
              }),
              0U);
}

TEST(Allocation, NorDoesASeat) {
    SeatTable table;
    EXPECT_EQ(allocated_by([&](std::uint64_t i) {
                  std::uint64_t taken = 0;
                  EXPECT_TRUE(table.enter(i, 2, taken));
              }),
              0U);
}

}  // namespace
}  // namespace etage::limit
