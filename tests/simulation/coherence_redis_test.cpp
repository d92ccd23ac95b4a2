// Four instances and a Redis that is lost in every way, at random but from a seed, on virtual time, against an oracle
// that knows when everything began (DESIGN §4): a request that begins after an invalidation was acknowledged (on its
// instance; anywhere with wait=all or a token) is never answered by a response whose fill began before it. Every
// protection is switched off once, and the oracle must see it. ETAGE_SEED=n runs other worlds.

#include "coherence_redis_faults.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace etage::simulation {
namespace {

constexpr std::uint64_t worlds = 4;
constexpr std::uint64_t reads_per_world = 260'000;

std::uint64_t seed() {
    const char* text = std::getenv("ETAGE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

void print(const RedisSimulation::Counts& c) {
    const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
    std::printf(
        "%llu reads: %llu hits, %llu stale, %llu joined, %llu fills, %llu shared, %llu unsure, %llu confirmed, %llu "
        "blind, %llu with tokens, %llu timeouts\n",
        n(c.reads), n(c.hits), n(c.stale), n(c.joined), n(c.fills), n(c.shared), n(c.unsure), n(c.confirmed),
        n(c.blind), n(c.tokens), n(c.timeouts));
    std::printf(
        "  %llu acknowledged, %llu by all, %llu settled, %llu refused, %llu appended again, %llu overflows; %llu gaps, "
        "%llu histories, %llu batches not the next, %llu lives; faults:",
        n(c.acknowledged), n(c.by_all), n(c.settled), n(c.refused), n(c.twice), n(c.overflows), n(c.gaps),
        n(c.histories), n(c.not_next), n(c.lives));
    for (const std::uint64_t fault : c.faults) std::printf(" %llu", n(fault));
    std::printf("\n");
}

TEST(CoherenceWithRedis, NeverServesWhatTheOracleForbids) {
    decltype(RedisSimulation::Counts::faults) faults{};
    for (std::uint64_t world = seed(); world < seed() + worlds; ++world) {
        std::printf("ETAGE_SEED=%llu\n", static_cast<unsigned long long>(world));
        RedisSimulation simulation({.seed = world});
        simulation.run(reads_per_world);
        EXPECT_EQ(simulation.violation, "") << "ETAGE_SEED=" << world;
        const auto& c = simulation.counts;
        print(c);
        // It must have been a world worth testing.
        EXPECT_GT(c.hits, c.reads / 4);
        for (const auto some : {c.stale, c.joined, c.shared, c.confirmed, c.blind, c.tokens, c.acknowledged})
            EXPECT_GT(some, 500U);
        for (const auto some : {c.by_all, c.settled, c.refused, c.twice, c.timeouts, c.unsure}) EXPECT_GT(some, 4U);
        for (const auto some : {c.gaps, c.histories, c.lives, c.not_next}) EXPECT_GT(some, 4U);
        for (std::size_t fault = 0; fault < faults.size(); ++fault) faults[fault] += c.faults[fault];
    }
    for (const auto times : faults) EXPECT_GT(times, 0U);
}

TEST(CoherenceWithRedis, InPeaceNobodyIsBlindAndNothingIsLost) {
    RedisSimulation simulation({.seed = seed(), .has_faults = false});
    simulation.run(100'000);
    EXPECT_EQ(simulation.violation, "");
    print(simulation.counts);
    EXPECT_EQ(simulation.counts.histories, 1U);
    EXPECT_GT(simulation.counts.hits, simulation.counts.reads / 2);
}

TEST(CoherenceWithRedis, TheSameSeedIsTheSameWorld) {
    RedisSimulation one({.seed = 7});
    RedisSimulation two({.seed = 7});
    for (auto* simulation : {&one, &two}) simulation->run(20'000);
    EXPECT_EQ(one.counts.hits, two.counts.hits);
    EXPECT_EQ(one.counts.fills, two.counts.fills);
}

class Unguarded : public testing::TestWithParam<int> {};

TEST_P(Unguarded, IsCaught) {
    std::string found;
    std::uint64_t reads = 0;
    for (std::uint64_t world = 1; world <= 12 && found.empty(); ++world) {
        RedisSimulation simulation({.seed = world, .unprotected = static_cast<Unprotected>(GetParam())});
        simulation.run(reads_per_world);
        found = simulation.violation;
        reads += simulation.counts.reads;
    }
    EXPECT_NE(found, "");
    std::printf("protection %d, after %llu reads: %s\n", GetParam(), static_cast<unsigned long long>(reads),
                found.c_str());
}

INSTANTIATE_TEST_SUITE_P(Coherence, Unguarded, testing::Range(1, static_cast<int>(Unprotected::count)));

}  // namespace
}  // namespace etage::simulation
