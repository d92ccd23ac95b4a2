// Limits that four instances count together, in virtual time, against an exact reference (DESIGN §7). ETAGE_SEED=n runs
// another world.

#include "limits_simulation.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace etage::simulation {
namespace {

using limit::Algorithm;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::uint64_t seed() {
    const char* text = std::getenv("ETAGE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

constexpr std::uint64_t lease = 10;
constexpr std::size_t instances = 4;
constexpr double leases = double(lease * instances);

constexpr Quota bucket{.quota = 1000, .window = seconds(1), .burst = 200};
constexpr Quota slow_bucket{.quota = 100, .window = seconds(1), .burst = 100};
constexpr Quota fixed{.quota = 10'000, .window = seconds(10), .algorithm = Algorithm::fixed_window};
constexpr Quota sliding{.quota = 10'000, .window = seconds(10), .algorithm = Algorithm::sliding_window};

void print(const char* what, const LimitsSimulation& s, double utilisation) {
    std::printf("%-28s utilisation %6.2f %%, at worst %5.1f beyond, %.4f calls per decision, %llu failed, %llu alone\n",
                what, utilisation * 100, s.reference.beyond(), double(s.counts.calls) / double(s.counts.decisions),
                static_cast<unsigned long long>(s.counts.failed), static_cast<unsigned long long>(s.counts.alone));
}

struct Case {
    const char* name;
    Quota quota;
    std::vector<double> parts;
};

class Peace : public testing::TestWithParam<Case> {};

TEST_P(Peace, FourInstancesAtTwiceTheLimitUseItUpAndNoMore) {
    LimitsSimulation s({.seed = seed(), .quotas = {GetParam().quota}, .lease = lease, .parts = GetParam().parts});
    s.run(seconds(10));  // the burst is gone
    s.counts = {};
    s.run(seconds(100));
    const double utilisation = double(s.counts.allowed) / (s.reference.per_second() * 100);
    print(GetParam().name, s, utilisation);
    EXPECT_EQ(s.violation, "") << "ETAGE_SEED=" << seed();
    EXPECT_GE(utilisation, 0.97);
    EXPECT_LE(utilisation, 1.02);
    EXPECT_LE(s.reference.beyond(), leases);
    // Where more requests come during a call than are left to spend, each asks for itself: a larger lease is for that.
    const bool is_even = GetParam().parts.empty();
    EXPECT_LE(double(s.counts.calls) / double(s.counts.decisions), is_even ? 0.12 : 0.20);
}

INSTANTIATE_TEST_SUITE_P(Limits, Peace,
                         testing::Values(Case{"bucket", bucket, {}}, Case{"slow bucket", slow_bucket, {}},
                                         Case{"fixed window", fixed, {}}, Case{"sliding window", sliding, {}},
                                         Case{"bucket, one does most", bucket, {0.9, 0.05, 0.03, 0.02}},
                                         Case{"bucket, one does all", bucket, {1, 0, 0, 0}},
                                         Case{"fixed, one does most", fixed, {0.9, 0.05, 0.03, 0.02}},
                                         Case{"sliding, one does most", sliding, {0.9, 0.05, 0.03, 0.02}}),
                         [](const auto& made) {
                             std::string name = made.param.name;
                             std::erase_if(name, [](char c) { return c == ' ' || c == ','; });
                             return name;
                         });

TEST(Limits, BelowTheLimitNobodyIsRefused) {
    for (const Quota& quota : {bucket, fixed, sliding}) {
        LimitsSimulation s({.seed = seed(), .quotas = {quota}, .lease = lease, .demand = 0.8});
        s.run(seconds(60));
        print("at 80 %", s, double(s.counts.allowed) / double(s.counts.decisions));
        EXPECT_EQ(s.violation, "");
        EXPECT_EQ(s.counts.allowed, s.counts.decisions);
        EXPECT_LE(double(s.counts.calls) / double(s.counts.decisions), 0.13);
    }
}

/// Away for five seconds, at twice the limit all the time; the reference goes on counting.
double beyond_in_outage(const Quota& quota, bool says_at_least, std::uint64_t world) {
    LimitsSimulation s({.seed = world, .quotas = {quota}, .lease = lease, .says_at_least = says_at_least});
    s.run(seconds(13));
    s.counts = {};
    s.redis_away(true);
    s.run(seconds(5));
    const double alone = double(s.counts.allowed) / (s.reference.per_second() * 5);
    s.redis_away(false);
    s.run(seconds(15));
    print(says_at_least ? "outage and return" : "… without at_least", s, alone);
    EXPECT_EQ(s.violation, "") << "ETAGE_SEED=" << world;
    EXPECT_GE(double(s.counts.allowed) / (s.reference.per_second() * 20), 0.95);
    EXPECT_GT(s.counts.alone, 0U);
    return s.reference.beyond();
}

TEST(Limits, AnOutageAndItsEndAreNoBurst) {
    for (const Quota& quota : {bucket, slow_bucket, fixed, sliding})
        for (std::uint64_t world = seed(); world < seed() + 10; ++world) {
            EXPECT_LE(beyond_in_outage(quota, true, world), leases * 1.5) << "ETAGE_SEED=" << world;
        }
}

/// What is known everywhere is told to a count that has lost it.
double beyond_after_loss(const Quota& quota, bool says_at_least) {
    LimitsSimulation s({.seed = seed(), .quotas = {quota}, .lease = lease, .says_at_least = says_at_least});
    s.run(seconds(13));
    s.redis_restarts_empty();
    s.run(seconds(7));
    print(says_at_least ? "restart without data" : "… without at_least", s,
          double(s.counts.allowed) / (s.reference.per_second() * 20));
    return s.reference.beyond();
}

TEST(Limits, ACountThatIsLostIsNoBurst) {
    // Of a bucket 100 ms less are told than are known, and anything the others took within the last call's way.
    EXPECT_LE(beyond_after_loss(bucket, true), leases + 120);
    EXPECT_LE(beyond_after_loss(slow_bucket, true), leases + 12);
    EXPECT_LE(beyond_after_loss(fixed, true), leases);
    EXPECT_LE(beyond_after_loss(sliding, true), leases);
    EXPECT_GE(beyond_after_loss(bucket, false), 160);
    EXPECT_GE(beyond_after_loss(slow_bucket, false), 70);
    EXPECT_GE(beyond_after_loss(fixed, false), 4000);
    EXPECT_GE(beyond_after_loss(sliding, false), 4000);
}

/// Every few hundred milliseconds something happens.
struct Nemesis {
    bool losses = true, lives = true;
};
int rage(LimitsSimulation& s, Duration time, Nemesis nemesis) {
    int outages = 0;
    bool is_away = false;
    for (Duration passed{}; passed < time;) {
        const Duration step = milliseconds(100 + s.dice(400));
        s.run(step);
        passed += step;
        const auto what = s.dice(8);
        if (what == 0) {
            s.redis_away(true);
            outages += is_away ? 0 : 1;
            is_away = true;
        }
        if (what == 1 && nemesis.losses) s.lose(0.05);
        if (what == 2) s.delay(milliseconds(10));
        if (what == 3 && nemesis.lives) s.freeze(s.random_instance(), milliseconds(200 + s.dice(3000)));
        if (what == 4 && nemesis.lives) s.crash(s.random_instance());
        if (what < 6) continue;
        s.redis_away(is_away = false);
        s.lose(0);
        s.delay(milliseconds(1));
    }
    return outages;
}

TEST(Limits, WhateverHappensNoMoreIsSpentThanTheQuotaAndTheLeases) {
    for (const Quota& quota : {bucket, slow_bucket, fixed, sliding})
        for (std::uint64_t world = seed(); world < seed() + 2; ++world) {
            LimitsSimulation s({.seed = world, .quotas = {quota}, .lease = lease, .is_local = false});
            rage(s, seconds(200), {});
            print("anything, outage = closed", s, double(s.counts.allowed) / (s.reference.per_second() * 200));
            EXPECT_EQ(s.violation, "") << "ETAGE_SEED=" << world;
            EXPECT_LE(s.reference.beyond(), leases) << "ETAGE_SEED=" << world;
            EXPECT_GT(s.counts.failed, 1000U);
        }
}

TEST(Limits, EachOutageWithLocalPartsCostsALeaseOfEachAtMost) {
    for (const Quota& quota : {bucket, slow_bucket, fixed, sliding})
        for (std::uint64_t world = seed(); world < seed() + 2; ++world) {
            LimitsSimulation s({.seed = world, .quotas = {quota}, .lease = lease});
            const int outages = rage(s, seconds(200), {.losses = false, .lives = false});
            const double utilisation = double(s.counts.allowed) / (s.reference.per_second() * 200);
            print("outages, outage = local", s, utilisation);
            EXPECT_EQ(s.violation, "") << "ETAGE_SEED=" << world;
            EXPECT_LE(s.reference.beyond(), leases * outages * 1.2) << "ETAGE_SEED=" << world;
            EXPECT_GE(utilisation, 0.95);
            EXPECT_GT(outages, 20);
        }
}

TEST(Limits, ARequestThatOneLimitRefusesPaysNoOther) {
    const Quota tight{.quota = 300, .window = seconds(1), .algorithm = Algorithm::sliding_window};
    for (const std::uint64_t each : {std::uint64_t{1}, lease}) {
        LimitsSimulation s({.seed = seed(), .quotas = {bucket, tight}, .lease = each});
        s.run(seconds(30));
        EXPECT_EQ(s.violation, "");
        print("two limits", s, double(s.counts.allowed) / (300.0 * 30));
        EXPECT_GE(double(s.counts.allowed), 300 * 30 * 0.93);
        EXPECT_LE(double(s.counts.allowed), 300 * 30 * 1.02 + 300);
        EXPECT_GE(s.left(0) + s.leased(0), bucket.burst - 2 * lease) << "what is not let in is not paid";
    }
}

// --- Each protection is missed when it is off

std::string violation_of(LimitsSimulation::Options options) {
    options.seed = seed();
    options.lease = lease;
    options.is_local = false;
    LimitsSimulation s(std::move(options));
    rage(s, seconds(60), {});
    return s.violation;
}

TEST(Limits, WithoutOneOfTheProtectionsItShows) {
    const Quota tight{.quota = 300, .window = seconds(1), .algorithm = Algorithm::sliding_window};
    EXPECT_EQ(violation_of({.quotas = {bucket}}), "");
    EXPECT_EQ(violation_of({.quotas = {bucket, tight}}), "");
    EXPECT_NE(violation_of({.quotas = {bucket}, .leases_lapse = false}), "");
    EXPECT_NE(violation_of({.quotas = {bucket}, .one_call_at_a_time = false}), "");
    EXPECT_NE(violation_of({.quotas = {bucket, tight}, .all_or_nothing = false}), "");
    for (const Quota& quota : {bucket, slow_bucket, fixed, sliding})
        EXPECT_GT(beyond_in_outage(quota, false, seed()), leases * 2) << "what was spent alone is not told";
}

}  // namespace
}  // namespace etage::simulation
