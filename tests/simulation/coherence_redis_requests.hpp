#pragma once
// As the walk: memory, flights, the shared store, the origin; and what the oracle says of every answer.

#include "coherence_redis_simulation.hpp"

namespace etage::simulation {

inline Entry RedisSimulation::origin_response(std::size_t key) const {
    const int version = versions_[key];
    const auto surrogate = [&](std::size_t which) {
        const auto mixed = (key * 31 + static_cast<std::size_t>(version) / 2 * 7 + which * 13) * 2654435761U;
        return first_surrogate + (mixed >> 8U) % world_surrogates;
    };
    return {0, 0, {everything_tag, first_key_tag + key, surrogate(0), surrogate(1)}, version, 0};
}

inline Sight RedisSimulation::sight(const Instance& home) const {
    return without(Unprotected::the_lease_is_ignored) && !home.counts.empty() ? Sight::clear
                                                                              : home.engine.sight(instant(now_));
}

inline void RedisSimulation::read() {
    const Ref home = any_instance();
    if (home->frozen_until > now_) return;
    ++counts.reads;
    const std::size_t key = std::min(pick(world_keys), pick(world_keys));
    bool bypasses = false;
    const Request request{++moment_, pick_token(*home, bypasses)};
    if (bypasses) return;  // what comes from the origin now is of now
    if (sight(*home) == Sight::blind) {
        ++counts.blind;
        return board(home, key, request);
    }
    auto& place = home->memory[key];
    if (!place) return board(home, key, request);
    const Validity verdict = validity(*home, *place);
    if (verdict == Validity::unsure) ++counts.unsure;
    if (verdict > Validity::stale) return board(home, key, request);
    const bool fresh = verdict == Validity::valid;
    ++(fresh ? counts.hits : counts.stale);
    answer(*home, request, *place, fresh);
    if (!fresh && !home->flights[key]) board(home, key, {});
}

/// Rule 6. Rather a young one, for a request that carries it.
inline std::optional<LogRecord> RedisSimulation::pick_token(const Instance& home, bool& bypasses) {
    if (tokens_.empty() || !one_in(6)) return {};
    const Token& token = tokens_[tokens_.size() - 1 - std::min(pick(tokens_.size()), pick(tokens_.size()))];
    bypasses = !home.engine.caught_up(token.position);
    if (!bypasses) ++counts.tokens;
    return token.record;
}

inline Validity RedisSimulation::validity(const Instance& home, Entry& entry) const {
    const Sequence position = home.engine.fence();
    if (home.engine.nothing_after(entry.validated)) return Validity::valid;
    auto verdict = home.engine.judge(entry.fence, entry.tags);
    if (verdict == Validity::unsure && without(Unprotected::unsure_is_valid)) verdict = Validity::valid;
    if (verdict == Validity::valid) entry.validated = position;
    return verdict;
}

/// The guarantee (DESIGN §4).
inline void RedisSimulation::answer(const Instance& home, const Request& request, const Entry& entry, bool fresh) {
    if (!violation.empty() || request.began == 0) return;
    const auto binds = [&](const LogRecord& record) {
        return std::ranges::count(entry.tags, record.tag) != 0 && entry.began < record.began &&
               (record.softness == Softness::hard || fresh);
    };
    const char* what = nullptr;
    if (!home.acknowledged.allows(request.began, entry, fresh)) what = "what was acknowledged here";
    if (!everywhere_.allows(request.began, entry, fresh)) what = "what has come to all";
    if (request.token && binds(*request.token)) what = "the token it carries";
    if (what == nullptr) return;
    violation = "read " + std::to_string(counts.reads) + " at " + std::to_string(now_) + " ms, key " +
                std::to_string(entry.tags[1] - first_key_tag) + " on instance " + std::to_string(home.name) +
                ": version " + std::to_string(entry.version) + " with fence " + coherence::id_of(entry.fence).text() +
                " is older than " + what;
}

inline void RedisSimulation::board(const Ref& home, std::size_t key, const Request& request) {
    auto& flight = home->flights[key];
    const TagHash known[] = {everything_tag, first_key_tag + key};
    const bool may_join =
        flight && sight(*home) != Sight::blind && home->engine.judge(flight->fence, known) == Validity::valid;
    if (may_join) {
        ++counts.joined;
        return flight->waiting.push_back(request);
    }
    flight = std::make_shared<Flight>(Flight{home->engine.fence(), {request}});
    fill(home, key, flight);
}

inline void RedisSimulation::fill(const Ref& home, std::size_t key, const FlightRef& flight) {
    ++counts.fills;
    const Moment began = ++moment_;
    const bool looks = !home->counts.empty() && sight(*home) != Sight::blind;
    if (!looks || one_in(4)) return ask_origin(home, key, flight, began, false);
    using Found = std::optional<Value>;
    const auto there = [key](Redis& server) { return server.data.values[key]; };
    call<Found>(home, client(home), there, [=, this](const std::optional<Found>& reply) {
        if (!reply) ++counts.timeouts;
        if (reply && *reply) {
            const bool is_ours =
                (*reply)->generation == home->counts || without(Unprotected::values_of_any_generation_count);
            Entry entry = (*reply)->entry;
            entry.validated = entry.fence;
            if (is_ours && validity(*home, entry) == Validity::valid) {
                ++counts.shared;
                return land(home, key, flight, entry);
            }
        }
        ask_origin(home, key, flight, began, !reply);
    });
}

inline void RedisSimulation::ask_origin(const Ref& home, std::size_t key, const FlightRef& flight, Moment began,
                                        bool timed_out) {
    later(latency(), [=, this] {
        Entry entry = origin_response(key);
        entry.fence = entry.validated = flight->fence;
        entry.began = began;
        on(home, latency(), [=, this] {
            const auto& place = home->memory[key];
            if (place && place->version == entry.version) ++counts.confirmed;  // 304, with a fence of its own
            share(home, key, entry, timed_out);
            land(home, key, flight, entry);
        });
    });
}

/// Whoever waits and may not have it asks again.
inline void RedisSimulation::land(const Ref& home, std::size_t key, const FlightRef& flight, const Entry& entry) {
    if (home->flights[key] == flight) home->flights[key].reset();
    auto& place = home->memory[key];
    if (!place || place->fence <= entry.fence) place = entry;
    bool leads = true;
    for (const Request& request : flight->waiting) {
        Entry copy = entry;
        const bool may_have = std::exchange(leads, false) || validity(*home, copy) == Validity::valid;
        if (may_have)
            answer(*home, request, entry, true);
        else
            board(home, key, request);
    }
}

/// A timeout is not a miss: nothing is written for that fill (DESIGN §8).
inline void RedisSimulation::share(const Ref& home, std::size_t key, Entry entry, bool timed_out) {
    const bool forgets = timed_out && without(Unprotected::after_a_timeout_written_with_the_fence_of_now);
    if (home->counts.empty() || (timed_out && !forgets)) return;
    if (forgets) entry.fence = home->engine.fence();
    const auto there = [=, this, value = Value{entry, home->counts}](Redis& server) {
        put(server, key, value);
        return true;
    };
    call<bool>(home, client(home), there, [](std::optional<bool>) {});
}

/// Rule 3, as the script of src/redis/entry_store.cpp.
inline void RedisSimulation::put(Redis& server, std::size_t key, const Value& value) const {
    auto& place = server.data.values[key];
    const Sequence before = place && place->generation == value.generation ? place->entry.fence : 0;
    if (before > value.entry.fence && !without(Unprotected::older_content_under_the_higher_fence)) return;
    place = value;
    place->entry.fence = std::max(before, value.entry.fence);
}

}  // namespace etage::simulation
