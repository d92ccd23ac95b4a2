// Every interleaving of a handful of actors on the real Engine (DESIGN §4 and §11). How they are walked through:
// coherence_explorer.hpp.

#include "coherence_actors.hpp"
#include "coherence_explorer.hpp"
#include "coherence_reader.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace etage::simulation {
namespace {

struct Scenario {
    void (*furnish)(World&);
    const char* name;
};

template <class A, class... Arguments>
void enter(World& world, Arguments&&... arguments) {
    world.actors.push_back(std::make_unique<A>(std::forward<Arguments>(arguments)...));
}

void enter_writer(World& world, Writer::Manner manner) {
    manner.id = world.writes.size();
    world.writes.push_back({manner.tag, manner.softness, 0, 0});
    enter<Writer>(world, manner, world.mutant);
}

Response first_version() { return {0, 0, response_tags, 0, 0}; }

void one_instance(World& world) { world.instances.emplace_back(); }

void one_instance_with_an_entry(World& world) {
    one_instance(world);
    world.instances[0].stored = first_version();
}

/// One record is in the log, of something else; nobody has read it yet. Writes are acknowledged at instance 0.
void two_instances_on_one_log(World& world) {
    world.instances.emplace_back();
    world.instances.emplace_back();
    world.has_shared_store = true;
    world.append({other_tag}, Softness::hard);
    enter<Applier>(world, std::size_t{0}, std::size_t{2});
}

// --- The scenarios

void two_requests(World& w) {
    one_instance(w);
    enter<Reader>(w, Reader::Manner{});
    enter<Reader>(w, Reader::Manner{});
    enter_writer(w, {});
}

void three_requests(World& w) {
    one_instance(w);
    for (int i = 0; i < 3; ++i) enter<Reader>(w, Reader::Manner{});
    enter_writer(w, {.tag = learned_tag});
}

void two_writes(World& w) {
    one_instance(w);
    enter<Reader>(w, Reader::Manner{});
    enter<Reader>(w, Reader::Manner{});
    enter_writer(w, {});
    enter_writer(w, {.tag = learned_tag});
}

void refresh(World& w) {
    one_instance_with_an_entry(w);
    enter<Refresher>(w);
    enter<Reader>(w, Reader::Manner{});
    enter<Reader>(w, Reader::Manner{.hit_only = true});
    enter_writer(w, {.tag = learned_tag});
}

void soft_and_hard(World& w) {
    one_instance_with_an_entry(w);
    enter<Refresher>(w);
    enter<Reader>(w, Reader::Manner{});
    enter<Reader>(w, Reader::Manner{.hit_only = true});
    enter_writer(w, {.softness = Softness::soft});
    enter_writer(w, {.tag = learned_tag});
}

void forgetting(World& w) {
    one_instance_with_an_entry(w);
    enter<Flooder>(w);
    enter<Reader>(w, Reader::Manner{});
    enter<Reader>(w, Reader::Manner{.hit_only = true});
    enter_writer(w, {});
}

void other_ahead(World& w) {
    two_instances_on_one_log(w);
    w.instances[0].stored = first_version();
    w.instances[1].apply(10, {other_tag}, Softness::hard);
    enter<Reader>(w, Reader::Manner{});
    enter<Reader>(w, Reader::Manner{.instance = 1});
    enter_writer(w, {.tag = learned_tag, .through_log = true});
}

void token(World& w) {
    two_instances_on_one_log(w);
    w.shared = first_version();
    enter<Applier>(w, std::size_t{1}, std::size_t{2});
    enter<Reader>(w, Reader::Manner{.instance = 1});
    enter<Reader>(w, Reader::Manner{.instance = 1, .token_of = 0});
    enter_writer(w, {.through_log = true});
}

void two_records(World& w) {
    w.instances.emplace_back();
    w.instances.emplace_back().stored = first_version();
    enter<Applier>(w, std::size_t{1}, std::size_t{2});
    enter<Reader>(w, Reader::Manner{.instance = 1, .token_of = 0});
    enter<Reader>(w, Reader::Manner{.instance = 1, .token_of = 1});
    enter_writer(w, {.tag = learned_tag, .through_log = true});
    enter_writer(w, {.tag = other_tag, .through_log = true});
}

void wait_all(World& w) {
    two_instances_on_one_log(w);
    w.instances[1].stored = first_version();
    enter<Applier>(w, std::size_t{1}, std::size_t{2});
    enter<Reader>(w, Reader::Manner{.instance = 1});
    enter<Reader>(w, Reader::Manner{.instance = 1});
    enter_writer(w, {.through_log = true, .wait_all = true});
}

void trimmed(World& w) {
    two_instances_on_one_log(w);
    w.instances[1].stored = first_version();
    enter<GapFinder>(w, std::size_t{1}, std::size_t{2});
    enter<Reader>(w, Reader::Manner{.instance = 1});
    enter<Reader>(w, Reader::Manner{.instance = 1, .token_of = 0});
    enter_writer(w, {.tag = learned_tag, .through_log = true});
}

constexpr Scenario scenarios[] = {
    {two_requests, "two requests on an empty store, a write of the key"},
    {three_requests, "three requests on an empty store, a write of a tag learned from the response"},
    {two_writes, "two requests, two writes"},
    {refresh, "a stored entry, a background refresh, a request, a write"},
    {soft_and_hard, "a stored entry, a background refresh, a soft write, a hard write"},
    {forgetting, "a stored entry, a write whose mark is forgotten"},
    {other_ahead, "two instances, acknowledged on one: a request there and on the one that is ahead"},
    {token, "two instances: a request with a token and one without on the lagging one"},
    {two_records, "two instances: a write, a write of something else, requests with tokens on the lagging one"},
    {wait_all, "two instances, acknowledged by all: two requests on the lagging one"},
    {trimmed, "two instances: the lagging one finds the log trimmed, a request with a token"},
};

class EveryInterleaving : public testing::TestWithParam<Scenario> {};

TEST_P(EveryInterleaving, KeepsTheGuarantee) {
    const Explorer<World> explorer(GetParam().furnish, Mutant::none);
    std::printf("%15llu schedules through %6zu states: %s\n", static_cast<unsigned long long>(explorer.schedules()),
                explorer.states(), GetParam().name);
    EXPECT_EQ(explorer.violation(), "") << explorer.story();
    EXPECT_GT(explorer.schedules(), 10'000U);
}

INSTANTIATE_TEST_SUITE_P(Coherence, EveryInterleaving, testing::ValuesIn(scenarios));

/// A planted bug, and a scenario that has a schedule for it.
struct Bug {
    Mutant mutant;
    const char* name;
    void (*scenario)(World&);
};

constexpr Bug bugs[] = {
    {Mutant::fence_taken_after_the_origin_was_read, "the fence is taken after the origin was read", two_requests},
    {Mutant::stored_with_the_fence_of_the_moment, "a fill is stored with the fence of the moment", two_requests},
    {Mutant::refresh_stored_with_the_fence_of_the_moment, "so is a refresh, a 304 too", refresh},
    {Mutant::promoted_with_the_fence_of_the_moment, "so is what comes from the shared store", token},
    {Mutant::lower_fence_overwrites_higher, "a lower fence overwrites a higher one", two_requests},
    {Mutant::older_content_under_the_higher_fence, "older content is put under the higher fence", three_requests},
    {Mutant::joins_any_flight, "any flight is joined", two_requests},
    {Mutant::follower_ignores_learned_tags, "a follower ignores tags learned from the response", three_requests},
    {Mutant::entry_ignores_learned_tags, "an entry ignores tags learned from the response", three_requests},
    {Mutant::hit_is_not_judged, "a hit is not judged", two_requests},
    {Mutant::fast_path_ignores_what_was_applied_ahead, "the fast path ignores what was applied ahead", other_ahead},
    {Mutant::soft_mark_is_overlooked, "a soft mark is overlooked", soft_and_hard},
    {Mutant::gone_is_served_as_stale, "gone is served as stale", soft_and_hard},
    {Mutant::stale_is_freshened_without_asking, "stale is freshened without asking the origin", soft_and_hard},
    {Mutant::shared_entry_is_not_judged, "a shared entry is not judged", other_ahead},
    {Mutant::token_is_ignored, "a token is ignored", token},
    {Mutant::invalidates_before_the_commit, "invalidated before the commit", two_requests},
    {Mutant::acknowledges_before_invalidating, "acknowledged before invalidating", two_requests},
    {Mutant::acknowledges_before_its_position_is_applied, "acknowledged before it is applied at its position",
     other_ahead},
    {Mutant::acknowledges_all_without_waiting, "acknowledged for all without waiting", wait_all},
    {Mutant::position_moves_before_its_marks, "the position moves before its marks", token},
    {Mutant::a_record_is_lost, "a record is lost", two_records},
    {Mutant::a_gap_is_overlooked, "a gap is overlooked", trimmed},
};
static_assert(std::size(bugs) == mutants - 1);

class PlantedBug : public testing::TestWithParam<Bug> {};

TEST_P(PlantedBug, IsCaught) {
    const Bug& bug = GetParam();
    const Explorer<World> explorer(bug.scenario, bug.mutant);
    EXPECT_NE(explorer.violation(), "") << bug.name << " survives every schedule";
    RecordProperty("schedule", explorer.story());
    std::printf("caught after %5zu states: %s\n", explorer.states(), bug.name);
}

INSTANTIATE_TEST_SUITE_P(Coherence, PlantedBug, testing::ValuesIn(bugs));

void small(World& w) {
    one_instance_with_an_entry(w);
    enter<Refresher>(w);
    enter<Reader>(w, Reader::Manner{});
    enter_writer(w, {});
}

TEST(Exploration, CountsTheSchedulesThatPlainEnumerationWalks) {
    const Explorer<World> remembering(small, Mutant::none);
    const Explorer<World> plain(small, Mutant::none, Explorer<World>::Memory::none);
    EXPECT_EQ(plain.violation(), "");
    EXPECT_EQ(remembering.schedules(), plain.schedules());
    EXPECT_GT(plain.schedules(), 1000U);
    std::printf("%llu schedules walked one by one\n", static_cast<unsigned long long>(plain.schedules()));
}

}  // namespace
}  // namespace etage::simulation
