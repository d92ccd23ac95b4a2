#pragma once
// How many connections one client has: so that nobody alone has all there are.
//
// Concurrency · Any thread. Bounded · Who has no connection is forgotten, so there are never more clients in it than
// connections (ServeLimits::connections_max).

#include "limit/seats.hpp"

#include <asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace etage::serve {

class Turnstile {
public:
    /// `secret`: clients choose their addresses, but not where they are counted.
    explicit Turnstile(std::uint64_t secret) : secret_(secret), seats_(std::numeric_limits<std::size_t>::max()) {}

    /// Held for as long as the connection. Nothing: the client has as many as it may; `per_client_max` 0: no bound. One
    /// client of IPv6 owns at least a /64. Precondition: an IPv4 address is one (serve::unmapped).
    std::optional<limit::Seat> enter(const asio::ip::address& client, std::size_t per_client_max);

    std::size_t clients() const noexcept { return seats_.size(); }

private:
    std::uint64_t key_of(const asio::ip::address& client) const noexcept;

    std::uint64_t secret_;
    limit::SeatTable seats_;
};

}  // namespace etage::serve
