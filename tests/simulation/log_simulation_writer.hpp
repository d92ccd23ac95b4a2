#pragma once
// As src/redis/log_appender.cpp and log_members.cpp; and who changes what the origin says.

#include "log_simulation.hpp"

namespace etage::simulation {

inline void LogSimulation::write() {
    const Ref home = any_instance();
    if (home->frozen_until > now_) return;
    const std::size_t key = std::min(pick(world_keys), pick(world_keys));
    const Entry before = origin_response(key);
    const TagHash tag = one_in(150) ? everything_tag : before.tags[1 + pick(3)];
    for (std::size_t k = 0; k < world_keys; ++k)  // whatever carries the tag has changed
        if (std::ranges::count(origin_response(k).tags, tag) != 0) ++versions_[k];
    LogRecord record{0, tag, one_in(5) ? Softness::soft : Softness::hard, 0};
    if (one_in(10)) {  // a foreign hand: nobody acknowledges anything
        later(latency(), [this, record]() mutable {
            record.began = ++moment_;
            if (!is_reachable() || primary_->refuses_writes) return;
            primary_->data.add({record}, primary_->next_id(now_));
        });
        return;
    }
    on(home, latency(), [this, home, record]() mutable {
        record.began = ++moment_;
        home->engine.apply_ahead({{&record.tag, 1}, record.softness});
        append(home, {record}, [this, home, record, asked = now_](std::optional<Sequence> position) {
            if (!position) return refuse(home, record);
            acknowledge(home, record, *position, asked);
        });
    });
}

/// `then` on the instance: the last position, or nothing.
inline void LogSimulation::append(const Ref& i, std::vector<LogRecord> records,
                                  std::function<void(std::optional<Sequence>)> then) {
    const Sequence before = std::max(i->newest, i->engine.fence());
    const std::string history = i->history;
    const auto fail = [this, i, then] { on(i, latency(), [then] { then(std::nullopt); }); };
    if (history.empty()) return fail();
    later(latency(), [=, this] {
        if (!is_reachable() || primary_->refuses_writes) return fail();
        SimData& data = primary_->data;
        const auto generation = coherence::Generation::parse(data.generation);
        const bool same = data.generation == history && generation && generation->identity == primary_->identity;
        if (!is(LogMutant::appends_to_any_history) && (!same || data.last == StreamId{})) {
            if (!is(LogMutant::a_refused_history_is_read_on)) on(i, latency(), [i, history] { i->refused = history; });
            return fail();
        }
        StreamId id;
        for (const LogRecord& record : records) {
            id = primary_->next_id(now_);
            data.add({record}, id);
            data.appended[record.tag] = now_;
        }
        while (data.records.size() > 100) data.records.erase(data.records.begin());
        if (one_in(60)) return fail();  // heard, and nobody knows
        const Sequence position = coherence::position_of(id);
        const bool is_good =
            coherence::has_position(id) && (position > before || is(LogMutant::appends_to_any_history));
        on(i, latency(), [=, this] {
            if (!is_good) return then(std::nullopt);
            i->newest = std::max(i->newest, position);
            for (const LogRecord& record : records) {
                i->recent.note(names_of(record.tag, record.softness), moment_of(now_));
                i->began[record.tag] = std::max(i->began[record.tag], record.began);
            }
            then(position);
        });
    });
}

inline void LogSimulation::acknowledge(const Ref& i, const LogRecord& record, Sequence position, Ms asked) {
    if (!is(LogMutant::acknowledged_before_its_position_is_applied))
        i->engine.apply_ahead(position, {{&record.tag, 1}, record.softness});
    ++counts.acknowledged;
    i->oracle.bind(++moment_, record);
    tokens_.push_back({record, position});
    if (tokens_.size() > 50) tokens_.erase(tokens_.begin());
    acknowledged_.push_back({i, record, asked, now_});
    if (one_in(3)) wait_for_all(i, record, position, now_ + 3'000);
}

inline void LogSimulation::refuse(const Ref& i, const LogRecord& record) {
    ++counts.refused;
    i->began[record.tag] = std::max(i->began[record.tag], record.began);
    i->own.bind(++moment_, record);
    owe(i, record, now_);
    if (is(LogMutant::what_was_not_recorded_is_dropped)) return;
    queue(*i, names_of(record.tag, record.softness));
    hold(*i);
}

inline void LogSimulation::queue(SimInstance& i, const flow::Invalidation& what) {
    if (!i.unrecorded.add(what) && is(LogMutant::overflow_is_dropped)) i.unrecorded.take();
}

inline void LogSimulation::tail_lost(SimInstance& i) {
    if (is(LogMutant::a_lost_tail_is_not_appended_again)) return;
    i.recent.forget_before(moment_of(now_ - 20'000));
    for (const auto& each : i.recent.all()) queue(i, each);
}

inline void LogSimulation::hold(SimInstance& i) {
    if (is(LogMutant::what_is_queued_does_not_hold)) return;
    for (const auto& list : {i.under_way, i.unrecorded.all()})
        for (const auto& each : list)
            for (const auto& target : each.targets) {
                const TagHash tag = tag_of(target);
                i.engine.apply_ahead({{&tag, 1}, each.softness});
            }
}

inline void LogSimulation::flush(const Ref& i) {
    on(i, between(20, 60), [this, i] {
        if (i->unrecorded.empty() || i->history.empty()) return flush(i);
        i->under_way = i->unrecorded.take();
        std::vector<LogRecord> records;
        for (const auto& each : i->under_way)
            for (const auto& target : each.targets)
                records.push_back({0, tag_of(target), each.softness, i->began[tag_of(target)]});
        append(i, records, [this, i, records](std::optional<Sequence> position) {
            for (const auto& each : std::exchange(i->under_way, {}))
                if (!position) queue(*i, each);
            for (const LogRecord& record : records)
                if (position) i->engine.apply_ahead(*position, {{&record.tag, 1}, record.softness});
            flush(i);
        });
    });
}

// --- who has applied it

inline void LogSimulation::wait_for_all(const Ref& i, const LogRecord& record, Sequence position, Ms give_up) {
    later(latency(), [=, this] {
        bool all = is_reachable();
        if (all) {
            const SimData& data = primary_->data;
            const Ms clock = primary_->clock(now_);
            const auto generation = coherence::Generation::parse(data.generation);
            const bool old_enough = generation && generation->identity == primary_->identity &&
                                    clock - static_cast<Ms>(generation->made_at_ms) >= lease_ms + slack_ms;
            all = old_enough || is(LogMutant::a_young_census_is_believed);
            for (const auto& [name, live] : data.live)
                if (name != i->name && live.lapses > clock && live.applied < position) all = false;
            if (is(LogMutant::acknowledges_all_without_waiting)) all = true;
        }
        on(i, latency(), [=, this] {
            if (all) {
                ++counts.by_all;
                return everywhere_.bind(++moment_, record);
            }
            if (now_ < give_up) on(i, between(2, 16), [=, this] { wait_for_all(i, record, position, give_up); });
        });
    });
}

// --- nothing is forgotten

inline void LogSimulation::owe(const Ref& i, const LogRecord& record, Ms since) {
    owed_.push_back({i, record, since, now_ + 2'000});
}

inline void LogSimulation::check_what_is_owed() {
    std::erase_if(owed_, [this](Owed& owed) {
        if (owed.due > now_) return false;
        if (std::ranges::find(instances_, owed.instance) == instances_.end()) return true;
        const bool could = owed.instance->frozen_until <= now_ && owed.instance->attached_since >= 0 &&
                           now_ - owed.instance->attached_since > 1'000 && now_ - calm_since_ > 1'000;
        if (!could) {
            owed.due = now_ + 300;
            return false;
        }
        auto& appended = primary_->data.appended;
        const bool is_there = (appended.contains(owed.record.tag) && appended[owed.record.tag] >= owed.since) ||
                              (appended.contains(everything_tag) && appended[everything_tag] >= owed.since);
        if (!is_there) violate("an invalidation never came into the log, or was lost with its tail");
        return true;
    });
}

}  // namespace etage::simulation
