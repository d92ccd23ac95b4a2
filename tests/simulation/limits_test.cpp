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

/// Every few hundred milliseconds something happens.
void rage(LimitsSimulation& s, Duration time, bool loses_data) {
    for (Duration passed{}; passed < time;) {
        const Duration step = milliseconds(100 + s.dice(400));
        s.run(step);
        passed += step;
        switch (s.dice(8)) {
            case 0: s.redis_away(true); break;
            case 1: s.lose(0.05); break;
            case 2: s.delay(milliseconds(10)); break;
            case 3: s.freeze(s.random_instance(), milliseconds(200 + s.dice(3000))); break;
            case 4: s.crash(s.random_instance()); break;
            case 5:
                if (loses_data) s.redis_restarts_empty();
                break;
            default:
                s.redis_away(false);
                s.lose(0);
                s.delay(milliseconds(1));
        }
    }
}

struct Rage {
    double beyond;
    std::string violation;
};
Rage rage(LimitsSimulation::Options options, bool loses_data) {
    LimitsSimulation s(std::move(options));
    s.run(seconds(10));
    rage(s, seconds(300), loses_data);
    print("anything", s, double(s.counts.allowed) / (s.reference.per_second() * 310));
    EXPECT_GT(s.counts.failed, 1000U);
    EXPECT_GT(s.counts.alone, 10'000U);
    return {s.reference.beyond(), s.violation};
}

TEST(Limits, WhateverHappensNothingIsSpentThatWasNotGranted) {
    for (const Quota& quota : {bucket, slow_bucket, fixed, sliding})
        for (std::uint64_t world = seed(); world < seed() + 3; ++world) {
            const auto [beyond, violation] = rage({.seed = world, .quotas = {quota}, .lease = lease}, false);
            EXPECT_EQ(violation, "") << "ETAGE_SEED=" << world;
            std::printf("%f\n", beyond);
        }
}

}  // namespace
}  // namespace etage::simulation
