#pragma once
// A small house around the real Engine: stores, flights, a shared store, a log, an origin, and actors that walk through
// it in explicit steps. Whoever runs it decides whose step is next; nothing else is left to chance, so a list of actors
// is a schedule and can be run again.
//
// The world also keeps what no real instance knows (ghost state): which invalidations had begun when a fill began, and
// which were acknowledged when a request began. With it every answer is checked against the guarantee of DESIGN §4:
//   a request that begins after an invalidation was acknowledged is never answered by a response whose fill began
//   before that invalidation
// and, since a write is a commit and then an invalidation, against the version that was committed.

#include "coherence/engine.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::simulation {

using coherence::Engine;
using coherence::Softness;
using coherence::Validity;
using Tags = std::vector<TagHash>;

inline constexpr TagHash key_tag = 1;      // known from the request
inline constexpr TagHash learned_tag = 2;  // known from the response only
inline constexpr TagHash other_tag = 10;   // of something else
inline const Tags request_tags{key_tag};
inline const Tags response_tags{key_tag, learned_tag};

/// A set of invalidations, one bit each.
using Invalidations = std::uint32_t;

/// Planted bugs: one way each to get DESIGN §4 wrong.
enum class Mutant : std::uint8_t {
    none,
    fence_taken_after_the_origin_was_read,
    stored_with_the_fence_of_the_moment,
    refresh_stored_with_the_fence_of_the_moment,
    promoted_with_the_fence_of_the_moment,
    lower_fence_overwrites_higher,
    older_content_under_the_higher_fence,
    joins_any_flight,
    follower_ignores_learned_tags,
    entry_ignores_learned_tags,
    hit_is_not_judged,
    fast_path_ignores_what_was_applied_ahead,
    soft_mark_is_overlooked,
    gone_is_served_as_stale,
    stale_is_freshened_without_asking,
    shared_entry_is_not_judged,
    token_is_ignored,
    invalidates_before_the_commit,
    acknowledges_before_invalidating,
    acknowledges_before_its_position_is_applied,
    acknowledges_all_without_waiting,
    position_moves_before_its_marks,
    a_record_is_lost,
    a_gap_is_overlooked,
};
inline constexpr int mutants = static_cast<int>(Mutant::a_gap_is_overlooked) + 1;

/// What a fill brought: stored, shared between those who wait, and answered.
struct Response {
    Sequence fence = 0;
    int version = 0;
    Tags tags;                // those it is judged by
    Sequence validated = 0;   // fast path of rule 2
    Invalidations after = 0;  // ghost: had begun when the fill began
};

struct Flight {
    Sequence fence = 0;
    bool landed = false;
    Response outcome;
};

struct LogRecord {
    Sequence position = 0;
    Tags tags;
    Softness softness = Softness::hard;
};

/// One process. Its engine is changed only through the functions here, which write down what they did: the same history
/// makes the same engine, so the history stands for it in the state of the world.
struct Instance {
    Engine engine{0, coherence::MarkTable::ways};
    std::string history;
    std::optional<Response> stored;
    std::optional<std::size_t> flight;
    Invalidations acknowledged = 0;  // ghost: here

    Sequence invalidate(const Tags& tags, Softness softness);
    void apply(Sequence position, const Tags& tags, Softness softness);
    void apply_ahead(const Tags& tags, Softness softness);
    void apply_ahead(Sequence position, const Tags& tags, Softness softness);
    void raise_floor(Sequence position);
};

/// Ghost: what a writer did.
struct Write {
    TagHash tag = key_tag;
    Softness softness = Softness::hard;
    int version = 0;        // committed; 0 when it is of something else
    Sequence position = 0;  // in a log that lives elsewhere: the token
};

/// Ghost: what a request may not be answered with, fixed when it begins.
struct Demand {
    Invalidations acknowledged = 0;
};

struct World;

class Actor {
public:
    virtual ~Actor() = default;
    virtual bool finished() const = 0;
    virtual bool ready(const World&) const { return !finished(); }
    /// One indivisible step; says what it was, for people.
    virtual std::string_view step(World&) = 0;
    virtual void describe(std::string& state) const = 0;
};

struct World {
    Mutant mutant = Mutant::none;
    int version = 0;  // at the origin; its responses carry key_tag and learned_tag
    std::deque<Instance> instances;
    std::vector<LogRecord> log;  // empty and unused when the log lives in the one process
    bool has_shared_store = false;
    std::optional<Response> shared;
    std::vector<Flight> flights;
    std::vector<Write> writes;
    Invalidations begun = 0;
    Invalidations acknowledged_everywhere = 0;
    std::string violation;  // the first one
    std::vector<std::unique_ptr<Actor>> actors;

    std::string_view step(std::size_t actor) { return actors[actor]->step(*this); }
    Sequence append(const Tags& tags, Softness softness);
    /// Rule 3: the higher fence wins.
    void put(std::optional<Response>& place, Response response);
    /// A request begins on `instance`; `token` adds what it must see wherever it was acknowledged.
    Demand demand(const Instance& instance, Invalidations token) const;
    /// A request is answered; `fresh` is false when the answer says of itself that it is stale.
    void check(const Demand&, const Response&, bool fresh);
    void violate(std::string_view what);
    /// Everything the future depends on, ghost state included.
    std::string state() const;
};

void describe(std::string& state, const Response&);
void describe(std::string& state, const std::optional<Response>&);
inline void describe(std::string& state, std::uint64_t number) {
    do state += static_cast<char>((number & 0x7FU) | (number > 0x7FU ? 0x80U : 0U));
    while ((number >>= 7U) != 0);
}

// ---------------------------------------------------------------------------------------------------------------------

inline Sequence Instance::invalidate(const Tags& tags, Softness softness) {
    history += 'i';
    describe(history, tags.front() * 2 + static_cast<unsigned>(softness));
    return engine.invalidate({tags, softness});
}

inline void Instance::apply(Sequence position, const Tags& tags, Softness softness) {
    history += 'a';
    describe(history, position);
    describe(history, tags.empty() ? 0 : tags.front());
    engine.apply(position, {tags, softness});
}

inline void Instance::apply_ahead(const Tags& tags, Softness softness) {
    history += 'h';
    describe(history, tags.front());
    engine.apply_ahead({tags, softness});
}

inline void Instance::apply_ahead(Sequence position, const Tags& tags, Softness softness) {
    history += 'k';
    describe(history, position);
    engine.apply_ahead(position, {tags, softness});
}

inline void Instance::raise_floor(Sequence position) {
    history += 'f';
    describe(history, position);
    engine.raise_floor(position);
}

inline Sequence World::append(const Tags& tags, Softness softness) {
    // As the ids of a Redis stream: increasing, with holes.
    const Sequence position = (log.size() + 1) * 10;
    log.push_back({position, tags, softness});
    return position;
}

inline void World::put(std::optional<Response>& place, Response response) {
    response.validated = response.fence;
    if (place && place->fence > response.fence) {
        if (mutant == Mutant::older_content_under_the_higher_fence)
            response.fence = response.validated = place->fence;
        else if (mutant == Mutant::lower_fence_overwrites_higher)
            violate("rule 3: a lower fence replaced a higher one");
        else
            return;
    }
    place = std::move(response);
}

inline Demand World::demand(const Instance& instance, Invalidations token) const {
    return {instance.acknowledged | acknowledged_everywhere | token};
}

inline void World::check(const Demand& demand, const Response& response, bool fresh) {
    for (std::size_t i = 0; i < writes.size(); ++i) {
        const Invalidations bit = Invalidations{1} << i;
        if ((demand.acknowledged & bit) == 0 || writes[i].tag == other_tag) continue;
        if (writes[i].softness == Softness::soft && !fresh) continue;
        if ((response.after & bit) == 0) violate("answered by a fill that began before an acknowledged invalidation");
        if (response.version < writes[i].version) violate("answered with a version older than an acknowledged write");
    }
}

inline void World::violate(std::string_view what) {
    if (violation.empty()) violation = what;
}

inline void describe(std::string& state, const Response& response) {
    describe(state, response.fence);
    describe(state, static_cast<std::uint64_t>(response.version));
    describe(state, response.tags.size());  // they differ in number only: with the learned one or without
    describe(state, response.validated);
    describe(state, response.after);
}

inline void describe(std::string& state, const std::optional<Response>& response) {
    state += response ? '+' : '-';
    if (response) describe(state, *response);
}

inline std::string World::state() const {
    std::string text;
    describe(text, static_cast<std::uint64_t>(version));
    describe(text, begun);
    describe(text, acknowledged_everywhere);
    for (const Instance& instance : instances) {
        text += instance.history;
        text += '|';
        describe(text, instance.stored);
        describe(text, instance.flight ? *instance.flight + 1 : 0);
        describe(text, instance.acknowledged);
    }
    for (const LogRecord& record : log) describe(text, record.tags.front());
    text += '|';
    describe(text, shared);
    for (const Flight& flight : flights) {
        describe(text, flight.fence);
        describe(text, flight.landed ? std::optional(flight.outcome) : std::nullopt);
    }
    text += '|';
    for (const Write& write : writes) {
        describe(text, static_cast<std::uint64_t>(write.version));
        describe(text, write.position);
    }
    for (const auto& actor : actors) actor->describe(text);
    return text;
}

}  // namespace etage::simulation
