// The script of the limits on a real Redis, but on a clock of the test: against exact models, and against limit::take.

#include "limit/common_count_fixture.hpp"
#include "redis/quotas_script.hpp"
#include "redis/real_redis_fixture.hpp"

#include <random>

namespace etage::redis {
namespace {

using limit::Algorithm;
using limit::Claim;
using limit::Grant;
using limit::Quota;
using limit::State;

__extension__ typedef __int128 Wide;

void replace(std::string& text, std::string_view what, std::string_view with) {
    const std::size_t at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
}

/// Told the time instead of asking for it; and its keys outlive the test.
const Script& script_on_a_clock() {
    static const std::string source = [] {
        std::string text(quotas_script().source());
        replace(text, "redis.call('TIME')", "{ARGV[#ARGV - 1], ARGV[#ARGV]}");
        replace(text, "spare = 1000", "spare = 100000000");
        return text;
    }();
    static const Script script(source);
    return script;
}

class QuotasModel : public RealRedis {
protected:
    std::vector<Grant> take(std::span<const Claim> claims) {
        std::vector<std::string> keys;
        for (const Claim& claim : claims) keys.emplace_back(claim.name);
        auto arguments = quotas_arguments(claims);
        arguments.push_back(std::to_string(us_ / 1'000'000));
        arguments.push_back(std::to_string(us_ % 1'000'000));
        const auto reply = run(client().run(script_on_a_clock(), keys, arguments, RealRedis::now() + 5s));
        EXPECT_TRUE(reply) << reply.error().what;
        auto grants = reply ? parse_grants(claims, *reply) : std::vector<Grant>(claims.size());
        EXPECT_TRUE(grants) << grants.error().what;
        return grants ? *grants : std::vector<Grant>(claims.size());
    }
    std::uint64_t take(const Quota& quota, std::uint64_t want, std::uint64_t need = 1) {
        const Claim claim{.quota = quota, .name = "one", .need = need, .want = want};
        return take({&claim, 1}).front().granted;
    }
    void pass(Duration time) { us_ += time / 1us; }
    void begin_anew() {
        say({"FLUSHALL"});
        us_ = start_us;
    }
    /// The same moment for limit::take.
    Now moment() const {
        return {Instant(1h + std::chrono::microseconds(us_ - start_us)),
                WallTime(std::chrono::seconds(us_ / 1'000'000))};
    }
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    static constexpr std::int64_t start_us = 1'764'000'000'000'000;
    std::int64_t us_ = start_us;
    std::mt19937_64 random_{4711};
};

/// Exact: tokens times the window in ns, so that nothing is rounded.
struct ExactBucket {
    Quota quota;
    Wide full = Wide{quota.burst} * quota.window.count();
    Wide level = full;

    void pass(Duration time) { level = std::min(full, level + Wide{time.count()} * Wide{quota.quota}); }
    void spend(std::uint64_t tokens) { level -= Wide{tokens} * quota.window.count(); }
};

constexpr Quota buckets[] = {
    {.quota = 1'000'000, .window = 1s, .burst = 1000},
    {.quota = 3'000'000, .window = 1s, .burst = 10},
    {.quota = 1'000'000'000, .window = 1s, .burst = 1},
    {.quota = 999'983, .window = 1s, .burst = 5'000'000},
    {.quota = 7, .window = 1min, .burst = 3},
    {.quota = 1000, .window = 24h, .burst = 100},
    {.quota = 365'001, .window = 24h * 365, .burst = 400'000},
    {.quota = 3, .window = 24h * 365, .burst = 3},
};

TEST_F(QuotasModel, ABucketNeverGrantsMoreThanItsRateAndBurst) {
    for (const Quota& quota : buckets) {
        SCOPED_TRACE(std::to_string(quota.quota) + " in " + std::to_string(quota.window / 1s) + " s");
        begin_anew();
        ExactBucket exact{quota};
        for (int i = 0; i < 250; ++i) {
            const auto time =
                std::chrono::microseconds(below(2 * static_cast<std::uint64_t>(quota.emission() / 1us) + 5));
            pass(time);
            exact.pass(time);
            exact.spend(take(quota, 1 + below(below(2) == 0 ? 3 : quota.burst + 2)));
            ASSERT_GE(exact.level, 0) << "after " << i;
        }
    }
}

TEST_F(QuotasModel, ABucketThatIsDrainedGivesBackHardlyLess) {
    for (const Quota& quota : buckets) {
        SCOPED_TRACE(std::to_string(quota.quota) + " in " + std::to_string(quota.window / 1s) + " s");
        begin_anew();
        Wide granted = take(quota, quota.burst);
        EXPECT_EQ(granted, quota.burst);
        Duration passed{};
        // Never so long that it is full again.
        const Duration full = quota.emission() * static_cast<std::int64_t>(std::min<std::uint64_t>(quota.burst, 1000));
        for (int i = 0; i < 250; ++i) {
            const auto time = std::chrono::microseconds(below(static_cast<std::uint64_t>(full / 1us) / 2 + 1));
            pass(time);
            passed += time;
            granted += take(quota, quota.burst);
        }
        // Its emission is rounded up to a nanosecond; of one that fills for over 52 days to a microsecond.
        const bool is_slow = quota.emission() * static_cast<std::int64_t>(quota.burst) > 24h * 52;
        const Duration emission =
            is_slow ? std::chrono::ceil<std::chrono::microseconds>(quota.emission()) : quota.emission();
        const bool fills_up = quota.burst == 1;
        EXPECT_TRUE(fills_up || granted >= quota.burst + static_cast<std::uint64_t>(passed / emission) - 1);
        const Wide all = Wide{quota.burst} * quota.window.count() + Wide{passed.count()} * Wide{quota.quota};
        EXPECT_LE(granted * quota.window.count(), all);
    }
}

TEST_F(QuotasModel, AFixedWindowGrantsItsQuotaInEachMultipleOfItsLength) {
    for (const Quota& quota : {Quota{.quota = 5, .window = 7s, .algorithm = Algorithm::fixed_window},
                               Quota{.quota = 1000, .window = 1ms, .algorithm = Algorithm::fixed_window},
                               Quota{.quota = 40, .window = 24h, .algorithm = Algorithm::fixed_window}}) {
        begin_anew();
        const std::int64_t length = quota.window / 1us;
        std::int64_t window = us_ / length;
        std::uint64_t sum = 0;
        for (int i = 0; i < 200; ++i) {
            sum += take(quota, 1 + below(quota.quota / 3));
            ASSERT_LE(sum, quota.quota);
            pass(std::chrono::microseconds(below(static_cast<std::uint64_t>(length) / 3)));
            if (us_ / length == window) continue;
            window = us_ / length;
            sum = 0;
            if (below(2) == 0) us_ = window * length;  // its first moment
            EXPECT_EQ(take(quota, quota.quota + 1), quota.quota);
            EXPECT_EQ(take(quota, 1), 0U);
            us_ = (window + 1) * length - 1;  // its last
            EXPECT_EQ(take(quota, 1), 0U);
            us_ += 1;
            window += 1;
        }
    }
}

TEST_F(QuotasModel, ASlidingWindowWeighsTheOneBefore) {
    const Quota quota{.quota = 100, .window = 10s, .algorithm = Algorithm::sliding_window};
    EXPECT_EQ(take(quota, 1000), 100U);
    pass(10s);
    EXPECT_EQ(take(quota, 1000), 0U);
    pass(1us);
    EXPECT_EQ(take(quota, 1000), 0U) << "rounded against the client";
    pass(5s - 1us);
    EXPECT_EQ(take(quota, 1000), 50U);
    pass(5s);
    EXPECT_EQ(take(quota, 1000), 50U);
    pass(20s);
    EXPECT_EQ(take(quota, 1000), 100U);
}

TEST_F(QuotasModel, ASlidingWindowOfHugeCountsIsRoundedAgainstTheClient) {
    const Quota quota{.quota = 86'400'000'000'007, .window = 24h, .algorithm = Algorithm::sliding_window};
    for (int i = 0; i < 100; ++i) {
        begin_anew();
        us_ -= us_ % 86'400'000'000;
        const std::uint64_t first = take(quota, 1 + below(quota.quota));
        pass(24h);
        const std::int64_t passed = static_cast<std::int64_t>(below(86'400'000'000));
        us_ += passed;
        const Wide window = 86'400'000'000;
        const Wide weighs = (Wide{first} * (window - passed) + window - 1) / window;
        const std::uint64_t second = take(quota, quota.quota);
        EXPECT_LE(Wide{second} + weighs, quota.quota);
        EXPECT_GE(Wide{second} + weighs + 2, quota.quota);
    }
}

TEST_F(QuotasModel, AClockThatIsSetBackCostsABucketNothing) {
    const Quota quota{.quota = 1, .window = 1s, .burst = 10};
    EXPECT_EQ(take(quota, 10), 10U);
    us_ -= 3'600'000'000;
    EXPECT_EQ(take(quota, 10), 0U) << "and nothing comes of it";
    pass(1s);
    EXPECT_EQ(take(quota, 10), 1U);
    pass(5s);
    EXPECT_EQ(take(quota, 10), 5U);
}

TEST_F(QuotasModel, AClockThatIsSetBackCostsWindowsOne) {
    for (const auto algorithm : {Algorithm::fixed_window, Algorithm::sliding_window}) {
        const Quota quota{.quota = 10, .window = 10s, .algorithm = algorithm};
        begin_anew();
        EXPECT_EQ(take(quota, 4), 4U);
        pass(10s);
        const bool slides = algorithm == Algorithm::sliding_window;
        EXPECT_EQ(take(quota, 10), slides ? 6U : 10U);
        us_ -= 1'000'000;
        EXPECT_EQ(take(quota, 10), 0U) << "the window that has begun goes on";
        us_ = start_us - 3'600'000'000;
        EXPECT_EQ(take(quota, 10), 0U) << "what was counted last counts now";
        pass(30s);
        EXPECT_EQ(take(quota, 10), 10U);
    }
}

TEST_F(QuotasModel, WhatAnotherClockCallsTheLastWindowIsTheLastWindow) {
    const Quota quota{.quota = 10, .window = 10s, .algorithm = Algorithm::sliding_window};
    Claim claim{.quota = quota, .name = "one", .need = 0, .want = 0};
    EXPECT_EQ(take(quota, 1), 1U);
    claim.at_least = {10s + 1ms, 5, 3};  // by its clock the window is as good as over; here it has begun
    EXPECT_EQ(take({&claim, 1}).front().used.current, 1U);
    EXPECT_EQ(take({&claim, 1}).front().used.previous, 5U);
    pass(9999ms);
    claim.at_least = {20s, 7, 8};  // by its clock the next one has begun; here it has not
    EXPECT_EQ(take({&claim, 1}).front().used.current, 8U);
    EXPECT_EQ(take({&claim, 1}).front().used.previous, 5U);
}

// --- As limit::take decides

struct Known {
    Quota quota;
    std::string name;
    State other{};  // what somebody else has counted, while nobody could ask
};

Quota any_quota(std::mt19937_64& random) {
    const auto algorithm = static_cast<Algorithm>(random() % 3);
    if (algorithm != Algorithm::token_bucket)
        return {.quota = 1 + random() % 30, .window = std::chrono::seconds(2 + random() % 60), .algorithm = algorithm};
    return {.quota = 1 + random() % 1000,
            .window = std::chrono::milliseconds(1 + random() % 60'000),
            .burst = 1 + random() % 40};
}

Claim any_claim(Known& known, std::mt19937_64& random, Now now) {
    const auto seldom = [&](std::uint64_t n) { return random() % 5 == 0 ? random() % n : 0; };
    if (random() % 3 == 0) limit::take(known.quota, known.other, now, 1 + random() % 5);
    const std::uint64_t need = random() % 6;
    Claim claim{.quota = known.quota, .name = known.name, .need = need, .want = need + seldom(20)};
    claim.back = seldom(6);
    claim.debt = seldom(9);
    if (random() % 4 == 0) claim.at_least = limit::used(known.quota, known.other, now);
    claim.binding = random() % 4 != 0;
    return claim;
}

TEST_F(QuotasModel, DecidesAsLimitTake) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(seed);
        random_.seed(seed);
        us_ = start_us + static_cast<std::int64_t>(seed) * 3600'000'000;
        limit::testing::CommonCount common;
        std::vector<Known> known;
        for (std::uint64_t i = 0; i <= below(3); ++i)
            known.push_back({.quota = any_quota(random_), .name = std::to_string(seed) + ":" + std::to_string(i)});
        for (int step = 0; step < 30; ++step) {
            // Where windows begin, limit::take knows to a second only.
            pass(std::chrono::seconds(below(2) * below(20)));
            const Now now = moment();
            std::vector<Claim> claims;
            for (Known& each : known) claims.push_back(any_claim(each, random_, now));
            const auto grants = take(claims);
            const auto model = common.count(claims, now);
            for (std::size_t i = 0; i < claims.size(); ++i) {
                SCOPED_TRACE("step " + std::to_string(step) + ", claim " + std::to_string(i));
                ASSERT_EQ(grants[i].granted, model[i].granted);
                ASSERT_EQ(grants[i].used.idle_after, model[i].used.idle_after);
                ASSERT_EQ(grants[i].used.current, model[i].used.current);
                ASSERT_EQ(grants[i].used.previous, model[i].used.previous);
            }
        }
    }
}

}  // namespace
}  // namespace etage::redis
