#pragma once
// The addresses of one upstream, and which of them gets the next request.

#include "http/uri.hpp"
#include "net/resolve.hpp"

#include <etage/time.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace etage::origin {

/// One server. Thread-safe. Counts are relaxed: a choice made on a slightly old one is as good.
class UpstreamEndpoint {
public:
    UpstreamEndpoint(http::Endpoint url, std::size_t index);

    std::size_t index() const noexcept { return index_; }
    const std::string& name() const noexcept { return name_; }            // "http://host:port", for messages
    const std::string& authority() const noexcept { return authority_; }  // for a Host field
    net::Resolver& resolver() noexcept { return resolver_; }

    std::size_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }

    /// False while it is passed over.
    bool available(Instant now) const noexcept;
    void failed(Instant now, Duration back_off) noexcept;
    void succeeded() noexcept;
    /// When it failed before, this request is its probe: the others pass it over for another back-off.
    void probe(Instant now, Duration back_off) noexcept;

private:
    friend class InFlight;
    static constexpr std::int64_t well = INT64_MIN;

    const std::size_t index_;
    const std::string name_;
    const std::string authority_;
    net::Resolver resolver_;
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::int64_t> passed_over_until_{well};  // ns of Instant
};

/// Counts a request on an endpoint for as long as it lives.
class InFlight {
public:
    explicit InFlight(std::shared_ptr<UpstreamEndpoint> endpoint) noexcept;
    InFlight(InFlight&&) noexcept = default;
    InFlight& operator=(InFlight&&) = delete;
    ~InFlight();

    UpstreamEndpoint& endpoint() const noexcept { return *endpoint_; }

private:
    std::shared_ptr<UpstreamEndpoint> endpoint_;  // empty: moved from
};

/// Immutable list; its members are thread-safe.
class UpstreamEndpoints {
public:
    /// So that a bit for each fits a word.
    static constexpr std::size_t endpoints_max = 64;
    using Tried = std::uint64_t;

    /// Precondition: between one and endpoints_max.
    explicit UpstreamEndpoints(const std::vector<http::Endpoint>& urls);

    /// The least loaded that is available; if none is, the least loaded. Null when all were tried. Among equals they
    /// take turns.
    std::shared_ptr<UpstreamEndpoint> choose(Instant now, Duration back_off, Tried tried);

    const std::vector<std::shared_ptr<UpstreamEndpoint>>& all() const noexcept { return endpoints_; }

private:
    std::vector<std::shared_ptr<UpstreamEndpoint>> endpoints_;
    std::atomic<std::size_t> turn_{0};
};

}  // namespace etage::origin
