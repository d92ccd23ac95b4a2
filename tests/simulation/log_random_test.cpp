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
    simulation.run(500'000);
    EXPECT_EQ(simulation.violation, "") << "ETAGE_SEED=" << seed();
    const auto& c = simulation.counts;
    print(c);
    // It must have been a world worth testing.
    EXPECT_GT(c.hits, c.reads / 10);
    for (const auto some : {c.shared, c.joined, c.tokens, c.acknowledged, c.by_all, c.refused}) EXPECT_GT(some, 200U);
    for (const auto some : {c.unsure, c.faults, c.gaps, c.histories, c.cold}) EXPECT_GT(some, 4U);
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

TEST(LogAtRandom, WhenClocksDifferByMoreThanTheLeapOnlyTokensSuffer) {
    LogSimulation simulation({.seed = seed(), .wild_clocks = true});
    simulation.run(300'000);
    EXPECT_EQ(simulation.violation, "");
}

/// A protection that is missing, and the harm that brings it to light; none: any.
struct Bug {
    LogMutant mutant;
    const char* name;
    std::vector<Harm> harms{};
    bool wild_clocks = false;
    std::uint64_t world = 1;  // the first that is tried; of some it takes long to find one
};

const Bug bugs[] = {
    {LogMutant::a_gap_is_overlooked, "a gap is overlooked", {Harm::trim, Harm::cut, Harm::lag, Harm::freeze}},
    {LogMutant::another_history_is_read_on, "another history is read on", {Harm::failover, Harm::lag}, false, 4},
    {LogMutant::a_batch_is_not_checked, "a batch is not checked", {Harm::trim, Harm::lag, Harm::remove_log}},
    {LogMutant::another_server_is_taken_for_the_same,
     "another server is taken for the same",
     {Harm::failover, Harm::lag, Harm::lag, Harm::cut},
     false,
     11},
    {LogMutant::a_shorter_log_is_no_new_history,
     "a log that ends before what is known is no new history",
     {Harm::remove_log, Harm::kill, Harm::lag}},
    {LogMutant::a_new_history_does_not_leap,
     "a new history does not leap",
     {Harm::failover, Harm::lag, Harm::kill},
     false,
     8},
    {LogMutant::a_cold_reader_skips_what_is_retained, "a cold reader skips what is retained", {Harm::kill}},
    {LogMutant::below_the_floor_is_valid, "below the floor is valid"},
    {LogMutant::a_shared_position_is_a_repeat, "a shared position is a repeat", {Harm::crowded_millisecond}},
    {LogMutant::appends_to_any_history, "appended to any history"},
    {LogMutant::acknowledged_before_its_position_is_applied, "acknowledged before it is applied at its position"},
    {LogMutant::what_is_queued_does_not_hold, "what is queued does not hold", {Harm::refusal}},
    {LogMutant::what_was_not_recorded_is_dropped, "what was not recorded is dropped", {Harm::refusal}},
    {LogMutant::overflow_is_dropped, "what overflows is dropped", {Harm::outage, Harm::refusal}},
    {LogMutant::a_lost_tail_is_not_appended_again, "a lost tail is not appended again", {Harm::failover}, false, 13},
    {LogMutant::values_of_another_history_count,
     "values of another history count",
     {Harm::failover, Harm::kill, Harm::lag},
     true,
     4},
    {LogMutant::a_new_history_has_the_old_ones_values, "a new history has the old one's values", {Harm::failover}},
    {LogMutant::values_count_before_the_log_is_read, "values count before the log is read", {Harm::kill}, false, 4},
    {LogMutant::sees_although_silent, "sees although it is silent"},
    {LogMutant::sees_before_all_is_read, "sees before all is read"},
    {LogMutant::sees_from_the_reply_on, "sees from the reply on"},
    {LogMutant::sees_although_nobody_waits_for_it,
     "sees although nobody waits for it",
     {Harm::refusal, Harm::failover}},
    {LogMutant::says_it_has_applied_before_it_has, "says that it has applied before it has"},
    {LogMutant::acknowledges_all_without_waiting, "acknowledged for all without waiting"},
    {LogMutant::a_young_census_is_believed, "a young census is believed", {Harm::failover, Harm::flush_all}},
};
static_assert(std::size(bugs) == log_mutants - 1);

class MissingProtection : public testing::TestWithParam<std::size_t> {};

TEST_P(MissingProtection, IsCaught) {
    const Bug& bug = bugs[GetParam()];
    std::string found;
    std::uint64_t reads = 0;
    for (std::uint64_t s = bug.world; s < bug.world + 32 && found.empty(); ++s) {
        LogSimulation simulation({.seed = s,
                                  .mutant = bug.mutant,
                                  .strict = s % 4 != 0,
                                  .harms = bug.harms,
                                  .wild_clocks = bug.wild_clocks});
        simulation.run(150'000);
        found = simulation.violation;
        reads += simulation.counts.reads;
    }
    EXPECT_NE(found, "") << bug.name << " survives";
    std::printf("caught after %8llu reads: %s: %s\n", static_cast<unsigned long long>(reads), bug.name, found.c_str());
}

INSTANTIATE_TEST_SUITE_P(Log, MissingProtection, testing::Range(std::size_t{0}, std::size(bugs)));

}  // namespace
}  // namespace etage::simulation
