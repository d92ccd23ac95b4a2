#pragma once
// An origin reached over HTTP/1.1 and TCP.
//
// Rooms · upstream (this file: which endpoint, which connection, once more or not) → endpoints (balancing), pool
// (unused connections of one thread), exchange (one request, one answer) → request_writer, response_head, body →
// connection.
//
// Concurrency · One object for all threads. Each io_context (one thread each) has its own pool, found by its address;
// the map of pools is guarded by a mutex that is never held across a wait. Counts of load are atomics.
// Lifetime · Fetches, bodies and pools keep what they need alive: the Upstream may go while they are under way. The
// io_contexts and the metrics outlive it and them.
// What this does not promise · A bound on idle sockets over all threads: it is threads × idle_max. A bound on the
// length of an answer in time: only on silence.

#include "base/metrics.hpp"
#include "flow/origin.hpp"
#include "http/uri.hpp"
#include "origin/upstream_options.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace etage::origin {

class Upstream final : public flow::Origin {
public:
    /// Errors (blame us): no URL, too many, or one that is not "http://host[:port]"; `what` says which and why.
    static Result<std::unique_ptr<Upstream>> make(const std::vector<std::string>& urls, const UpstreamOptions& options,
                                                  base::Metrics& metrics);

    ~Upstream() override;  // unused connections are closed by their own threads
    Upstream(const Upstream&) = delete;
    Upstream& operator=(const Upstream&) = delete;

    asio::awaitable<Result<flow::OriginResponse>> fetch(flow::OriginRequest request) override;
    bool can_upgrade() const noexcept override { return true; }

    /// For the admin pages.
    struct EndpointStatus {
        std::string url;
        std::size_t in_flight = 0;
        bool available = true;
    };
    std::vector<EndpointStatus> status(Instant now) const;

private:
    struct Core;
    explicit Upstream(std::shared_ptr<Core> core) noexcept;

    std::shared_ptr<Core> core_;
};

}  // namespace etage::origin
