#pragma once
// What the walk passes through, put together by compose and borrowed here.

#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "coherence/engine.hpp"
#include "flow/flight.hpp"
#include "flow/gate.hpp"
#include "flow/invalidation.hpp"
#include "flow/origin.hpp"
#include "net/slots.hpp"
#include "policy/route.hpp"
#include "store/memory_store.hpp"
#include "store/remote_store.hpp"

#include <asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace etage::flow {

/// Rows of docs/limits.md.
struct WalkLimits {
    Duration follower_wait_max = std::chrono::seconds(10);   // then a follower fetches alone
    Duration not_shareable_for = std::chrono::seconds(30);   // how long a key is remembered as not shareable
    std::size_t collect_bytes_max = std::size_t{256} << 10;  // larger or unknown: streamed while it arrives
    std::size_t entry_bytes_max = std::size_t{8} << 20;      // larger: not stored
    std::size_t error_bytes_max = std::size_t{64} << 10;     // of an origin's error shared with those who wait
    std::size_t query_bytes_max = std::size_t{64} << 10;     // of a QUERY's content; with more it is not cached
    std::uint32_t hot_hits_min = 32;                         // answers with a coding before it is made smaller
    std::size_t coded_streams_max = 256;  // encoded or decoded for one client each: 2 MiB, decoding up to 16
    std::size_t decoded_stream_bytes_max = std::size_t{1} << 30;  // decoded for one client: the answer is cut there
    std::size_t tags_max = 512;                                   // per entry, implicit ones included
    std::size_t vary_names_max = 8;
    std::size_t rejoin_max = 2;                              // flights a request tries before it goes alone
    Duration remote_budget = std::chrono::milliseconds(50);  // redis.budget: of a request, for all its calls to Redis
    Duration claim_wait_max = std::chrono::seconds(5);  // for another instance's fetch; then it is fetched here, too
    std::size_t outage_fills_max = 64;                  // at once, while Redis is configured and away
};

/// What the walk itself belongs to (router, gate, origins) lives as long as `keeper`, all else longer: compose waits
/// for `fills_under_way` to be 0.
struct Rooms {
    const policy::Router& router;
    coherence::Engine& engine;
    store::MemoryStore& store;
    Gate& gate;
    FlightTable& flights;
    base::Metrics& metrics;
    base::Log& log;
    asio::thread_pool& compressors;
    std::vector<Origin*> origins;  // by policy::Route::index of origin; [0] is the default one
    std::uint64_t secret = 0;      // keys every hash a client could choose the input of
    bool handlers_only = false;    // no upstream: what matches no route is 404 or 405
    std::string via;               // "1.1 etage" in front of an upstream, empty otherwise
    WalkLimits limits;
    std::atomic<std::size_t>& fills_under_way;
    InvalidationLog& invalidations;
    base::Hash128 identity_secret{};       // keys what is made of a user's identity; the same where keys are shared
    store::RemoteStore* remote = nullptr;  // step 6; null: there is none
    std::string limits_page;               // the path where clients read what is left to them; empty: none
    /// What owns the walk: work that no request waits for holds it. Empty: the walk outlives all of it anyway.
    std::weak_ptr<const void> keeper{};
    net::Slots outage_fills = net::Slots(WalkLimits{}.outage_fills_max);
    /// Shared with the streams it counts, which may outlive the walk.
    std::shared_ptr<std::atomic<std::size_t>> coded_streams = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace etage::flow
