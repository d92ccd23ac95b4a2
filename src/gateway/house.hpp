#pragma once
// What administration may ask of the house: a port that compose implements over the walk. Admin pages stand beside the
// walk; they read snapshots and call public operations (DESIGN §2).

#include "base/metrics.hpp"
#include "gateway/config_node.hpp"
#include "http/message.hpp"
#include "origin/budgeted.hpp"
#include "origin/guarded.hpp"
#include "store/memory_store.hpp"

#include <etage/error.hpp>
#include <etage/policy.hpp>
#include <etage/sequence.hpp>
#include <etage/time.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace etage::gateway {

/// What shall be forgotten. At least one thing is named.
struct PurgeRequest {
    enum class Wait : std::uint8_t { local, all };  // until this instance has applied it, or every live one

    std::vector<std::string> tags;      // surrogate keys
    std::vector<std::string> keys;      // cache keys as `explain` shows them
    std::vector<std::string> urls;      // "http://host/path?query", every variant; or "/path?query" on every host
    std::vector<std::string> prefixes;  // "http://host/path" or "/path": everything below
    std::vector<std::string> hosts;
    bool all = false;
    bool soft = false;  // stale instead of gone
    Wait wait = Wait::local;
};

struct PurgeReceipt {
    Sequence sequence = 0;
    std::uint64_t confirmed = 1;  // instances that have applied it, this one included
    std::uint64_t live = 1;
};

struct ExplainRequest {
    std::string url;      // "http://host/path?query" or "/path?query"
    http::Fields fields;  // of the imagined GET
};

struct OriginView {
    std::string name;
    double cost_per_call = 0;  // 0: not known
    std::string currency;      // may be empty
    std::optional<origin::Budgeted::View> budget{};
    std::optional<origin::Guarded::View> guard{};
};

struct RouteView {
    std::string name;
    RoutePolicy policy;
};

/// Of the shared tier.
struct SharedView {
    std::string url;              // without the password
    std::string trouble;          // empty: none
    std::uint64_t instances = 1;  // live ones, this one included, as far as it knows
    Duration silence{};           // since the log was last heard
};

/// What was given up for want of room, since the start.
struct GivenUp {
    std::uint64_t log_lines = 0;
    std::uint64_t marks = 0;          // of invalidations: what has an older fence is gone
    std::uint64_t limit_clients = 0;  // of whom something was known to a limit
};

/// How things stand, as one consistent-enough copy.
struct Snapshot {
    bool ready = false;    // serving
    std::string degraded;  // what is away although configured; empty = nothing
    Duration uptime{};
    store::MemoryUsage memory;
    std::size_t memory_limit = 0;
    GivenUp given_up{};
    Sequence position = 0;  // up to which the log of invalidations is applied
    Sequence floor = 0;
    std::optional<SharedView> shared;  // nothing: there is no Redis
    std::vector<OriginView> origins;   // by the index that the metrics count under
    std::vector<RouteView> routes;
};

/// What a configuration that was applied holds.
struct Applied {
    std::size_t routes = 0;
    std::size_t limits = 0;  // of all routes together; those of each route are its own
    std::size_t origins = 0;
};

/// Thread-safe. Outlives the admin pages.
class House {
public:
    virtual ~House() = default;

    virtual const base::Metrics& metrics() const noexcept = 0;
    virtual Snapshot snapshot(Now now) const = 0;

    /// Errors: bad_request when a URL, prefix or key cannot be understood (`what` is shown to the client), not_recorded
    /// when nothing was recorded. There is no partial success.
    virtual asio::awaitable<Result<PurgeReceipt>> purge(PurgeRequest request) = 0;

    /// Reads the configuration again and applies it, whole or not at all. The error: everything that is wrong with it.
    virtual asio::awaitable<std::expected<Applied, Problems>> reload() = 0;

    /// A JSON object that tells what would happen to a GET, room by room. Errors: bad_request.
    virtual asio::awaitable<Result<std::string>> explain(ExplainRequest request) = 0;
};

}  // namespace etage::gateway
