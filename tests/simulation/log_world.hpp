#pragma once
// A Redis that can be lost in every way, and instances that read one log on it: for log_random_test.cpp. The decisions
// are the real ones (coherence/continuity.hpp, Engine, Unrecorded); what surrounds them in src/redis is played here
// step by step, so that other instances and the nemesis come between any two steps.

#include "coherence/continuity.hpp"
#include "coherence_oracle.hpp"
#include "redis/unrecorded.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace etage::simulation {

using coherence::Continuity;
using coherence::Engine;
using coherence::Sight;
using coherence::StreamId;
using coherence::Validity;
using Ms = std::int64_t;  // virtual time

inline constexpr TagHash everything_tag = 1;
inline constexpr std::size_t world_keys = 24;
inline constexpr Ms lease_ms = 200;
inline constexpr Ms slack_ms = 2;  // whoever lapses has been blind before
inline constexpr Ms blind_max_ms = 2'000;
inline constexpr Ms beats_missed_ms = 3 * lease_ms;
inline constexpr std::size_t records_per_batch = 8;

inline Instant moment_of(Ms time) { return Instant(std::chrono::milliseconds(time)); }

/// One protection each, switched off.
enum class LogMutant : std::uint8_t {
    none,
    a_gap_is_overlooked,
    another_history_is_read_on,
    a_batch_is_not_checked,
    another_server_is_taken_for_the_same,
    a_shorter_log_is_no_new_history,
    a_new_history_does_not_leap,
    a_history_mark_is_no_floor,
    a_cold_reader_skips_what_is_retained,
    below_the_floor_is_valid,
    a_shared_position_is_a_repeat,
    its_own_missing_record_is_no_gap,
    a_refused_history_is_read_on,
    appends_to_any_history,
    acknowledged_before_its_position_is_applied,
    what_is_queued_does_not_hold,
    what_was_not_recorded_is_dropped,
    overflow_is_dropped,
    a_lost_tail_is_not_appended_again,
    values_of_another_history_count,
    a_new_history_has_the_old_ones_values,
    values_count_before_the_log_is_read,
    sees_although_silent,
    sees_before_all_is_read,
    sees_from_the_reply_on,
    sees_although_nobody_waits_for_it,
    says_it_has_applied_before_it_has,
    acknowledges_all_without_waiting,
    a_young_census_is_believed,
};
inline constexpr int log_mutants = static_cast<int>(LogMutant::a_young_census_is_believed) + 1;

struct SimRecord {
    LogRecord what;
    bool begins_history = false;
    bool has_effect = true;
};

/// What lies on one server. Copied, it is its replica.
struct SimData {
    std::string generation;
    std::map<StreamId, SimRecord> records;
    StreamId last;
    struct Live {
        Sequence applied = 0;
        Ms lapses = 0;
    };
    std::map<int, Live> live;
    struct Shared {
        Entry entry;
        std::string generation;
    };
    std::map<std::size_t, Shared> shared;
    std::map<TagHash, Ms> appended;  // ghost: when last

    std::optional<StreamId> add(const SimRecord& record, StreamId id) {
        if (id <= last) return std::nullopt;
        last = id;
        records[id] = record;
        records[id].what.position = coherence::position_of(id);
        return id;
    }
};

struct SimServer {
    std::string identity;
    Ms clock_offset = 0;
    bool is_alive = true;
    bool refuses_writes = false;
    SimData data;

    Ms clock(Ms now) const { return 1'000'000 + now + clock_offset; }
    StreamId next_id(Ms now) const {
        const auto ms = static_cast<std::uint64_t>(clock(now));
        return ms > data.last.ms ? StreamId{ms, 0} : StreamId{data.last.ms, data.last.n + 1};
    }
    coherence::SeenLog seen(StreamId read, Ms now) const {
        const auto& records = data.records;
        return {data.generation,
                identity,
                true,
                records.contains(read),
                records.empty() ? StreamId{} : records.begin()->first,
                records.empty() ? StreamId{} : records.rbegin()->first,
                data.last,
                records.size(),
                static_cast<std::uint64_t>(clock(now))};
    }
};

/// Ghost: what a request may not be answered with.
struct Request {
    Moment began = 0;
    bool sees = false;  // its instance saw clearly: what all have acknowledged binds it
    std::optional<LogRecord> token;
};

/// A connection: closed, nothing is ever heard of it again.
struct SimLink {
    std::shared_ptr<SimServer> server;
    bool is_open = true;
};

struct Flight {
    Sequence fence = 0;
    std::vector<Request> waiting;
};

/// One process; a new life begins with nothing.
struct SimInstance {
    explicit SimInstance(int name_) : name(name_) {}

    int name;
    Engine engine{0, 64};
    std::array<std::optional<Entry>, world_keys> memory;
    std::array<std::shared_ptr<Flight>, world_keys> flights;
    Ms frozen_until = 0;

    // reader
    std::shared_ptr<SimLink> link;
    coherence::KnownLog known;
    std::string history;  // that may be appended to
    std::string counts;   // whose values count
    Ms clear_until = -1;
    bool is_suspicious = false;
    std::string refused;     // the history that an append was refused by
    Ms beat_at = 0;          // when it was last heard that this instance lives
    Ms attached_since = -1;  // ghost

    // appender
    Sequence newest = 0;
    redis::Unrecorded unrecorded{3};
    std::vector<flow::Invalidation> under_way;
    redis::Timed recent{64};
    std::map<TagHash, Moment> began;  // ghost: of what is queued or recent

    Oracle oracle;  // what has been acknowledged here, or read
    Oracle own;     // what could not be recorded: binds what was filled here
};

inline flow::Invalidation names_of(TagHash tag, coherence::Softness softness) {
    using Kind = flow::Target::Kind;
    flow::Target target{Kind::tag, std::to_string(tag)};
    if (tag == everything_tag) target = {Kind::everything, {}};
    return {{target}, softness};
}
inline TagHash tag_of(const flow::Target& target) {
    return target.kind == flow::Target::Kind::everything ? everything_tag : std::stoull(target.text);
}

}  // namespace etage::simulation
