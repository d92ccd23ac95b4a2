#pragma once
// A Redis that is lost in every way, and the instances that share it: for coherence_redis_test.cpp. What decides is
// real (Engine, continue_log, is_next_batch, Unrecorded, Timed); what src/redis does around it is played step by step
// on virtual time, so that anything may happen between any two steps. Each instance has two ways to Redis, as in src/:
// the reader's own connection, and the client for everything else. They need not end at the same server.

#include "coherence/continuity.hpp"
#include "coherence_oracle.hpp"
#include "redis/unrecorded.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace etage::simulation {

using coherence::Continuity;
using coherence::Engine;
using coherence::Sight;
using coherence::StreamId;
using coherence::Validity;
using Ms = std::int64_t;  // virtual

inline constexpr TagHash everything_tag = 1;
inline constexpr TagHash first_surrogate = 100;
inline constexpr TagHash first_key_tag = 1000;
inline constexpr std::size_t world_keys = 32;
inline constexpr std::size_t world_surrogates = 16;
inline constexpr Ms lease_ms = 200;
inline constexpr Ms window_ms = 20'000;  // as redis::tail_window
inline constexpr std::size_t records_kept = 60;
inline constexpr std::size_t records_per_batch = 8;

/// One protection each, switched off. (What is queued, appended again, or begins cold, log_random_test.cpp asks more
/// closely: reads alone tell seldom.)
enum class Unprotected : std::uint8_t {
    nothing,
    a_gap_is_overlooked,
    values_of_any_generation_count,
    a_new_history_is_no_floor,
    no_ratchet,
    a_batch_that_is_not_the_next_is_applied,
    acknowledged_before_its_position_is_applied,
    the_lease_is_ignored,
    wait_all_does_not_wait,
    older_content_under_the_higher_fence,
    after_a_timeout_written_with_the_fence_of_now,
    unsure_is_valid,
    values_keep_the_old_generation_in_the_new_history,
    count
};

enum class Fault : std::uint8_t {
    connection_lost,
    cut_off,
    frozen,
    killed,
    trimmed,
    failover_without_loss,
    failover_without_tail,
    two_primaries,
    flushed,
    log_deleted,
    restarted_empty,
    restarted_without_tail,
    slow,
    count
};

struct SimRecord {
    std::vector<TagHash> tags;
    coherence::Softness softness = coherence::Softness::hard;
};

/// An entry in Redis.
struct Value {
    Entry entry;
    std::string generation;
};

/// What lies on one server. Copied, it is its replica, or what was on its disk.
struct Data {
    std::string generation;
    std::map<StreamId, SimRecord> records;
    StreamId last;
    bool is_below = false;  // ghost: its history begins below positions that an instance knows
    struct Member {
        Sequence applied = 0;
        Ms lapses = 0;
    };
    std::map<int, Member> live;
    std::array<std::optional<Value>, world_keys> values;

    bool add(StreamId id, SimRecord record) {
        if (id <= last) return false;
        last = id;
        records.emplace(id, std::move(record));
        return true;
    }
    void trim(std::size_t keep) {
        while (records.size() > keep) records.erase(records.begin());
    }
};

struct Redis {
    std::string identity;
    Ms clock_offset = 0;
    bool is_alive = true;
    Data data;

    Ms clock(Ms now) const { return 1'000'000 + now + clock_offset; }
    StreamId next_id(Ms now) const {
        const auto ms = static_cast<std::uint64_t>(clock(now));
        return ms > data.last.ms ? StreamId{ms, 0} : StreamId{data.last.ms, data.last.n + 1};
    }
    /// As the scripts: a server that was promoted has the generation of its predecessor.
    bool keeps(const std::string& generation) const {
        const auto parsed = coherence::Generation::parse(data.generation);
        return data.generation == generation && parsed && parsed->identity == identity;
    }
    coherence::SeenLog seen(StreamId read, Ms now) const {
        const auto& r = data.records;
        const StreamId first = r.empty() ? StreamId{} : r.begin()->first;
        const StreamId newest = r.empty() ? StreamId{} : r.rbegin()->first;
        return {data.generation,  identity, true,
                r.contains(read), first,    newest,
                data.last,        r.size(), static_cast<std::uint64_t>(clock(now))};
    }
};

/// A connection. What is closed never opens again.
struct Link {
    std::shared_ptr<Redis> server;
    bool is_open = true;
};
using LinkRef = std::shared_ptr<Link>;

/// Ghost: what a request must not be answered with.
struct Request {
    Moment began = 0;  // 0: nobody waits
    std::optional<LogRecord> token;
};

struct Flight {
    Sequence fence = 0;
    std::vector<Request> waiting;
};
using FlightRef = std::shared_ptr<Flight>;

/// One process in one life.
struct Instance {
    explicit Instance(int name_) : name(name_) {}

    int name;
    Engine engine{0, 32};
    std::array<std::optional<Entry>, world_keys> memory;
    std::array<FlightRef, world_keys> flights;
    Ms frozen_until = 0;
    Ms cut_until = 0;

    LinkRef link;    // the reader's
    LinkRef client;  // for all else
    coherence::KnownLog known;
    std::string history;  // that may be appended to
    std::string counts;   // whose values count

    Sequence newest = 0;
    redis::Unrecorded unrecorded{4};
    std::vector<flow::Invalidation> under_way;
    redis::Timed recent{64};

    Oracle acknowledged;  // ghost: here
};
using Ref = std::shared_ptr<Instance>;

inline flow::Invalidation named(TagHash tag, coherence::Softness softness) {
    if (tag == everything_tag) return {{{flow::Target::Kind::everything, {}}}, softness};
    return {{{flow::Target::Kind::tag, std::to_string(tag)}}, softness};
}
inline SimRecord record_of(const flow::Invalidation& what) {
    SimRecord out{{}, what.softness};
    for (const flow::Target& t : what.targets)
        out.tags.push_back(t.kind == flow::Target::Kind::everything ? everything_tag : std::stoull(t.text));
    return out;
}

}  // namespace etage::simulation
