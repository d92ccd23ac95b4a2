#include "limit/token_bucket.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

namespace etage::limit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Rate two_per_second{.quota = 120, .window = minutes(1), .burst = 30};
constexpr Instant start{hours(5)};

bool would_allow(const Rate& rate, Instant tat, Instant now, std::uint64_t cost = 1) {
    return take(rate, tat, now, cost).allowed;  // on a copy
}

TEST(TokenBucket, BeginsFullAndCountsDown) {
    Instant tat;
    for (std::uint64_t left = 30; left-- > 0;) {
        const Decision d = take(two_per_second, tat, start);
        EXPECT_TRUE(d.allowed);
        EXPECT_EQ(d.remaining, left);
        EXPECT_EQ(d.reset_after, milliseconds(500) * (30 - static_cast<int>(left)));
        EXPECT_EQ(d.retry_after, Duration::zero());
    }
    const Decision refused = take(two_per_second, tat, start);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.remaining, 0U);
    EXPECT_EQ(refused.retry_after, milliseconds(500));
    EXPECT_EQ(refused.reset_after, seconds(15));
}

TEST(TokenBucket, TokensComeBackOneByOne) {
    Instant tat;
    take(two_per_second, tat, start, 30);
    EXPECT_FALSE(would_allow(two_per_second, tat, start + milliseconds(500) - nanoseconds(1)));
    EXPECT_TRUE(take(two_per_second, tat, start + milliseconds(500)).allowed);
    EXPECT_FALSE(would_allow(two_per_second, tat, start + milliseconds(999)));
    EXPECT_TRUE(would_allow(two_per_second, tat, start + milliseconds(1000)));
}

TEST(TokenBucket, ARefusalCostsNothing) {
    Instant tat;
    take(two_per_second, tat, start, 30);
    const Instant before = tat;
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(take(two_per_second, tat, start).allowed);
    EXPECT_EQ(tat, before);
}

TEST(TokenBucket, ACostOfSeveralTokensIsAllOrNothing) {
    Instant tat;
    EXPECT_TRUE(take(two_per_second, tat, start, 20).allowed);
    const Decision refused = take(two_per_second, tat, start, 11);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.remaining, 10U);
    EXPECT_EQ(refused.retry_after, milliseconds(500));
    EXPECT_TRUE(take(two_per_second, tat, start, 10).allowed);
}

TEST(TokenBucket, ACostAboveTheBurstIsRefusedForEver) {
    Instant tat;
    const Decision d = take(two_per_second, tat, start, 31);
    EXPECT_FALSE(d.allowed);
    EXPECT_EQ(d.retry_after, Duration::max());
    EXPECT_FALSE(take(two_per_second, tat, start + hours(24 * 365), UINT64_MAX).allowed);
    EXPECT_EQ(tat, Instant{});
}

TEST(TokenBucket, AnUnevenEmissionIsRoundedAgainstTheClient) {
    const Rate seven{.quota = 7, .window = seconds(1), .burst = 1};
    EXPECT_EQ(seven.emission(), nanoseconds(142'857'143));
    EXPECT_GE(seven.emission() * 7, seven.window);
    const Rate absurd{.quota = UINT64_MAX, .window = seconds(1), .burst = 1};
    EXPECT_EQ(absurd.emission(), nanoseconds(1));
}

TEST(TokenBucket, AClockThatWasReadALittleEarlierOnlyErrsAgainstTheClient) {
    Instant tat;
    take(two_per_second, tat, start, 30);
    const Decision d = take(two_per_second, tat, start - milliseconds(3));
    EXPECT_FALSE(d.allowed);
    EXPECT_EQ(d.retry_after, milliseconds(503));
}

TEST(TokenBucket, YearsDoNotOverflow) {
    constexpr auto year = hours(24 * 365);
    Instant tat;
    for (int age = 0; age <= 200; ++age) {
        const Instant now = Instant{} + year * age;
        const Decision d = take(two_per_second, tat, now);
        ASSERT_TRUE(d.allowed) << age;
        ASSERT_EQ(d.remaining, 29U) << age;
    }
    Instant slow_tat;
    const Rate slow{.quota = 1, .window = year * 50, .burst = 1'000'000'000};
    const Decision first = take(slow, slow_tat, Instant{} + year * 200);
    EXPECT_TRUE(first.allowed)
        << "its burst would take 50 thousand million years to come back; it counts as 73 of them";
    const Decision second = take(slow, slow_tat, Instant{} + year * 200);
    EXPECT_FALSE(second.allowed);
    EXPECT_GT(second.retry_after, year * 20);
    EXPECT_LT(second.retry_after, year * 50);
}

// --- Properties

Rate any_rate() {
    return {.quota = *rc::gen::inRange<std::uint64_t>(1, 2000),
            .window = milliseconds(*rc::gen::inRange<int>(1, 3'600'000)),
            .burst = *rc::gen::inRange<std::uint64_t>(1, 40)};
}

/// Steps between arrivals: bursts at one instant, single nanoseconds, about an emission, long silences.
std::vector<Duration> any_steps(const Rate& rate) {
    const std::int64_t emission = rate.emission().count();
    return *rc::gen::container<std::vector<Duration>>(
        rc::gen::map(rc::gen::oneOf(rc::gen::just(std::int64_t{0}), rc::gen::inRange(std::int64_t{0}, std::int64_t{3}),
                                    rc::gen::inRange(std::int64_t{0}, emission * 2),
                                    rc::gen::inRange(std::int64_t{0}, emission * 60)),
                     [](std::int64_t ns) { return Duration(ns); }));
}

TEST(TokenBucketProperty, NoWindowHoldsMoreThanBurstAndRateAllow) {
    EXPECT_TRUE(rc::check([] {
        const Rate rate = any_rate();
        Instant tat;
        Instant now = start;
        std::vector<Instant> granted;
        for (const Duration step : any_steps(rate)) {
            now += step;
            for (int tries = 0; tries < 3; ++tries)
                if (take(rate, tat, now).allowed) granted.push_back(now);
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
        const Rate rate = any_rate();
        Instant tat;
        Instant now = start;
        for (const Duration step : any_steps(rate)) {
            now += step;
            const auto cost = *rc::gen::inRange<std::uint64_t>(1, rate.burst + 1);
            const Decision d = take(rate, tat, now, cost);
            if (d.allowed) continue;
            RC_ASSERT(d.retry_after > Duration::zero());
            RC_ASSERT(!would_allow(rate, tat, now + d.retry_after - nanoseconds(1), cost));
            RC_ASSERT(would_allow(rate, tat, now + d.retry_after, cost));
        }
    }));
}

TEST(TokenBucketProperty, RemainingAndResetTellTheTruth) {
    EXPECT_TRUE(rc::check([] {
        const Rate rate = any_rate();
        Instant tat;
        Instant now = start;
        for (const Duration step : any_steps(rate)) {
            now += step;
            const Decision d = take(rate, tat, now, *rc::gen::inRange<std::uint64_t>(1, rate.burst + 2));
            RC_ASSERT(d.remaining == 0 || would_allow(rate, tat, now, d.remaining));
            RC_ASSERT(!would_allow(rate, tat, now, d.remaining + 1));
            RC_ASSERT(would_allow(rate, tat, now + d.reset_after, rate.burst));
            if (d.reset_after > Duration::zero()) {
                RC_ASSERT(!would_allow(rate, tat, now + d.reset_after - nanoseconds(1), rate.burst));
            }
        }
    }));
}

// --- The table

TEST(BucketTable, ClientsDoNotShareBuckets) {
    BucketTable table;
    const Rate one{.quota = 1, .window = seconds(1), .burst = 1};
    for (std::uint64_t key = 0; key < 1000; ++key) EXPECT_TRUE(table.take(one, key << 30U, start).allowed);
    for (std::uint64_t key = 0; key < 1000; ++key) ASSERT_FALSE(table.take(one, key << 30U, start).allowed);
    EXPECT_EQ(table.size(), 1000U);
    EXPECT_EQ(table.buckets_forgotten(), 0U);
}

TEST(BucketTable, DecidesAsSingleBucketsWouldWhileThereIsRoom) {
    EXPECT_TRUE(rc::check([] {
        BucketTable table(std::size_t{1} << 12);
        std::map<std::uint64_t, Instant> exact;
        const Rate rate = any_rate();
        Instant now = start;
        for (const Duration step : any_steps(rate)) {
            now += step;
            const auto key = *rc::gen::inRange<std::uint64_t>(0, 20) * 0x9E37'79B9'7F4A'7C15U;
            const Decision d = table.take(rate, key, now);
            const Decision expected = take(rate, exact[key], now);
            RC_ASSERT(d.allowed == expected.allowed);
            RC_ASSERT(d.remaining == expected.remaining);
            RC_ASSERT(d.retry_after == expected.retry_after);
            RC_ASSERT(d.reset_after == expected.reset_after);
        }
        RC_ASSERT(table.buckets_forgotten() == 0U);
    }));
}

TEST(BucketTable, IsBoundedAndRoundsItsBoundDown) {
    EXPECT_EQ(BucketTable(0).buckets_max(), 8U);
    EXPECT_EQ(BucketTable(1000).buckets_max(), 512U);
    EXPECT_EQ(BucketTable().buckets_max(), std::size_t{1} << 20);
    BucketTable table(1000);
    const Rate one{.quota = 1, .window = hours(1), .burst = 1};
    for (std::uint64_t key = 1; key <= 20'000; ++key) table.take(one, key * 0x9E37'79B9'7F4A'7C15U, start);
    EXPECT_LE(table.size(), 512U);
    EXPECT_GT(table.size(), 400U);
    EXPECT_EQ(table.buckets_forgotten(), 20'000U - table.size());
}

TEST(BucketTable, IdleBucketsMakeRoomAndNobodyIsForgottenForThem) {
    BucketTable table(512);
    const Rate one{.quota = 1, .window = seconds(1), .burst = 1};
    Instant now = start;
    for (std::uint64_t round = 1; round <= 100; ++round, now += seconds(2))
        for (std::uint64_t key = 0; key < 8; ++key) EXPECT_TRUE(table.take(one, (round << 40U) | key, now).allowed);
    EXPECT_EQ(table.buckets_forgotten(), 0U);
}

TEST(BucketTable, WhoPressesHardestIsForgottenLast) {
    BucketTable table(8);
    const Rate rate{.quota = 60, .window = minutes(1), .burst = 10};
    constexpr std::uint64_t greedy = 7'000'000;
    while (table.take(rate, greedy, start).allowed) {
    }
    for (std::uint64_t key = 1; key <= 1000; ++key) EXPECT_TRUE(table.take(rate, key, start).allowed);
    EXPECT_FALSE(table.take(rate, greedy, start).allowed);
    EXPECT_EQ(table.buckets_forgotten(), 1000U - 7U);
    EXPECT_EQ(table.take(rate, 1, start).remaining, 9U) << "forgotten, so it has got its one token back";
}

TEST(BucketTable, TheKeyZeroIsAKeyLikeAnyOther) {
    BucketTable table(8);
    const Rate one{.quota = 1, .window = seconds(10), .burst = 1};
    EXPECT_TRUE(table.take(one, 5, start).allowed);
    EXPECT_TRUE(table.take(one, 0, start + seconds(9)).allowed);
    EXPECT_TRUE(table.take(one, 6, start + seconds(11)).allowed);
    EXPECT_FALSE(table.take(one, 0, start + seconds(12)).allowed);
    EXPECT_TRUE(table.take(one, 0, start + seconds(19)).allowed);
}

TEST(BucketTable, ThreadsTogetherGetOneBurst) {
    BucketTable table;
    const Rate rate{.quota = 1, .window = hours(1), .burst = 5000};
    std::atomic<int> granted{0};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < 5000; ++i) {
                if (table.take(rate, 42, start).allowed) granted.fetch_add(1, std::memory_order_relaxed);
                table.take(rate, (i * 4 + t) * 0x9E37'79B9'7F4A'7C15U, start);  // the shard grows meanwhile
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(granted.load(), 5000);
    EXPECT_EQ(table.buckets_forgotten(), 0U);
}

}  // namespace
}  // namespace etage::limit
