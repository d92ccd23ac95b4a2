#pragma once
// As src/redis/log_reader.cpp and log_reading.cpp.

#include "coherence_redis_simulation.hpp"

namespace etage::simulation {

struct RedisSimulation::Batch {
    Ms sent = 0;
    StreamId read;
    std::vector<std::pair<StreamId, SimRecord>> records;
    bool has_read = false;
    std::string generation;
};

inline void RedisSimulation::connect(const Ref& i) {
    on(i, latency(), [this, i] {
        if (i->cut_until > now_ || !primary_->is_alive) return on(i, between(20, 60), [this, i] { connect(i); });
        i->link = std::make_shared<Link>(primary_);
        look(i, i->link, 0);
    });
}

inline void RedisSimulation::lose(const Ref& i) {
    i->link->is_open = false;
    on(i, between(10, 40), [this, i] { connect(i); });
}

inline void RedisSimulation::look(const Ref& i, const LinkRef& link, int tries) {
    const StreamId own = coherence::id_of(i->newest);  // before the look
    const auto what = [this, read = i->known.read](Redis& server) { return server.seen(read, now_); };
    call<coherence::SeenLog>(i, link, what, [=, this](const std::optional<coherence::SeenLog>& seen) {
        if (!seen || tries == 8) return lose(i);
        decide(i, link, own, *seen, tries);
    });
}

inline void RedisSimulation::decide(const Ref& i, const LinkRef& link, StreamId own, const coherence::SeenLog& seen,
                                    int tries) {
    auto known = i->known;
    known.own = own;
    Continuity next = coherence::continue_log(known, seen);
    if (next.step == Step::replay || next.step == Step::gap || next.step == Step::cold) {
        take_up(i, seen, next);
        return iterate(i, link);
    }
    if (next.step == Step::renew && without(Unprotected::no_ratchet)) next.id = link->server->next_id(now_);
    begin_history(i, link, seen, next, tries);
}

/// Or only a step in it.
inline void RedisSimulation::begin_history(const Ref& i, const LinkRef& link, const coherence::SeenLog& seen,
                                           const Continuity& next, int tries) {
    const std::string name = fresh_name();
    const auto what = [=, this](Redis& server) {
        if (next.step == Step::step) return server.data.add(next.id, {});
        if (server.data.generation != seen.generation) return false;  // another one was faster
        if (!server.data.add(next.id, {})) return false;
        ++counts.histories;
        server.data.is_below = i->known.generation.empty() && is_known(coherence::position_of(next.id));
        server.data.generation =
            coherence::Generation::text(name, server.identity, static_cast<std::uint64_t>(server.clock(now_)), next.id);
        return true;
    };
    call<bool>(i, link, what, [=, this](std::optional<bool> done) {
        if (!done) return lose(i);
        look(i, link, tries + 1);
    });
}

inline void RedisSimulation::take_up(const Ref& i, const coherence::SeenLog& seen, const Continuity& next) {
    const bool was_cold = i->known.generation.empty();
    const bool changed = !was_cold && i->known.generation != seen.generation;
    const bool is_gap = next.step == Step::gap;
    const bool is_overlooked = (is_gap && !changed && without(Unprotected::a_gap_is_overlooked)) ||
                               (changed && without(Unprotected::a_new_history_is_no_floor));
    i->known.read = is_gap ? seen.last : next.id;
    i->known.generation = seen.generation;
    const Sequence position = coherence::position_of(i->known.read);
    // Before the first fence of the new history: it must not be written beside the name of the old one.
    if (changed && !without(Unprotected::values_keep_the_old_generation_in_the_new_history)) i->counts.clear();
    is_overlooked ? i->engine.apply(position, {}) : i->engine.raise_floor(position);
    if (is_gap) ++counts.gaps;
    i->history = seen.generation;
    if (changed) tail_lost(*i);
    hold(*i);
}

/// One pipeline: the beat and the records, and some time later, still there, what was read last and the generation.
inline void RedisSimulation::iterate(const Ref& i, const LinkRef& link) {
    auto batch = std::make_shared<Batch>();
    batch->sent = now_;
    batch->read = i->known.read;
    later(latency(), [=, this] {
        Redis& server = *link->server;
        const bool arrives = link->is_open && server.is_alive && i->cut_until <= now_;
        if (!arrives) return on(i, between(5, 40), [this, i] { lose(i); });
        server.data.live[i->name] = {coherence::position_of(batch->read), server.clock(now_) + lease_ms};
        const bool waits = server.data.last <= batch->read;
        later(waits ? between(1, lease_ms / 4) : 0, [=, this] { finish(i, link, batch); });
    });
}

inline void RedisSimulation::finish(const Ref& i, const LinkRef& link, const std::shared_ptr<Batch>& batch) {
    const auto& records = link->server->data.records;
    for (auto r = records.upper_bound(batch->read); r != records.end() && batch->records.size() < records_per_batch;
         ++r)
        batch->records.emplace_back(*r);
    later(between(0, 1), [=, this] {
        const Data& data = link->server->data;
        batch->has_read = data.records.contains(batch->read);
        batch->generation = data.generation;
        const bool returns = link->is_open && link->server->is_alive && i->cut_until <= now_;
        on(i, returns ? latency() : between(5, 40), [=, this] {
            if (!returns || !take_batch(*i, *batch)) return lose(i);
            iterate(i, link);
        });
    });
}

/// False: reading cannot go on like this.
inline bool RedisSimulation::take_batch(Instance& i, const Batch& batch) {
    const bool is_next = coherence::is_next_batch(i.known, batch.generation, batch.has_read);
    if (!is_next) ++counts.not_next;
    if (!is_next && !without(Unprotected::a_batch_that_is_not_the_next_is_applied)) return false;
    for (const auto& [id, record] : batch.records) {
        apply(i, id, record);
        i.known.read = id;
    }
    if (!batch.records.empty()) hold(i);
    if (batch.records.size() == records_per_batch) return true;
    see(i, batch.sent);
    return true;
}

inline void RedisSimulation::apply(Instance& i, StreamId id, const SimRecord& record) {
    ++moment_;
    const Sequence position = coherence::position_of(id);
    const coherence::Record effect{record.tags, record.softness};
    if (position <= i.engine.fence()) return i.engine.apply_ahead(effect);
    i.engine.apply(position, effect);
}

/// Everything that was in the log at `sent` has been applied. Strict: never dim.
inline void RedisSimulation::see(Instance& i, Ms sent) const {
    i.engine.sees_until(instant(sent + lease_ms), instant(sent + lease_ms));
    i.counts = i.known.generation;
}

}  // namespace etage::simulation
