#include "limit/quota_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <vector>

namespace etage::limit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::any_bucket;
using testing::any_steps;
using testing::at;
using testing::start;
using testing::would_allow;

constexpr Quota two_per_second{.quota = 120, .window = minutes(1), .burst = 30};

Decision take_at(const Quota& quota, State& state, Instant now, std::uint64_t cost = 1) {
    return take(quota, state, at(now), cost);
}

TEST(TokenBucket, BeginsFullAndCountsDown) {
    State state;
    for (std::uint64_t left = 30; left-- > 0;) {
        const Decision d = take_at(two_per_second, state, start);
        EXPECT_TRUE(d.allowed);
        EXPECT_EQ(d.remaining, left);
        EXPECT_EQ(d.reset_after, milliseconds(500) * (30 - static_cast<int>(left)));
        EXPECT_EQ(d.retry_after, Duration::zero());
    }
    const Decision refused = take_at(two_per_second, state, start);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.remaining, 0U);
    EXPECT_EQ(refused.retry_after, milliseconds(500));
    EXPECT_EQ(refused.reset_after, seconds(15));
}

TEST(TokenBucket, TokensComeBackOneByOne) {
    State state;
    take_at(two_per_second, state, start, 30);
    EXPECT_FALSE(would_allow(two_per_second, state, start + milliseconds(500) - nanoseconds(1)));
    EXPECT_TRUE(take_at(two_per_second, state, start + milliseconds(500)).allowed);
    EXPECT_FALSE(would_allow(two_per_second, state, start + milliseconds(999)));
    EXPECT_TRUE(would_allow(two_per_second, state, start + milliseconds(1000)));
}

TEST(TokenBucket, ARefusalCostsNothing) {
    State state;
    take_at(two_per_second, state, start, 30);
    const State before = state;
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(take_at(two_per_second, state, start).allowed);
    EXPECT_EQ(state.idle_at, before.idle_at);
}

TEST(TokenBucket, ACostOfSeveralTokensIsAllOrNothing) {
    State state;
    EXPECT_TRUE(take_at(two_per_second, state, start, 20).allowed);
    const Decision refused = take_at(two_per_second, state, start, 11);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.remaining, 10U);
    EXPECT_EQ(refused.retry_after, milliseconds(500));
    EXPECT_TRUE(take_at(two_per_second, state, start, 10).allowed);
}

TEST(TokenBucket, ACostAboveTheBurstIsRefusedForEver) {
    State state;
    const Decision d = take_at(two_per_second, state, start, 31);
    EXPECT_FALSE(d.allowed);
    EXPECT_EQ(d.retry_after, Duration::max());
    EXPECT_FALSE(take_at(two_per_second, state, start + hours(24 * 365), UINT64_MAX).allowed);
    EXPECT_EQ(state.idle_at, Instant{});
}

TEST(TokenBucket, AnUnevenEmissionIsRoundedAgainstTheClient) {
    const Quota seven{.quota = 7, .window = seconds(1), .burst = 1};
    EXPECT_EQ(seven.emission(), nanoseconds(142'857'143));
    EXPECT_GE(seven.emission() * 7, seven.window);
    const Quota absurd{.quota = UINT64_MAX, .window = seconds(1), .burst = 1};
    EXPECT_EQ(absurd.emission(), nanoseconds(1));
}

TEST(TokenBucket, AClockThatWasReadALittleEarlierOnlyErrsAgainstTheClient) {
    State state;
    take_at(two_per_second, state, start, 30);
    const Decision d = take_at(two_per_second, state, start - milliseconds(3));
    EXPECT_FALSE(d.allowed);
    EXPECT_EQ(d.retry_after, milliseconds(503));
}

TEST(TokenBucket, YearsDoNotOverflow) {
    constexpr auto year = hours(24 * 365);
    State state;
    for (int age = 0; age <= 200; ++age) {
        const Instant now = Instant{} + year * age;
        const Decision d = take_at(two_per_second, state, now);
        ASSERT_TRUE(d.allowed) << age;
        ASSERT_EQ(d.remaining, 29U) << age;
    }
    State slow_state;
    const Quota slow{.quota = 1, .window = year * 50, .burst = 1'000'000'000};
    const Decision first = take_at(slow, slow_state, Instant{} + year * 200);
    EXPECT_TRUE(first.allowed)
        << "its burst would take 50 thousand million years to come back; it counts as 73 of them";
    const Decision second = take_at(slow, slow_state, Instant{} + year * 200);
    EXPECT_FALSE(second.allowed);
    EXPECT_GT(second.retry_after, year * 20);
    EXPECT_LT(second.retry_after, year * 50);
}

// --- Properties

TEST(TokenBucketProperty, NoWindowHoldsMoreThanBurstAndRateAllow) {
    EXPECT_TRUE(rc::check([] {
        const Quota rate = any_bucket();
        State state;
        Instant now = start;
        std::vector<Instant> granted;
        for (const Duration step : any_steps(rate)) {
            now += step;
            for (int tries = 0; tries < 3; ++tries)
                if (take_at(rate, state, now).allowed) granted.push_back(now);
        }
        for (std::size_t from = 0; from < granted.size(); ++from)
            for (std::size_t to = from; to < granted.size(); ++to) {
                const auto beyond_burst =
                    static_cast<std::int64_t>(to - from + 1) - static_cast<std::int64_t>(rate.burst);
                const auto quota_ns = static_cast<std::int64_t>(rate.quota) * (granted[to] - granted[from]).count();
                RC_ASSERT(beyond_burst * rate.window.count() <= quota_ns);
            }
    }));
}

TEST(TokenBucketProperty, RetryAfterIsExact) {
    EXPECT_TRUE(rc::check([] {
        const Quota rate = any_bucket();
        State state;
        Instant now = start;
        for (const Duration step : any_steps(rate)) {
            now += step;
            const auto cost = *rc::gen::inRange<std::uint64_t>(1, rate.burst + 1);
            const Decision d = take_at(rate, state, now, cost);
            if (d.allowed) continue;
            RC_ASSERT(d.retry_after > Duration::zero());
            RC_ASSERT(!would_allow(rate, state, now + d.retry_after - nanoseconds(1), cost));
            RC_ASSERT(would_allow(rate, state, now + d.retry_after, cost));
        }
    }));
}

TEST(TokenBucketProperty, RemainingAndResetTellTheTruth) {
    EXPECT_TRUE(rc::check([] {
        const Quota rate = any_bucket();
        State state;
        Instant now = start;
        for (const Duration step : any_steps(rate)) {
            now += step;
            const Decision d = take_at(rate, state, now, *rc::gen::inRange<std::uint64_t>(1, rate.burst + 2));
            RC_ASSERT(d.remaining == 0 || would_allow(rate, state, now, d.remaining));
            RC_ASSERT(!would_allow(rate, state, now, d.remaining + 1));
            RC_ASSERT(would_allow(rate, state, now + d.reset_after, rate.burst));
            if (d.reset_after > Duration::zero()) {
                RC_ASSERT(!would_allow(rate, state, now + d.reset_after - nanoseconds(1), rate.burst));
            }
        }
    }));
}

}  // namespace
}  // namespace etage::limit
