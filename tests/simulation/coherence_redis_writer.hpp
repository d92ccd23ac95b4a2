#pragma once
// As src/redis/log_appender.cpp and log_members.cpp; who changes what the origin says; and what has been acknowledged.

#include "coherence_redis_simulation.hpp"

namespace etage::simulation {

inline void RedisSimulation::write() {
    const Ref home = any_instance();
    const std::size_t key = std::min(pick(world_keys), pick(world_keys));
    const Entry before = origin_response(key);
    const TagHash tag = one_in(400) ? everything_tag : before.tags[1 + pick(3)];
    for (std::size_t k = 0; k < world_keys; ++k)  // whatever carries the tag has changed
        if (std::ranges::count(origin_response(k).tags, tag) != 0) ++versions_[k];
    const LogRecord what{0, tag, one_in(5) ? Softness::soft : Softness::hard, 0};
    on(home, latency(), [=, this] { invalidate(home, what); });
}

inline void RedisSimulation::invalidate(const Ref& i, LogRecord what) {
    what.began = ++moment_;
    const auto invalidation = named(what.tag, what.softness);
    i->engine.apply_ahead({{&what.tag, 1}, what.softness});
    append(i, invalidation, [=, this](std::optional<Appended> at) {
        owed_.push_back({i, what, now_});
        if (at && at->position != 0) return acknowledge(i, what, *at);
        ++counts.refused;
        queue(*i, invalidation);
        i->engine.apply_ahead({{&what.tag, 1}, what.softness});
    });
}

inline void RedisSimulation::append(const Ref& i, const flow::Invalidation& what, const Then& then) {
    const Sequence before = std::max(i->newest, i->engine.fence());
    const std::string history = i->history;
    if (history.empty()) return on(i, between(5, 40), [then] { then({}); });
    const auto there = [=, this](Redis& server) { return add(server, history, what); };
    const auto here = [=, this](std::optional<Appended> at) {
        if (at && at->position <= before) at.reset();
        then(at);
    };
    call<Appended>(i, client(i), there, here, 50);
}

inline RedisSimulation::Appended RedisSimulation::add(Redis& server, const std::string& history,
                                                      const flow::Invalidation& what) {
    const bool is_deposed = &server != primary_.get();
    if (!server.keeps(history) || server.data.last == StreamId{}) return {0, is_deposed, false};
    const StreamId id = server.next_id(now_);
    server.data.add(id, record_of(what));
    server.data.trim(records_kept);
    return {coherence::position_of(id), is_deposed, server.data.is_below};
}

/// What the guarantee holds for from here on. Excluded · What a server accepted that was no longer the primary binds
/// only where it was acknowledged: no protocol on asynchronous replication can do more (min-replicas-to-write can), and
/// nobody else learns of it before it is appended again. See settle(). And the token of a history that was begun by one
/// who knew nothing (all was lost, and a cold instance came first), below what others know from the time before: until
/// they have noticed, at most for a lease, they take it for one they have passed.
inline void RedisSimulation::acknowledge(const Ref& i, const LogRecord& what, const Appended& at) {
    if (!without(Unprotected::acknowledged_before_its_position_is_applied))
        i->engine.apply_ahead(at.position, {{&what.tag, 1}, what.softness});
    remember(*i, named(what.tag, what.softness), at.position);
    ++counts.acknowledged;
    i->acknowledged.bind(++moment_, what);
    if (at.is_deposed) return;
    if (!at.is_below) tokens_.push_back({what, at.position});
    if (tokens_.size() > 60) tokens_.erase(tokens_.begin());
    if (one_in(3)) wait_for_all(i, what, at.position, now_ + 1'500);
}

inline void RedisSimulation::remember(Instance& i, const flow::Invalidation& what, Sequence position) const {
    i.newest = std::max(i.newest, position);
    i.recent.forget_before(instant(now_ - window_ms));
    i.recent.note(what, instant(now_));
}

// --- rule 7

inline void RedisSimulation::wait_for_all(const Ref& i, const LogRecord& what, Sequence position, Ms give_up) {
    const auto there = [=, this](Redis& server) { return take_census(server, *i, position); };
    call<Census>(i, client(i), there, [=, this](std::optional<Census> census) {
        if (now_ < two_until_ + lease_ms) return;  // as above: who reads there is not waited for here
        if (census && census->is_deposed) return;
        if (census && (census->all || without(Unprotected::wait_all_does_not_wait))) {
            ++counts.by_all;
            return everywhere_.bind(++moment_, what);
        }
        if (now_ < give_up) on(i, between(1, 16), [=, this] { wait_for_all(i, what, position, give_up); });
    });
}

inline RedisSimulation::Census RedisSimulation::take_census(const Redis& server, const Instance& home,
                                                            Sequence position) const {
    const auto generation = coherence::Generation::parse(server.data.generation);
    const Ms clock = server.clock(now_);
    // A history younger than a lease does not know yet who lives.
    const bool knows_all = generation && generation->identity == server.identity &&
                           clock - static_cast<Ms>(generation->made_at_ms) >= lease_ms;
    const bool applied = std::ranges::all_of(server.data.live, [&](const auto& member) {
        const auto& [name, it] = member;
        return name == home.name || it.lapses <= clock || it.applied >= position;
    });
    return {knows_all && applied, &server != primary_.get()};
}

// --- what could not be appended

inline void RedisSimulation::queue(Instance& i, const flow::Invalidation& what) {
    if (!i.unrecorded.add(what)) ++counts.overflows;
}

inline void RedisSimulation::tail_lost(Instance& i) {
    i.recent.forget_before(instant(now_ - window_ms));
    for (const auto& each : i.recent.all()) i.unrecorded.add(each);
}

inline void RedisSimulation::hold(Instance& i) const {
    auto held = i.under_way;
    for (auto& each : i.unrecorded.all()) held.push_back(std::move(each));
    for (const auto& each : held) {
        const SimRecord record = record_of(each);
        i.engine.apply_ahead({record.tags, record.softness});
    }
}

inline void RedisSimulation::flush(const Ref& i) {
    on(i, between(10, 40), [this, i] {
        i->under_way = i->unrecorded.take();
        flush_one(i);
    });
}

inline void RedisSimulation::flush_one(const Ref& i) {
    if (i->under_way.empty()) return flush(i);
    const auto what = i->under_way.front();
    append(i, what, [this, i, what](std::optional<Appended> at) {
        if (at && at->position != 0) {
            ++counts.twice;
            const SimRecord record = record_of(what);
            i->engine.apply_ahead(at->position, {record.tags, record.softness});
            remember(*i, what, at->position);
        } else {
            queue(*i, what);
        }
        i->under_way.erase(i->under_way.begin());
        flush_one(i);
    });
}

/// In a calm hour everything that was asked for, refused or acknowledged anywhere, has come to all. Excluded · Who
/// asked died, and the log lost it with a server: nobody alive knows of it.
inline void RedisSimulation::settle() {
    constexpr Ms time_to_settle = 1'500;
    const bool calm = now_ - calm_since_ > time_to_settle && std::ranges::all_of(instances_, [&](const Ref& i) {
                          return i->engine.sight(instant(now_)) == Sight::clear;
                      });
    std::erase_if(owed_, [&](const Owed& owed) {
        if (!is_alive(owed.home)) return true;
        if (!calm || now_ - owed.since < time_to_settle / 2) return false;
        ++counts.settled;
        everywhere_.bind(++moment_, owed.record);
        return true;
    });
}

}  // namespace etage::simulation
