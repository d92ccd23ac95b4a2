// Three instances, one log, one shared store and a Redis that is lost in every way, at random but from a seed, on
// virtual time, against an oracle that knows when everything began (DESIGN §4, failures). ETAGE_SEED=n runs another
// world.

#include "log_simulation_nemesis.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace etage::simulation {
namespace {

std::uint64_t seed() {
    const char* text = std::getenv("ETAGE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

void print(const LogSimulation::Counts& c) {
    const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
    std::printf(
        "%llu reads: %llu hits, %llu stale, %llu unsure, %llu blind, %llu dim, %llu with tokens; %llu fills, %llu "
        "shared, %llu joined; %llu acknowledged, %llu by all, %llu refused; %llu faults, %llu gaps, %llu "
        "histories, %llu lives\n",
        n(c.reads), n(c.hits), n(c.stale), n(c.unsure), n(c.blind), n(c.dim), n(c.tokens), n(c.fills), n(c.shared),
        n(c.joined), n(c.acknowledged), n(c.by_all), n(c.refused), n(c.faults), n(c.gaps), n(c.histories), n(c.cold));
}

class LogAtRandom : public testing::TestWithParam<bool> {};

TEST_P(LogAtRandom, NeverServesWhatTheOracleForbids) {
    const bool strict = GetParam();
    std::printf("ETAGE_SEED=%llu, %s\n", static_cast<unsigned long long>(seed()), strict ? "strict" : "available");
    LogSimulation simulation({.seed = seed(), .strict = strict});
    simulation.run(800'000);
    EXPECT_EQ(simulation.violation, "") << "ETAGE_SEED=" << seed();
    const auto& c = simulation.counts;
    print(c);
    // It must have been a world worth testing.
    EXPECT_GT(c.hits, c.reads / 10);
    for (const auto some : {c.unsure, c.shared, c.joined, c.tokens, c.acknowledged, c.by_all, c.refused})
        EXPECT_GT(some, 300U);
    for (const auto some : {c.faults, c.gaps, c.histories, c.cold}) EXPECT_GT(some, 20U);
    EXPECT_GT(strict ? c.blind : c.dim, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Coherence, LogAtRandom, testing::Bool());

TEST(LogAtRandom, InPeaceNothingIsRefusedAndNobodyIsBlind) {
    LogSimulation simulation({.seed = seed(), .nemesis = false});
    simulation.run(100'000);
    EXPECT_EQ(simulation.violation, "");
    print(simulation.counts);
    EXPECT_LT(simulation.counts.gaps + simulation.counts.histories, 3U);
    EXPECT_LT(simulation.counts.refused, simulation.counts.acknowledged / 20);
}

class PlantedBug : public testing::TestWithParam<int> {};

TEST_P(PlantedBug, IsCaught) {
    std::string found;
    std::uint64_t reads = 0;
    for (std::uint64_t s = 1; s <= 12 && found.empty(); ++s) {
        LogSimulation simulation({.seed = s, .mutant = static_cast<LogMutant>(GetParam()), .strict = s % 4 != 0});
        simulation.run(300'000);
        found = simulation.violation;
        reads += simulation.counts.reads;
    }
    EXPECT_NE(found, "");
    std::printf("mutant %d after %llu reads: %s\n", GetParam(), static_cast<unsigned long long>(reads), found.c_str());
}

INSTANTIATE_TEST_SUITE_P(Log, PlantedBug, testing::Range(1, log_mutants));

}  // namespace
}  // namespace etage::simulation
