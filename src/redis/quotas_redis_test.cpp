// Limits on a real Redis. Where time matters see quotas_model_test.cpp; here windows are long and buckets fill slowly.

#include "redis/quotas.hpp"
#include "redis/real_redis_fixture.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace etage::redis {
namespace {

using limit::Algorithm;
using limit::Claim;
using limit::Grant;
using limit::Quota;
using testing::HasSubstr;

constexpr Quota bucket{.quota = 1, .window = 24h, .burst = 10};
constexpr Quota fixed{.quota = 10, .window = 24h * 365 * 30, .algorithm = Algorithm::fixed_window};
constexpr Quota sliding{.quota = 10, .window = 24h * 365 * 30, .algorithm = Algorithm::sliding_window};

class QuotasOnRedis : public RealRedis {
protected:
    void SetUp() override {
        RealRedis::SetUp();
        if (made_) quotas_.emplace(client(), "test", [] { return 3U; });
    }

    Result<std::vector<Grant>> try_take(std::vector<Claim> claims, Duration patience = 2s) {
        return run(quotas_->take(claims, now() + patience));
    }
    std::vector<Grant> take(std::vector<Claim> claims) {
        auto grants = try_take(claims);
        EXPECT_TRUE(grants) << grants.error().what;
        return grants ? *grants : std::vector<Grant>(claims.size());
    }
    Grant take(const Claim& claim) { return take(std::vector{claim}).front(); }
    std::vector<std::uint64_t> granted(std::vector<Claim> claims) {
        std::vector<std::uint64_t> out;
        for (const Grant& grant : take(std::move(claims))) out.push_back(grant.granted);
        return out;
    }
    /// How much is left, without taking any.
    std::uint64_t left(const Quota& quota, std::string_view name) {
        const auto used = take({.quota = quota, .name = name, .need = 0, .want = 0}).used;
        if (quota.algorithm != Algorithm::token_bucket) return quota.quota - used.current;
        const Duration full = quota.emission() * static_cast<std::int64_t>(quota.burst);
        return static_cast<std::uint64_t>(std::max((full - used.idle_after) / quota.emission(), std::int64_t{0}));
    }

    std::optional<RedisQuotas> quotas_;
};

TEST_F(QuotasOnRedis, EveryAlgorithmGrantsWhatThereIs) {
    for (const auto& [quota, name] : {std::pair{bucket, "b"}, std::pair{fixed, "f"}, std::pair{sliding, "s"}}) {
        SCOPED_TRACE(name);
        EXPECT_EQ(take({.quota = quota, .name = name, .need = 1, .want = 4}).granted, 4U);
        EXPECT_EQ(take({.quota = quota, .name = name, .need = 6, .want = 6}).granted, 6U);
        const Grant refused = take({.quota = quota, .name = name});
        EXPECT_EQ(refused.granted, 0U);
        EXPECT_GT(refused.used.idle_after, 0s);
        EXPECT_EQ(refused.used.current, quota.algorithm == Algorithm::token_bucket ? 0U : 10U);
        EXPECT_EQ(take({.quota = quota, .name = "another"}).granted, 1U);
        say({"DEL", "{test:limits}:another"});
    }
}

TEST_F(QuotasOnRedis, WhatIsLeftIsTakenUnlessMoreIsNeeded) {
    EXPECT_EQ(take({.quota = bucket, .name = "a", .need = 3, .want = 100}).granted, 10U);
    EXPECT_EQ(take({.quota = bucket, .name = "b", .need = 11, .want = 100}).granted, 0U) << "never";
    EXPECT_EQ(left(bucket, "b"), 10U);
    EXPECT_EQ(take({.quota = bucket, .name = "b", .need = 5, .want = 2}).granted, 5U);
}

TEST_F(QuotasOnRedis, AllOrNothing) {
    take({.quota = fixed, .name = "spent", .need = 10, .want = 10});
    EXPECT_EQ(
        granted({{.quota = bucket, .name = "a"}, {.quota = fixed, .name = "spent"}, {.quota = sliding, .name = "c"}}),
        (std::vector<std::uint64_t>{0, 0, 0}));
    EXPECT_EQ(left(bucket, "a"), 10U);
    EXPECT_EQ(left(sliding, "c"), 10U);
    EXPECT_EQ(granted({{.quota = bucket, .name = "a", .want = 3}, {.quota = sliding, .name = "c"}}),
              (std::vector<std::uint64_t>{3, 1}));
    EXPECT_EQ(take(std::vector<Claim>()).size(), 0U) << "nothing is asked";
}

TEST_F(QuotasOnRedis, ADryRunHindersNobodyAndIsHindered) {
    take({.quota = fixed, .name = "spent", .need = 10, .want = 10});
    const Claim dry{.quota = fixed, .name = "spent", .binding = false};
    EXPECT_EQ(granted({dry, {.quota = bucket, .name = "a"}}), (std::vector<std::uint64_t>{0, 1}));
    EXPECT_EQ(granted({{.quota = sliding, .name = "dry", .binding = false}, {.quota = fixed, .name = "spent"}}),
              (std::vector<std::uint64_t>{0, 0}));
    EXPECT_EQ(left(sliding, "dry"), 10U);
}

TEST_F(QuotasOnRedis, ANeedOfNothingAsksWhetherThereIsAnythingLeft) {
    const Claim asks{.quota = bucket, .name = "a", .need = 0, .want = 0};
    EXPECT_EQ(granted({asks, {.quota = fixed, .name = "b"}}), (std::vector<std::uint64_t>{0, 1}));
    take({.quota = bucket, .name = "a", .need = 10, .want = 10});
    EXPECT_EQ(granted({asks, {.quota = fixed, .name = "b"}}), (std::vector<std::uint64_t>{0, 0}));
    EXPECT_EQ(left(fixed, "b"), 9U);
}

TEST_F(QuotasOnRedis, AtLeastRaisesAndNeverLowers) {
    Claim claim{.quota = bucket, .name = "b", .need = 0, .want = 0};
    claim.at_least = {.idle_after = 24h * 4};
    EXPECT_EQ(take(claim).used.idle_after, 24h * 4);
    claim.at_least = {.idle_after = 24h};
    EXPECT_GT(take(claim).used.idle_after, 24h * 4 - 1min);
    for (const Quota& quota : {fixed, sliding}) {
        Claim windows{.quota = quota, .name = quota.algorithm == Algorithm::fixed_window ? "f" : "s"};
        const Grant first = take(windows);
        windows.need = windows.want = 0;
        windows.at_least = {first.used.idle_after, 7, 3};
        Grant raised = take(windows);
        EXPECT_EQ(raised.used.current, 7U);
        EXPECT_EQ(raised.used.previous, quota.algorithm == Algorithm::fixed_window ? 0U : 3U);
        windows.at_least = {first.used.idle_after, 2, 1};
        EXPECT_EQ(take(windows).used.current, 7U);
        windows.at_least = {Duration::zero(), 9, 9};
        EXPECT_EQ(take(windows).used.current, 7U) << "of a window that has ended";
    }
}

TEST_F(QuotasOnRedis, TheOrderIsAtLeastThenBackThenDebt) {
    Claim claim{.quota = bucket, .name = "b", .need = 0, .want = 0, .back = 2, .debt = 1};
    claim.at_least = {.idle_after = 24h * 5};
    EXPECT_EQ(take(claim).used.idle_after, 24h * 4);
    claim = {.quota = bucket, .name = "b", .need = 0, .want = 0, .back = 100, .debt = 3};
    EXPECT_EQ(take(claim).used.idle_after, 24h * 3) << "no more comes back than was used";
    EXPECT_EQ(take({.quota = bucket, .name = "b", .need = 7, .want = 7}).granted, 7U);
}

TEST_F(QuotasOnRedis, ADebtIsChargedWhateverIsLeft) {
    for (const auto& [quota, name] : {std::pair{bucket, "b"}, std::pair{fixed, "f"}, std::pair{sliding, "s"}}) {
        SCOPED_TRACE(name);
        EXPECT_EQ(take({.quota = quota, .name = name, .debt = 25}).granted, 0U);
        EXPECT_EQ(take({.quota = quota, .name = name, .back = 15}).granted, 0U);
        EXPECT_EQ(take({.quota = quota, .name = name, .back = 1}).granted, 1U);
    }
}

TEST_F(QuotasOnRedis, RefusedClaimsStillSettle) {
    EXPECT_EQ(
        granted({{.quota = bucket, .name = "a", .need = 11, .debt = 4}, {.quota = fixed, .name = "b", .debt = 2}}),
        (std::vector<std::uint64_t>{0, 0}));
    EXPECT_EQ(left(bucket, "a"), 6U);
    EXPECT_EQ(left(fixed, "b"), 8U);
}

TEST_F(QuotasOnRedis, KeysGoWhenNothingIsUsed) {
    take({.quota = {.quota = 10, .window = 10s, .burst = 10}, .name = "b", .need = 5, .want = 5});
    const auto ttl = say({"PTTL", "{test:limits}:b"}).integer;
    EXPECT_GT(ttl, 5000);
    EXPECT_LE(ttl, 6000);
    take({.quota = {.quota = 10, .window = 10s, .burst = 10}, .name = "b", .need = 0, .want = 0, .back = 5});
    EXPECT_EQ(say({"EXISTS", "{test:limits}:b"}).integer, 0);
    for (const auto algorithm : {Algorithm::fixed_window, Algorithm::sliding_window}) {
        const Quota quota{.quota = 10, .window = 10s, .algorithm = algorithm};
        const Grant grant = take({.quota = quota, .name = "w"});
        const auto lives = std::chrono::milliseconds(say({"PTTL", "{test:limits}:w"}).integer);
        EXPECT_LE(lives, grant.used.idle_after + 1001ms);
        EXPECT_GT(lives, grant.used.idle_after - 1s);
        take({.quota = quota, .name = "w", .need = 0, .want = 0, .back = 1});
        EXPECT_EQ(say({"EXISTS", "{test:limits}:w"}).integer, 0);
    }
    take({.quota = bucket, .name = "never", .need = 11});
    EXPECT_EQ(say({"DBSIZE"}).integer, 0) << "who asks for what there never is leaves nothing behind";
}

TEST_F(QuotasOnRedis, AForeignValueIsNothingUsedAndReplaced) {
    const std::string key = "{test:limits}:a";
    const std::vector<std::vector<std::string>> deeds = {{"SET", key, "nonsense"},
                                                         {"SET", key, ""},
                                                         {"SET", key, "bucket 1 2"},
                                                         {"SET", key, "windows x 2 3"},
                                                         {"SET", key, "bucket 99999999999999999999999 0 ns"},
                                                         {"SET", key, "windows 99999999999999999999999 0 0"},
                                                         {"SET", key, "bucket -1 -5 us"},
                                                         {"HSET", key, "a", "b"},
                                                         {"XADD", key, "*", "a", "b"},
                                                         {"SADD", key, "a"},
                                                         {"SETBIT", key, "7", "1"}};
    for (const auto& deed : deeds) {
        for (const Quota& quota : {bucket, fixed, sliding}) {
            SCOPED_TRACE(testing::PrintToString(deed));
            say({"DEL", key});
            say(deed);
            EXPECT_EQ(take({.quota = quota, .name = "a", .want = 7}).granted, 7U);
            EXPECT_EQ(take({.quota = quota, .name = "a", .want = 7}).granted, 3U);
        }
    }
}

TEST_F(QuotasOnRedis, ALimitThatBecomesAnotherBeginsAnew) {
    EXPECT_EQ(take({.quota = bucket, .name = "a", .want = 10}).granted, 10U);
    EXPECT_EQ(take({.quota = fixed, .name = "a", .want = 10}).granted, 10U);
    EXPECT_EQ(take({.quota = sliding, .name = "a", .want = 10}).granted, 0U) << "windows are windows";
    EXPECT_EQ(take({.quota = bucket, .name = "a", .want = 10}).granted, 10U);
    Quota faster = bucket;
    faster.window = 12h;
    EXPECT_EQ(take({.quota = faster, .name = "a"}).used.idle_after / 1h, 239) << "time that is used stays used";
}

TEST_F(QuotasOnRedis, AScriptThatIsForgottenIsSentAgain) {
    EXPECT_EQ(take({.quota = bucket, .name = "a", .want = 4}).granted, 4U);
    say({"SCRIPT", "FLUSH"});
    EXPECT_EQ(take({.quota = bucket, .name = "a", .want = 4}).granted, 4U);
    EXPECT_EQ(left(bucket, "a"), 2U);
}

TEST_F(QuotasOnRedis, ARestartedServerHasForgottenWhatWasUsedAndIsReminded) {
    const Grant before = take({.quota = fixed, .name = "a", .want = 8});
    server_->stop(SIGKILL);
    const auto failed = try_take({{.quota = fixed, .name = "a"}}, 100ms);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().blame, Blame::remote_store);
    EXPECT_TRUE(until([&] { return !try_take({{.quota = fixed, .name = "b"}}, 20ms) && quotas_->away(); }));
    server_->start();
    EXPECT_TRUE(answers());
    EXPECT_FALSE(quotas_->away());
    EXPECT_EQ(take({.quota = fixed, .name = "a", .want = 8, .at_least = before.used}).granted, 2U);
}

TEST_F(QuotasOnRedis, AReplicaGrantsNothing) {
    take({.quota = bucket, .name = "a"});
    say({"REPLICAOF", "127.0.0.1", "1"});
    const auto grants = try_take({{.quota = bucket, .name = "a"}});
    ASSERT_FALSE(grants);
    EXPECT_EQ(grants.error().blame, Blame::remote_store);
    EXPECT_THAT(grants.error().what, HasSubstr("READONLY"));
}

TEST_F(QuotasOnRedis, AFullServerGrantsNothing) {
    say({"CONFIG", "SET", "maxmemory", "1"});
    const auto grants = try_take({{.quota = bucket, .name = "a"}});
    ASSERT_FALSE(grants);
    EXPECT_THAT(grants.error().what, HasSubstr("OOM"));
    say({"CONFIG", "SET", "maxmemory", "0"});
    EXPECT_EQ(left(bucket, "a"), 10U);
}

TEST_F(QuotasOnRedis, AFrozenServerCostsNoMoreThanTheDeadline) {
    take({.quota = bucket, .name = "a"});
    server_->signal(SIGSTOP);
    const Instant began = now();
    EXPECT_FALSE(try_take({{.quota = bucket, .name = "a"}}, 50ms));
    EXPECT_GE(now() - began, 50ms);
    server_->signal(SIGCONT);
    EXPECT_TRUE(answers());
    EXPECT_LE(left(bucket, "a"), 9U) << "nobody knows whether it was taken";
}

TEST_F(QuotasOnRedis, HugeCounts) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    const Quota vast{.quota = 1'000'000, .window = 1s, .burst = 1'000'000'000'000};
    EXPECT_EQ(take({.quota = vast, .name = "v", .want = most}).granted, 1'000'000'000'000U);
    EXPECT_EQ(take({.quota = vast, .name = "d", .debt = most}).granted, 0U);
    EXPECT_EQ(take({.quota = vast, .name = "d", .back = most}).granted, 1U);
    for (const auto algorithm : {Algorithm::fixed_window, Algorithm::sliding_window, Algorithm::token_bucket}) {
        SCOPED_TRACE(static_cast<int>(algorithm));
        const Quota all{.quota = most, .window = Duration::max(), .burst = most, .algorithm = algorithm};
        const std::string name = "all" + std::to_string(static_cast<int>(algorithm));
        EXPECT_GT(take({.quota = all, .name = name}).granted, 0U);
        EXPECT_EQ(take({.quota = all, .name = name, .debt = most}).granted, 0U);
        EXPECT_EQ(take({.quota = all, .name = name, .need = most}).granted, 0U);
    }
    const Quota rare{.quota = 1, .window = Duration::max(), .burst = most};
    EXPECT_EQ(take({.quota = rare, .name = "rare"}).granted, 0U) << "a bucket of 73 years, a token in 292";
}

TEST_F(QuotasOnRedis, ABucketOfAYearCountsMicroseconds) {
    const Quota year{.quota = 365'000, .window = 24h * 365, .burst = 365'000};
    const Grant grant = take({.quota = year, .name = "y", .want = 365'000});
    EXPECT_EQ(grant.granted, 365'000U);
    EXPECT_EQ(grant.used.idle_after, 24h * 365);
    EXPECT_EQ(take({.quota = year, .name = "y"}).granted, 0U);
    EXPECT_THAT(say({"GET", "{test:limits}:y"}).text, testing::MatchesRegex("bucket [0-9]+ 31536000000000 us"));
    const Quota week{.quota = 7000, .window = 24h * 7, .burst = 7000};
    EXPECT_GT(take({.quota = week, .name = "y", .back = 364'000 / 365 * 365}).used.idle_after, 0s) << "another unit";
}

TEST_F(QuotasOnRedis, OneRoundTripForAllClaims) {
    take({.quota = bucket, .name = "a"});
    const auto before = metrics_.sum(base::Counter::redis_commands);
    take({{.quota = bucket, .name = "a"}, {.quota = fixed, .name = "b"}, {.quota = sliding, .name = "c"}});
    EXPECT_EQ(metrics_.sum(base::Counter::redis_commands), before + 1);
}

TEST_F(QuotasOnRedis, SeveralThreadsGetNoMoreThanThereIs) {
    const Quota shared{.quota = 1, .window = 24h, .burst = 500};
    std::atomic<std::uint64_t> sum{0};
    std::vector<std::unique_ptr<asio::io_context>> loops;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            asio::io_context& loop = *loops.emplace_back(std::make_unique<asio::io_context>());
            threads.emplace_back([&, t] {
                int left = 4;
                const auto work = [&, t]() -> asio::awaitable<void> {
                    for (int i = 0; i < 50; ++i) {
                        const Claim claims[] = {{.quota = shared, .name = "a", .want = 3},
                                                {.quota = fixed, .name = "mine", .need = 0, .want = 0}};
                        const auto grants = co_await quotas_->take(claims, base::TimerClock::now() + 5s);
                        EXPECT_TRUE(grants) << t;
                        if (grants) sum += grants->front().granted;
                    }
                };
                for (int c = 0; c < 4; ++c) asio::co_spawn(loop, work, [&left](const std::exception_ptr&) { --left; });
                while (left > 0) loop.run_one();
            });
        }
    }
    client().let_go();
    loops.clear();
    EXPECT_EQ(sum, 500U);
}

}  // namespace
}  // namespace etage::redis
