#pragma once
// As the walk: memory, flights, the shared store, the origin; and the oracle.

#include "log_simulation.hpp"

namespace etage::simulation {

inline TagHash LogSimulation::surrogate(std::size_t key, int version, std::size_t which) {
    const auto mixed = (key * 31 + static_cast<std::size_t>(version) / 2 * 7 + which * 13) * 2654435761U;
    return 100 + (mixed >> 8U) % 12;
}

inline Entry LogSimulation::origin_response(std::size_t key) const {
    const int version = versions_[key];
    return {0, 0, {everything_tag, 1000 + key, surrogate(key, version, 0), surrogate(key, version, 1)}, version, 0};
}

inline void LogSimulation::read() {
    ++counts.reads;
    const Ref home = any_instance();
    if (home->frozen_until > now_) return;
    const std::size_t key = std::min(pick(world_keys), pick(world_keys));
    const Sight sight = home->engine.sight(moment_of(now_));
    Request request{++moment_, sight == Sight::clear, {}};
    if (!tokens_.empty() && one_in(6)) {
        const Token& token = tokens_[tokens_.size() - 1 - std::min(pick(tokens_.size()), pick(tokens_.size()))];
        if (!home->engine.caught_up(token.position)) return;  // bypasses the cache
        request.token = token.record;
        ++counts.tokens;
    }
    if (sight == Sight::blind) {
        ++counts.blind;
        return board(home, key, request);
    }
    if (sight == Sight::dim) ++counts.dim;
    if (auto& place = home->memory[key]) {
        const Validity verdict = validity(*home, *place);
        if (verdict <= Validity::stale) {
            ++(verdict == Validity::valid ? counts.hits : counts.stale);
            answer(*home, request, *place, verdict == Validity::valid);
            if (verdict == Validity::stale && !home->flights[key]) board(home, key, {});
            return;
        }
        if (verdict == Validity::unsure) ++counts.unsure;
    }
    board(home, key, request);
}

inline Validity LogSimulation::validity(SimInstance& home, Entry& entry) const {
    const Sequence position = home.engine.fence();
    if (home.engine.nothing_after(entry.validated)) return Validity::valid;
    auto verdict = home.engine.judge(entry.fence, entry.tags);
    if (verdict == Validity::unsure && is(LogMutant::below_the_floor_is_valid)) verdict = Validity::valid;
    if (verdict == Validity::valid) entry.validated = position;
    return verdict;
}

inline void LogSimulation::answer(SimInstance& home, const Request& request, const Entry& entry, bool fresh) {
    if (!violation.empty() || request.began == 0) return;
    const auto binds = [&](const LogRecord& record) {
        if (std::ranges::count(entry.tags, record.tag) == 0 || entry.began >= record.began) return false;
        return record.softness == Softness::hard || fresh;
    };
    const std::string what = "key " + std::to_string(entry.tags[1] - 1000) + " at " + std::to_string(home.name) + ": ";
    if (!home.oracle.allows(request.began, entry, fresh)) violate(what + "older than what this instance knows");
    if (request.sees && !everywhere_.allows(request.began, entry, fresh)) violate(what + "older than what all have");
    if (request.token && binds(*request.token)) violate(what + "older than the token it carries");
    // What could not be recorded holds here, against everybody who has not come further than this instance.
    if (entry.fence <= home.engine.fence() && !home.own.allows(request.began, entry, fresh))
        violate(what + "older than what is to be recorded");
}

inline void LogSimulation::board(const Ref& home, std::size_t key, const Request& request) {
    auto& flight = home->flights[key];
    const TagHash known[] = {everything_tag, 1000 + key};
    const bool blind = home->engine.sight(moment_of(now_)) == Sight::blind;
    if (flight && !blind && home->engine.judge(flight->fence, known) == Validity::valid) {
        ++counts.joined;
        return flight->waiting.push_back(request);
    }
    flight = std::make_shared<Flight>(Flight{home->engine.fence(), {request}});
    fill(home, key, flight);
}

inline bool LogSimulation::counts_here(const SimInstance& home, const SimData::Shared& shared) const {
    return shared.generation == home.counts || is(LogMutant::values_of_another_history_count);
}

inline void LogSimulation::fill(const Ref& home, std::size_t key, const std::shared_ptr<Flight>& flight) {
    ++counts.fills;
    const Moment began = ++moment_;
    const bool looks = !home->counts.empty() && home->engine.sight(moment_of(now_)) != Sight::blind;
    if (!looks || one_in(4)) return ask_origin(home, key, flight, began);
    later(latency(), [=, this] {
        std::optional<SimData::Shared> found;
        const auto& shared = primary_->data.shared;
        if (const auto it = shared.find(key); it != shared.end() && is_reachable()) found = it->second;
        on(home, latency(), [=, this]() mutable {
            if (found && counts_here(*home, *found) && validity(*home, found->entry) == Validity::valid) {
                ++counts.shared;
                found->entry.validated = found->entry.fence;
                return land(home, key, flight, found->entry);
            }
            ask_origin(home, key, flight, began);
        });
    });
}

inline void LogSimulation::ask_origin(const Ref& home, std::size_t key, const std::shared_ptr<Flight>& flight,
                                      Moment began) {
    later(latency(), [=, this] {
        Entry entry = origin_response(key);
        entry.fence = entry.validated = flight->fence;
        entry.began = began;
        on(home, latency(), [=, this] {
            land(home, key, flight, entry);
            share(home, key, entry);
        });
    });
}

/// Whoever waits and may not have it asks again.
inline void LogSimulation::land(const Ref& home, std::size_t key, const std::shared_ptr<Flight>& flight,
                                const Entry& entry) {
    if (home->flights[key] == flight) home->flights[key].reset();
    auto& place = home->memory[key];
    if (!place || place->fence <= entry.fence) place = entry;
    bool leads = true;
    for (const Request& request : flight->waiting) {
        Entry copy = entry;
        if (std::exchange(leads, false) || validity(*home, copy) == Validity::valid)
            answer(*home, request, entry, true);
        else
            board(home, key, request);
    }
}

inline void LogSimulation::share(const Ref& home, std::size_t key, const Entry& entry) {
    if (home->counts.empty()) return;
    const SimData::Shared value{entry, home->counts};
    later(latency(), [=, this] {
        if (!is_reachable() || primary_->refuses_writes) return;
        auto& place = primary_->data.shared[key];
        if (place.generation == value.generation && place.entry.fence > entry.fence) return;
        place = value;
        place.entry.validated = entry.fence;
    });
}

}  // namespace etage::simulation
