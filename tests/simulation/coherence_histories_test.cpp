// Every interleaving of a handful of actors on the real Engine and continue_log, with a Redis that is lost in the
// middle: histories that end, tails that are lost, records that are trimmed, leases that lapse (DESIGN §4, failures).
// How they are walked through: coherence_explorer.hpp.

#include "coherence_explorer.hpp"
#include "coherence_histories_log.hpp"
#include "coherence_histories_requests.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace etage::simulation::histories {
namespace {

using Kind = Event::Kind;

template <class A, class... Arguments>
void enter(World& world, Arguments&&... arguments) {
    world.actors.push_back(std::make_unique<A>(std::forward<Arguments>(arguments)...));
}

void enter_writer(World& world, Writer::Manner manner = {}) {
    manner.id = world.versions.size();
    world.versions.push_back(0);
    world.positions.push_back(0);
    enter<Writer>(world, manner);
}

/// At the end somebody looks at what everybody has.
template <void (*furnish)(World&)>
void with_judge(World& world) {
    furnish(world);
    enter<Judge>(world);
}

/// Whose steps are chosen; the others take theirs at once.
enum Chosen : unsigned { nobody = 0, reader_0 = 1, flusher_0 = 2, reader_1 = 4, flusher_1 = 8 };

void arrive(World& world) {
    world.eager.push_back(std::make_unique<Follower>(world.instances.size()));
    world.eager.push_back(std::make_unique<Flusher>(world.instances.size()));
    world.instances.emplace_back();
}

void choose(World& world, unsigned chosen) {
    std::vector<std::unique_ptr<Actor>> eager;
    for (std::size_t i = 0; i < world.eager.size(); ++i)
        ((chosen >> i & 1U) != 0 ? world.actors : eager).push_back(std::move(world.eager[i]));
    world.eager = std::move(eager);
}

/// They have read all there is. What a replica has of it, it has from now.
void two_instances(World& world, unsigned chosen) {
    Server server;
    server.identity = "s1";
    server.clock_ms = 1'000'000;
    world.servers.push_back(server);
    arrive(world);
    arrive(world);
    world.hurry();
    world.replica = world.primary();
    world.replica.clock_ms -= 1'000;
    choose(world, chosen);
}

Response first_version(const World& world) { return {world.instances[0].engine.fence(), 0, 0}; }

void first_version_in_memory(World& world) { world.instances[1].stored = first_version(world); }

void first_version_in_redis(World& world) {
    world.primary().value = Value{first_version(world), world.primary().generation};
    world.replica.value = world.primary().value;
}

// --- The scenarios. Writes go through instance 0, unless it is said otherwise.

void acknowledged_by_all(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter_writer(w, {.wait_all = true});
    enter<Request>(w, Request::Manner{.instance = 1});
    enter<Request>(w, Request::Manner{.instance = 1});
}

void in_redis(World& w) {
    two_instances(w, reader_1);
    first_version_in_redis(w);
    enter_writer(w);
    enter<Request>(w, Request::Manner{});
    enter<Request>(w, Request::Manner{.instance = 1, .token_of = 0});
}

void two_fills(World& w) {
    two_instances(w, nobody);
    enter_writer(w);
    enter<Request>(w, Request::Manner{});
    enter<Request>(w, Request::Manner{});
    enter<Request>(w, Request::Manner{.after = 0, .writes_behind = false});
}

void ahead_of_the_writer(World& w) {
    two_instances(w, reader_0);
    Event(Kind::foreign_record).step(w);
    w.hurry();
    enter_writer(w);
    enter<Request>(w, Request::Manner{.instance = 1});
    enter<Request>(w, Request::Manner{.after = 0});
}

void a_reply_is_lost(World& w) {
    two_instances(w, flusher_0 | reader_1);
    first_version_in_memory(w);
    enter_writer(w, {.loses_reply = true});
    enter<Request>(w, Request::Manner{});
    enter<Request>(w, Request::Manner{.instance = 1});
}

void refused(World& w) {
    two_instances(w, reader_0);
    first_version_in_memory(w);
    first_version_in_redis(w);
    enter<Event>(w, Kind::failover);
    enter_writer(w, {.loses_reply = true});
    enter<Request>(w, Request::Manner{.instance = 1});
}

void trimmed(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    Event(Kind::cut, 1).step(w);
    enter_writer(w);
    enter<Event>(w, Kind::foreign_record);
    enter<Event>(w, Kind::trim);
    enter<Request>(w, Request::Manner{.instance = 1, .token_of = 0});
}

void flushed(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter_writer(w);
    enter<Event>(w, Kind::flush_all);
    enter<Request>(w, Request::Manner{.instance = 1, .token_of = 0});
}

void flushed_and_told_to_all(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter<Event>(w, Kind::flush_all);
    enter_writer(w, {.wait_all = true});
    enter<Request>(w, Request::Manner{.instance = 1});
}

void log_deleted(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter_writer(w);
    enter<Event>(w, Kind::remove_log);
    enter<Request>(w, Request::Manner{.instance = 1, .token_of = 0});
}

void deleted_and_grown_again(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter_writer(w);
    enter<Event>(w, Kind::remove_log);
    enter<Event>(w, Kind::foreign_record);
    enter<Request>(w, Request::Manner{.instance = 1, .token_of = 0});
}

void tail_lost(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter_writer(w);
    enter<Event>(w, Kind::failover);
    enter<Request>(w, Request::Manner{.instance = 1, .token_of = 0});
}

void tail_lost_and_grown_again(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter_writer(w);
    enter<Event>(w, Kind::failover);
    enter<Event>(w, Kind::foreign_record);
    enter<Request>(w, Request::Manner{.instance = 1, .token_of = 0});
}

void tail_lost_with_values(World& w) {
    two_instances(w, reader_0 | flusher_0);
    first_version_in_redis(w);
    enter_writer(w);
    enter<Event>(w, Kind::failover);
    enter<Request>(w, Request::Manner{.after = 0});
}

void two_primaries(World& w) {
    two_instances(w, reader_0 | flusher_0);
    Event(Kind::failover).step(w);
    w.hurry();
    Request by_the_other({.instance = 1});
    while (!by_the_other.finished()) by_the_other.step(w);
    enter_writer(w, {.to_deposed = true});
    enter<Request>(w, Request::Manner{.after = 0});
}

void a_lease_lapses(World& w) {
    two_instances(w, reader_1);
    first_version_in_memory(w);
    enter<Event>(w, Kind::lapse, std::size_t{1});
    enter_writer(w, {.wait_all = true});
    enter<Request>(w, Request::Manner{.instance = 1});
}

/// The second instance has never read the log when the first one has written.
void cold(World& w) {
    Server server;
    server.identity = "s1";
    server.clock_ms = 1'000'000;
    w.servers.push_back(server);
    arrive(w);
    w.hurry();
    first_version_in_redis(w);
    enter_writer(w, {.wait_all = true});
    arrive(w);
    choose(w, reader_1);
    enter<Request>(w, Request::Manner{.instance = 1});
}

struct Scenario {
    const char* name;
    void (*furnish)(World&);
};

constexpr Scenario scenarios[] = {
    {"acknowledged by all, requests on the instance that lags", with_judge<acknowledged_by_all>},
    {"a value in Redis, a request with a token", with_judge<in_redis>},
    {"two fills and a write", with_judge<two_fills>},
    {"the other instance is ahead in the log", with_judge<ahead_of_the_writer>},
    {"the reply to an append is lost", with_judge<a_reply_is_lost>},
    {"an append is refused, and the history ends", with_judge<refused>},
    {"the log is trimmed behind an instance that was cut off", with_judge<trimmed>},
    {"everything is flushed", with_judge<flushed>},
    {"everything is flushed, and the write is for all", with_judge<flushed_and_told_to_all>},
    {"the log is deleted", with_judge<log_deleted>},
    {"the log is deleted, and somebody begins it anew", with_judge<deleted_and_grown_again>},
    {"a failover loses the tail", with_judge<tail_lost>},
    {"a failover loses the tail, and another record takes its place", with_judge<tail_lost_and_grown_again>},
    {"a failover loses the tail, and values are older", with_judge<tail_lost_with_values>},
    {"a failover, and the writer still has the old server", with_judge<two_primaries>},
    {"a lease lapses", with_judge<a_lease_lapses>},
    {"a cold instance, and a value older than the log", with_judge<cold>},
};

class EveryHistory : public testing::TestWithParam<Scenario> {};

TEST_P(EveryHistory, KeepsTheGuarantee) {
    const Explorer<World> explorer(GetParam().furnish, Mutant::none);
    std::printf("%20llu schedules through %6zu states: %s\n", static_cast<unsigned long long>(explorer.schedules()),
                explorer.states(), GetParam().name);
    EXPECT_EQ(explorer.violation(), "") << explorer.story();
    EXPECT_GT(explorer.schedules(), 1'000U);
}

INSTANTIATE_TEST_SUITE_P(Coherence, EveryHistory, testing::ValuesIn(scenarios));

/// A protection that is switched off, and a scenario that has a schedule for it.
struct Gap {
    Mutant mutant;
    const char* name;
    void (*scenario)(World&);
};

constexpr Gap gaps[] = {
    {Mutant::a_gap_is_overlooked, "a gap is overlooked", with_judge<trimmed>},
    {Mutant::a_new_history_is_no_floor, "a new history is no floor", with_judge<flushed>},
    {Mutant::a_batch_is_not_checked, "a batch is not checked", with_judge<trimmed>},
    {Mutant::another_server_is_taken_for_the_same, "another server is taken for the same", with_judge<refused>},
    {Mutant::acknowledged_before_its_position_is_applied, "acknowledged before it is applied at its position",
     with_judge<ahead_of_the_writer>},
    {Mutant::what_was_not_recorded_is_dropped, "what was not recorded is dropped", with_judge<refused>},
    {Mutant::what_is_queued_does_not_hold, "what is queued does not hold", with_judge<two_primaries>},
    {Mutant::a_lost_tail_is_not_appended_again, "a lost tail is not appended again", with_judge<two_primaries>},
    {Mutant::a_late_answer_is_taken_for_recorded, "a late answer is taken for recorded", with_judge<two_primaries>},
    {Mutant::a_late_answer_is_not_marked_again, "a late answer is not marked again", with_judge<two_primaries>},
    {Mutant::the_lease_is_ignored, "the lease is ignored", with_judge<a_lease_lapses>},
    {Mutant::acknowledges_all_without_waiting, "acknowledged for all without waiting", with_judge<acknowledged_by_all>},
    {Mutant::a_young_census_is_believed, "a young census is believed", with_judge<flushed_and_told_to_all>},
    {Mutant::says_it_has_applied_before_it_has, "says it has applied before it has", with_judge<acknowledged_by_all>},
    {Mutant::values_count_before_the_log_is_read, "values count before the log is read", with_judge<cold>},
    {Mutant::values_of_any_history_count, "values of any history count", with_judge<two_primaries>},
    {Mutant::what_redis_has_is_not_judged, "what Redis has is not judged", with_judge<in_redis>},
    {Mutant::promoted_with_the_fence_of_the_moment, "promoted with the fence of the moment", with_judge<in_redis>},
    {Mutant::older_content_under_the_higher_fence, "older content under the higher fence", with_judge<in_redis>},
};
static_assert(std::size(gaps) == mutants - 1);

class Unguarded : public testing::TestWithParam<Gap> {};

TEST_P(Unguarded, IsCaught) {
    const Explorer<World> explorer(GetParam().scenario, GetParam().mutant);
    EXPECT_NE(explorer.violation(), "") << GetParam().name << ": survives every schedule";
    RecordProperty("schedule", explorer.story());
    std::printf("caught after %5zu states: %s\n", explorer.states(), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Coherence, Unguarded, testing::ValuesIn(gaps));

}  // namespace
}  // namespace etage::simulation::histories
