#pragma once
// As src/redis/log_reader.cpp and log_reading.cpp.

#include "log_simulation.hpp"

namespace etage::simulation {

struct LogSimulation::Batch {
    Ms sent = 0;
    Sequence own = 0;
    bool beat_failed = false;
    std::vector<std::pair<StreamId, SimRecord>> records;
    bool has_read = false;
    std::string generation;
};

inline void LogSimulation::connect(const Ref& i) {
    later(latency(), [this, i] {
        if (!is_reachable()) return on(i, between(20, 60), [this, i] { connect(i); });
        auto link = std::make_shared<SimLink>(primary_);
        on(i, latency(), [this, i, link] {
            i->link = link;
            look(i, link, 0);
        });
    });
}

inline void LogSimulation::lose(const Ref& i) {
    if (i->link) i->link->is_open = false;
    i->attached_since = -1;
    on(i, between(10, 30), [this, i] { connect(i); });
}

inline void LogSimulation::look(const Ref& i, const Link& link, int tries) {
    const StreamId own = coherence::id_of(i->newest);
    later(latency(), [this, i, link, own, tries] {
        if (!link->is_open || !link->server->is_alive || tries == 8) return on(i, 0, [this, i] { lose(i); });
        const auto seen = link->server->seen(i->known.read, now_);
        std::vector<SimRecord> retained;
        for (const auto& [id, record] : link->server->data.records) retained.push_back(record);
        on(i, latency(), [=, this] { decide(i, link, seen, own, retained, tries); });
    });
}

inline void LogSimulation::decide(const Ref& i, const Link& link, coherence::SeenLog seen, StreamId own,
                                  std::vector<SimRecord> retained, int tries) {
    auto known = i->known;
    known.own = own;
    const auto generation = coherence::Generation::parse(seen.generation);
    if (is(LogMutant::another_server_is_taken_for_the_same) && generation) seen.identity = generation->identity;
    if (is(LogMutant::a_shorter_log_is_no_new_history) && generation && seen.length != 0) {
        known.own = {};
        if (seen.last <= known.read) seen.newest = seen.last = {known.read.ms, known.read.n + 1};
        seen.has_read = true;
    }
    auto next = coherence::continue_log(known, seen);
    using Step = Continuity::Step;
    if (next.step == Step::replay || next.step == Step::gap || next.step == Step::cold)
        return take_up(i, link, seen, next, retained);
    if (is(LogMutant::a_new_history_does_not_leap) && next.step == Step::renew) next.id = link->server->next_id(now_);
    begin_history(i, link, seen, next, tries);
}

inline void LogSimulation::begin_history(const Ref& i, const Link& link, const coherence::SeenLog& seen,
                                         const Continuity& next, int tries) {
    later(latency(), [=, this] {
        SimServer& server = *link->server;
        const bool can = link->is_open && server.is_alive && !server.refuses_writes;
        if (!can) return on(i, 0, [this, i] { lose(i); });
        SimRecord mark;
        mark.has_effect = false;
        mark.begins_history = next.step != Continuity::Step::step;
        if (!mark.begins_history) {
            server.data.add(mark, next.id);
        } else if (server.data.generation == seen.generation) {
            if (next.step == Continuity::Step::rebuild) server.data.records.clear(), server.data.last = {};
            if (server.data.add(mark, next.id)) {
                ++counts.histories;
                history_begun_ = now_;
                server.data.generation = coherence::Generation::text(fresh_name(), server.identity,
                                                                     static_cast<std::uint64_t>(server.clock(now_)));
            }
        }
        on(i, latency(), [=, this] { look(i, link, tries + 1); });
    });
}

inline void LogSimulation::take_up(const Ref& i, const Link& link, const coherence::SeenLog& seen,
                                   const Continuity& next, const std::vector<SimRecord>& retained) {
    using Step = Continuity::Step;
    const bool suspicious = std::exchange(i->is_suspicious, false);
    const bool changed = !i->known.generation.empty() && i->known.generation != seen.generation;
    const bool was_cold = i->known.generation.empty();
    const bool is_gap = next.step == Step::gap || (next.step == Step::replay && suspicious);
    const StreamId before = i->known.read;
    i->known.read = is_gap ? seen.last : next.id;
    i->known.generation = seen.generation;
    if (changed && is(LogMutant::another_history_is_read_on)) {
        i->known.read = before;
    } else if (is_gap && is(LogMutant::a_gap_is_overlooked)) {
        i->engine.apply(coherence::position_of(i->known.read), {});
    } else {
        i->engine.raise_floor(coherence::position_of(i->known.read));
    }
    if (next.step == Step::cold && is(LogMutant::a_cold_reader_skips_what_is_retained)) {
        i->known.read = seen.last;
        i->engine.apply(coherence::position_of(seen.last), {});
    }
    if (is_gap) {
        ++counts.gaps;
        for (const SimRecord& record : retained)
            if (record.has_effect) i->oracle.bind(++moment_, record.what);
    }
    i->history = seen.generation;
    if (changed && !is(LogMutant::a_new_history_has_the_old_ones_values)) i->counts.clear();
    if (is(LogMutant::values_count_before_the_log_is_read)) i->counts = seen.generation;
    if ((changed || is_gap) && !was_cold) tail_lost(*i);
    hold(*i);
    if (i->attached_since < 0) i->attached_since = now_;
    i->beat_at = now_;
    iterate(i, link);
}

inline void LogSimulation::iterate(const Ref& i, const Link& link) {
    auto batch = std::make_shared<Batch>();
    batch->sent = now_;
    batch->own = i->newest;
    const StreamId read = i->known.read;
    const auto finish = [this, i, link, batch, read] {
        if (!link->is_open || !link->server->is_alive) return on(i, 0, [this, i] { lose(i); });
        batch->has_read = link->server->data.records.contains(read);
        batch->generation = link->server->data.generation;
        on(i, latency(), [this, i, link, batch] { take_batch(i, link, *batch); });
    };
    const auto take = [this, i, link, batch, read, finish] {
        const auto& records = link->server->data.records;
        for (auto it = records.upper_bound(read); it != records.end() && batch->records.size() < records_per_batch;
             ++it)
            batch->records.emplace_back(*it);
        if (is(LogMutant::says_it_has_applied_before_it_has) && !batch->records.empty())
            link->server->data.live[i->name].applied = batch->records.back().second.what.position;
        later(between(0, 2), finish);
    };
    later(latency(), [this, i, link, batch, read, take] {
        SimServer& server = *link->server;
        batch->beat_failed = server.refuses_writes;
        if (!batch->beat_failed)
            server.data.live[i->name] = {coherence::position_of(read), server.clock(now_) + lease_ms + slack_ms};
        if (server.data.last > read) return take();
        later(between(1, lease_ms / 4), take);
    });
}

inline void LogSimulation::take_batch(const Ref& i, const Link& link, const Batch& batch) {
    if (!is(LogMutant::a_batch_is_not_checked) && !coherence::is_next_batch(i->known, batch.generation, batch.has_read))
        return lose(i);
    bool is_sound = true;
    for (const auto& [id, record] : batch.records) {
        apply(*i, id, record);
        is_sound = id.ms <= coherence::largest_ms;
        if (!is_sound) break;
        i->known.read = id;
    }
    if (!batch.records.empty()) hold(*i);
    if (!is_sound) return lose(i);
    const bool is_all = batch.records.size() < records_per_batch;
    if (is_all && coherence::position_of(i->known.read) < batch.own &&
        !is(LogMutant::its_own_missing_record_is_no_gap)) {
        i->is_suspicious = true;
        return lose(i);
    }
    if (is_all || is(LogMutant::sees_before_all_is_read)) see(*i, batch);
    if (std::exchange(i->refused, {}) == i->known.generation) return lose(i);
    if (!batch.beat_failed) i->beat_at = batch.sent;
    if (batch.sent - i->beat_at > beats_missed_ms) return lose(i);
    const StreamId read = i->known.read;
    if (!coherence::has_position(read)) {
        later(latency(), [this, link, read] {
            SimRecord mark;
            mark.has_effect = false;
            if (!link->server->refuses_writes) link->server->data.add(mark, {read.ms + 1, 0});
        });
    }
    on(i, one_in(80) ? between(50, 600) : between(0, 2), [this, i, link] { iterate(i, link); });
}

inline void LogSimulation::apply(SimInstance& i, StreamId id, const SimRecord& record) {
    ++moment_;
    const Sequence position = coherence::position_of(id);
    std::vector<TagHash> tags;
    if (record.has_effect) {
        tags.push_back(record.what.tag);
        i.oracle.bind(moment_, record.what);
    }
    const coherence::Record effect{tags, record.what.softness};
    if (position <= i.engine.fence() || id.ms > coherence::largest_ms) {
        if (!is(LogMutant::a_shared_position_is_a_repeat)) i.engine.apply_ahead(effect);
        return;
    }
    if (!record.begins_history || is(LogMutant::a_history_mark_is_no_floor)) return i.engine.apply(position, effect);
    i.engine.apply_ahead(position, effect);
    i.engine.raise_floor(position);
}

inline void LogSimulation::see(SimInstance& i, const Batch& batch) {
    const Ms since = is(LogMutant::sees_from_the_reply_on) ? now_ : batch.sent;
    if (!batch.beat_failed || is(LogMutant::sees_although_nobody_waits_for_it)) i.clear_until = since + lease_ms;
    if (is(LogMutant::sees_although_silent)) i.clear_until = since + 1'000'000;
    const Ms dim = options_.strict ? i.clear_until : std::max(i.clear_until, since + blind_max_ms);
    i.engine.sees_until(moment_of(i.clear_until), moment_of(dim));
    i.counts = i.known.generation;
}

}  // namespace etage::simulation
