#pragma once
// The unused connections of one upstream in one thread, and the lease on one in use.
//
// Concurrency · Sockets never change their io_context: each has a pool of its own, and everything here happens in its
// one thread. Only a Lease may be dropped anywhere; it takes its connection home first.
// Lifetime · A pool is held by the upstream and by leases; the io_context outlives them all.

#include "net/slots.hpp"
#include "origin/upstream_connection.hpp"
#include "origin/upstream_endpoints.hpp"

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace etage::origin {

class UpstreamPool : public std::enable_shared_from_this<UpstreamPool> {
public:
    UpstreamPool(const asio::any_io_executor& executor, std::size_t idle_max, Duration idle_timeout);

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    /// The most recently used connection to `endpoint` that was in use at most `idle_at_most` ago, still open and
    /// silent; or null. Dead ones it meets are dropped.
    std::unique_ptr<UpstreamConnection> take(std::size_t endpoint, Duration idle_at_most);

    /// Keeps a connection on which nothing is owed by either side.
    void put(std::size_t endpoint, std::unique_ptr<UpstreamConnection> connection);

    /// Drops all and keeps none from now on.
    void close() noexcept;

    std::size_t idle() const noexcept { return idle_.size(); }

private:
    struct Idle {
        std::unique_ptr<UpstreamConnection> connection;
        std::size_t endpoint;
        Instant since;
    };

    void sweep_later();
    void sweep();

    const asio::any_io_executor executor_;
    const std::size_t idle_max_;
    const Duration idle_timeout_;
    std::vector<Idle> idle_;  // the longest unused first
    net::Timer sweeper_;
    bool sweep_pending_ = false;
    bool closed_ = false;
};

/// A connection in use, and what counts it. Dropped: the connection is closed, in its own thread.
class Lease {
public:
    Lease(std::shared_ptr<UpstreamPool> pool, std::unique_ptr<UpstreamConnection> connection, InFlight in_flight,
          net::Slot slot, bool kept) noexcept;
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    UpstreamConnection& connection() const noexcept { return *connection_; }
    UpstreamEndpoint& endpoint() const noexcept { return in_flight_->endpoint(); }
    /// It was used before: the upstream may have closed it unnoticed.
    bool kept() const noexcept { return kept_; }

    /// Back into the pool. The lease is over.
    void give_back();
    /// Closes the connection; its slot serves for the next attempt. The lease is over.
    net::Slot abandon();

private:
    void end(bool reuse);

    std::shared_ptr<UpstreamPool> pool_;
    std::unique_ptr<UpstreamConnection> connection_;  // null: over or moved from
    std::optional<InFlight> in_flight_;
    std::optional<net::Slot> slot_;
    bool kept_;
};

}  // namespace etage::origin
