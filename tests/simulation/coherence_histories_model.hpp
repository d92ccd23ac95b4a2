#pragma once
// Two instances and a Redis that is lost, small enough for every interleaving (coherence_histories_test.cpp). What
// decides is real: Engine, continue_log, is_next_batch, Generation. What src/redis does around it is played in steps,
// each of which is indivisible there as well: what a script does on the server, what one thread does between two waits.
//
// Time does not run: a lease lapses when its event is stepped, at whatever moment that is, and only then. The instance
// is blind from then on, and counted among the living no more; that one never happens without the other is for
// log_random_test.cpp, which has clocks.
//
// There is one key, so every invalidation is of its tag; others are of other_tag. What must hold is as in
// coherence_model.hpp, and once nothing moves any more, that nobody would serve what anybody has invalidated.

#include "coherence/continuity.hpp"
#include "coherence/engine.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etage::simulation::histories {

using coherence::Continuity;
using coherence::Engine;
using coherence::StreamId;
using coherence::Validity;
using Invalidations = std::uint32_t;  // a set, one bit each

inline constexpr TagHash key_tag = 1;
inline constexpr TagHash other_tag = 10;
inline constexpr std::size_t nowhere = ~std::size_t{0};

/// One protection each, switched off. (That a new history leaps, that an append names the history it is for: whether
/// those hold shows in longer lives, see log_random_test.cpp.)
enum class Mutant : std::uint8_t {
    none,
    a_gap_is_overlooked,
    a_new_history_is_no_floor,
    a_batch_is_not_checked,
    another_server_is_taken_for_the_same,
    acknowledged_before_its_position_is_applied,
    what_was_not_recorded_is_dropped,
    what_is_queued_does_not_hold,
    a_lost_tail_is_not_appended_again,
    a_late_answer_is_taken_for_recorded,
    a_late_answer_is_not_marked_again,
    the_lease_is_ignored,
    acknowledges_all_without_waiting,
    a_young_census_is_believed,
    says_it_has_applied_before_it_has,
    values_count_before_the_log_is_read,
    values_of_any_history_count,
    what_redis_has_is_not_judged,
    promoted_with_the_fence_of_the_moment,
    older_content_under_the_higher_fence,
};
inline constexpr int mutants = static_cast<int>(Mutant::older_content_under_the_higher_fence) + 1;

struct Response {
    Sequence fence = 0;
    int version = 0;
    Invalidations after = 0;  // ghost: had begun when the fill began
};

struct Value {
    Response response;
    std::string generation;
};

struct Server {
    std::string identity;
    std::uint64_t clock_ms = 0;
    std::string generation;
    std::map<StreamId, TagHash> records;  // 0: without effect
    StreamId last;
    std::map<std::size_t, Sequence> live;  // what each instance says it has applied
    std::optional<Value> value;

    StreamId next_id() const { return clock_ms > last.ms ? StreamId{clock_ms, 0} : StreamId{last.ms, last.n + 1}; }
    bool add(StreamId id, TagHash tag) {
        if (id <= last) return false;
        records.emplace(last = id, tag);
        return true;
    }
    /// As the scripts: a server that was promoted has the generation of its predecessor.
    bool keeps(const std::string& history) const {
        const auto parsed = coherence::Generation::parse(generation);
        return generation == history && parsed && parsed->identity == identity;
    }
    coherence::SeenLog seen(StreamId read) const {
        const StreamId first = records.empty() ? StreamId{} : records.begin()->first;
        const StreamId newest = records.empty() ? StreamId{} : records.rbegin()->first;
        return {generation, identity, true, records.contains(read), first, newest, last, records.size(), clock_ms};
    }
};

struct Instance {
    Engine engine{0, coherence::MarkTable::ways};
    std::string done;  // to the engine: the same history makes the same engine
    coherence::KnownLog known;
    std::size_t link = nowhere;  // the server that it reads from
    std::string appends_to;      // the history that may be appended to
    std::string counts;          // the history whose values count
    bool clear = false;          // it sees
    int lapses = 0;              // of its lease
    std::optional<Response> stored;
    Sequence newest = 0;             // that it has appended
    Invalidations queued = 0;        // to be appended
    Invalidations recent = 0;        // appended not long ago
    Invalidations acknowledged = 0;  // ghost: here

    void apply(Sequence position, TagHash tag);
    void apply_ahead(TagHash tag);
    void apply_ahead(Sequence position, TagHash tag);
    void raise_floor(Sequence position);
    /// What is queued holds here, however far the reader has moved.
    void hold() {
        if (queued != 0) apply_ahead(key_tag);
    }

private:
    void note(char what, Sequence number) { (done += what) += std::to_string(number); }
};

struct World;

class Actor {
public:
    virtual ~Actor() = default;
    virtual bool finished() const = 0;
    virtual bool ready(const World&) const { return !finished(); }
    virtual std::string_view step(World&) = 0;
    virtual void describe(std::string& state) const = 0;
};

struct World {
    Mutant mutant = Mutant::none;
    int version = 0;  // at the origin
    std::deque<Server> servers;
    Server replica;  // what a promoted one has
    std::deque<Instance> instances;
    std::vector<int> versions;        // ghost: by write, committed
    std::vector<Sequence> positions;  // by write: its token
    Invalidations begun = 0;
    Invalidations acknowledged_everywhere = 0;
    int names = 0;
    std::string violation;
    std::vector<std::unique_ptr<Actor>> actors;
    std::vector<std::unique_ptr<Actor>> eager;  // whose steps are no choice: they are taken as soon as they can be

    std::string_view step(std::size_t actor) {
        const std::string_view what = actors[actor]->step(*this);
        hurry();
        return what;
    }
    void hurry() {
        for (bool moved = true; std::exchange(moved, false);)
            for (const auto& each : eager)
                while (each->ready(*this)) each->step(*this), moved = true;
    }
    bool without(Mutant what) const { return mutant == what; }
    Server& primary() { return servers.back(); }
    const Server& primary() const { return servers.back(); }
    Instance& at(std::size_t instance) { return instances[instance]; }
    void put(std::optional<Response>& place, const Response& response) const {
        const Sequence before = place ? place->fence : 0;
        if (before > response.fence && !without(Mutant::older_content_under_the_higher_fence)) return;
        place = response;
        place->fence = std::max(before, response.fence);
    }
    void check(Invalidations demanded, const Response& response) {
        for (std::size_t i = 0; i < versions.size(); ++i)
            if ((demanded >> i & 1U) != 0 && ((response.after >> i & 1U) == 0 || response.version < versions[i]))
                violate("answered by what is older than an acknowledged invalidation");
    }
    void violate(std::string_view what) {
        if (violation.empty()) violation = what;
    }
    std::string state() const;
};

inline void describe(std::string& state, std::uint64_t number) { (state += std::to_string(number)) += ' '; }
inline void describe(std::string& state, StreamId id) { (state += id.text()) += ' '; }
inline void describe(std::string& state, const std::optional<Response>& response) {
    if (!response) return describe(state, 0);
    describe(state, response->fence + 1);
    describe(state, static_cast<std::uint64_t>(response->version));
    describe(state, response->after);
}
inline void describe(std::string& state, const Server& server) {
    ((state += server.identity) += server.generation) += '|';
    for (const auto& [id, tag] : server.records) describe(state, id), describe(state, tag);
    describe(state, server.last);
    for (const auto& [name, applied] : server.live) describe(state, name), describe(state, applied);
    if (server.value) (state += server.value->generation) += '=';
    describe(state, server.value ? std::optional(server.value->response) : std::nullopt);
}

inline void Instance::apply(Sequence position, TagHash tag) {
    note('a', position);
    if (tag == key_tag) done += '!';
    if (position <= engine.fence()) return engine.apply_ahead({{&tag, 1}, coherence::Softness::hard});
    engine.apply(position, {tag == 0 ? std::span<const TagHash>() : std::span(&tag, 1), coherence::Softness::hard});
}

inline void Instance::apply_ahead(TagHash tag) {
    note('h', engine.fence());
    engine.apply_ahead({{&tag, 1}, coherence::Softness::hard});
}

inline void Instance::apply_ahead(Sequence position, TagHash tag) {
    note('k', position);
    engine.apply_ahead(position, {{&tag, 1}, coherence::Softness::hard});
}

inline void Instance::raise_floor(Sequence position) {
    note('f', position);
    engine.raise_floor(position);
}

inline std::string World::state() const {
    std::string text;
    describe(text, static_cast<std::uint64_t>(version));
    describe(text, begun);
    describe(text, acknowledged_everywhere);
    describe(text, servers.size());
    describe(text, primary());
    for (const Instance& i : instances) {
        (text += i.done) += ';';
        ((((text += i.known.generation) += ';') += i.appends_to) += ';') += i.counts;
        describe(text, i.known.read);
        describe(text, i.link);
        describe(text, i.clear ? 1 : 0);
        describe(text, static_cast<std::uint64_t>(i.lapses));
        describe(text, i.stored);
        describe(text, i.newest);
        describe(text, i.queued);
        describe(text, i.recent);
        describe(text, i.acknowledged);
    }
    for (const int each : versions) describe(text, static_cast<std::uint64_t>(each));
    for (const Sequence each : positions) describe(text, each);
    for (const auto& actor : actors) actor->describe(text += '/');
    for (const auto& actor : eager) actor->describe(text += '/');
    return text;
}

}  // namespace etage::simulation::histories
