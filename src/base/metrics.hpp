#pragma once
// Counters that cost a few nanoseconds: one row of cells per thread, summed only when somebody looks.

#include <etage/verdict.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace etage::base {

/// Name, help. Every counter is exposed as `etage_<name>_total`.
#define ETAGE_COUNTERS(X)                                                                                  \
    X(requests, "Requests received")                                                                       \
    X(hits, "Requests answered without going forward")                                                     \
    X(not_modified, "304 answers made from a stored response")                                             \
    X(forwarded, "Requests that went forward")                                                             \
    X(collapsed, "Requests that waited for another request's fetch")                                       \
    X(stored, "Responses stored")                                                                          \
    X(background_refreshes, "Refreshes behind a stale answer")                                             \
    X(origin_fetches, "Calls to an origin")                                                                \
    X(origin_errors, "Calls to an origin that failed")                                                     \
    X(stale_served, "Stale answers served")                                                                \
    X(invalidations, "Invalidations recorded")                                                             \
    X(rate_limited, "Requests refused by a limit")                                                         \
    X(limits_dry_run, "Requests that a limit would have refused, were it not a dry run")                   \
    X(limit_calls, "Calls of Redis about limits")                                                          \
    X(limits_without_redis, "Decisions of common limits while Redis is away")                              \
    X(evictions, "Shelves evicted to stay within memory.limit")                                            \
    X(connections_accepted, "Client connections accepted")                                                 \
    X(connections_refused, "Client connections refused at the limit")                                      \
    X(accepts_failed, "Times that no client could be accepted, for want of descriptors or memory")         \
    X(connections_refused_per_client, "Client connections refused because their client has so many")       \
    X(proxy_headers_refused, "Connections of trusted proxies without a valid PROXY header")                \
    X(requests_malformed, "Requests that were not HTTP")                                                   \
    X(bytes_sent, "Bytes sent to clients")                                                                 \
    X(bytes_received, "Bytes received from clients")                                                       \
    X(compressions, "Bodies compressed")                                                                   \
    X(decodings, "Bodies decoded for clients that do not take their coding")                               \
    X(decode_failures, "Bodies that could not be decoded")                                                 \
    X(origin_retries, "Requests sent again because a kept connection was dead")                            \
    X(redis_hits, "Lookups that Redis answered with an entry")                                             \
    X(redis_misses, "Lookups for which Redis had nothing")                                                 \
    X(redis_away, "Lookups that Redis did not answer in time, or was not asked")                           \
    X(redis_writes, "Entries written to Redis")                                                            \
    X(redis_writes_dropped, "Entries not written: refused, or too many at once")                           \
    X(redis_values_too_large, "Entries not written: larger than redis.entry_max")                          \
    X(redis_damaged, "Values in Redis that were none of ours, or damaged; deleted")                        \
    X(redis_claims_awaited, "Fills that waited for another instance's")                                    \
    X(redis_commands, "Commands sent to Redis")                                                            \
    X(redis_errors, "Calls of Redis that got no reply")                                                    \
    X(redis_timeouts, "Calls of Redis that got no reply in time")                                          \
    X(redis_connects, "Connections to Redis made")                                                         \
    X(redis_breaker_opens, "Times that Redis was given up until it is back")                               \
    X(log_records_applied, "Records of the log of invalidations applied")                                  \
    X(log_records_unreadable, "Records that were not understood: each invalidated everything")             \
    X(log_gaps, "Times that records of the log were, or may have been, missed")                            \
    X(log_reattached, "Times that reading the log began anew on another connection")                       \
    X(log_histories, "New histories of the log begun here: its server was restarted, replaced or emptied") \
    X(invalidations_queued, "Invalidations that could not be recorded at once")                            \
    X(invalidations_lost_to_overflow, "Of those, merged into one of everything for want of room")          \
    X(coherence_checks, "Looks at whether something invalidated is still served")                          \
    X(coherence_violations, "Of those, it was. Must stay 0")                                               \
    X(reloads, "Configurations applied while serving")                                                     \
    X(reloads_refused, "Configurations that were not: something was wrong with them")                      \
    X(deadlines_hit, "Connections closed by a timeout")

enum class Counter : std::uint8_t {
#define ETAGE_ENUMERATOR(name, help) name,
    ETAGE_COUNTERS(ETAGE_ENUMERATOR)
#undef ETAGE_ENUMERATOR
        count_
};
inline constexpr auto counter_count = static_cast<std::size_t>(Counter::count_);

std::string_view counter_name(Counter) noexcept;
std::string_view counter_help(Counter) noexcept;

/// Origins with a name of their own in the metrics; further ones share the last row.
inline constexpr std::size_t metered_origins_max = 16;

/// One process's counters. Thread-safe: any thread adds, any thread sums. Adding never allocates after the first call
/// of a thread and never locks.
class Metrics {
public:
    /// Threads alive at once with cells of their own, plus one row that all further threads share (correct, only
    /// slower).
    static constexpr std::size_t rows_max = 64;

    void add(Counter c, std::uint64_t n = 1) noexcept { bump(row().counters[static_cast<std::size_t>(c)], n); }
    void add(Forward f) noexcept { bump(row().forwards[static_cast<std::size_t>(f)], 1); }
    void add(Detail d) noexcept { bump(row().details[static_cast<std::size_t>(d)], 1); }
    void add_origin_call(std::size_t origin) noexcept { bump(row().origin_calls[clip(origin)], 1); }
    void add_origin_saved(std::size_t origin) noexcept { bump(row().origin_saved[clip(origin)], 1); }

    std::uint64_t sum(Counter) const noexcept;
    std::uint64_t sum(Forward) const noexcept;
    std::uint64_t sum(Detail) const noexcept;
    std::uint64_t sum_origin_calls(std::size_t origin) const noexcept;
    std::uint64_t sum_origin_saved(std::size_t origin) const noexcept;

private:
    using Cell = std::atomic<std::uint64_t>;
    struct alignas(64) Row {
        std::array<Cell, counter_count> counters{};
        std::array<Cell, forward_count> forwards{};
        std::array<Cell, detail_count> details{};
        std::array<Cell, metered_origins_max> origin_calls{};
        std::array<Cell, metered_origins_max> origin_saved{};
    };

    static std::size_t thread_row() noexcept;  // index of this thread's row, fixed for its life
    Row& row() noexcept { return rows_[thread_row()]; }
    static std::size_t clip(std::size_t origin) noexcept {
        return origin < metered_origins_max ? origin : metered_origins_max - 1;
    }
    static void bump(Cell& cell, std::uint64_t n) noexcept { cell.fetch_add(n, std::memory_order_relaxed); }

    template <std::size_t N>
    std::uint64_t total(std::array<Cell, N> Row::* cells, std::size_t i) const noexcept {
        std::uint64_t sum = 0;
        for (const Row& r : rows_) sum += (r.*cells)[i].load(std::memory_order_relaxed);
        return sum;
    }

    std::array<Row, rows_max> rows_{};
};

}  // namespace etage::base
