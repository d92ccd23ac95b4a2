#pragma once
// Who the client is, when the connection comes from a proxy that is trusted (THREATS §2.1, law 3).

#include "http/message.hpp"
#include "net/network.hpp"

#include <asio/ip/address.hpp>

#include <span>
#include <string_view>

namespace etage::serve {

/// An IPv4 client of a dual-stack listener is an IPv4 client.
asio::ip::address unmapped(const asio::ip::address& address) noexcept;

bool is_trusted(std::span<const net::Network> trusted, const asio::ip::address& address) noexcept;

/// The right-most hop that is not itself trusted; hops left of it are whatever its sender liked to write. `field` says
/// who tells the hops: x_forwarded_for, or forwarded (RFC 7239, `for`). The other one is not looked at: a proxy that
/// writes one of them passes on what its client wrote into the other. Addresses may have a port. `peer` when the field
/// is absent; at a hop that is no address (`unknown`, `_hidden`, garbage) the one that told it. Borrows from `fields`
/// or `peer`. Precondition: the peer is trusted.
std::string_view client_behind(std::span<const net::Network> trusted, http::FieldSpan fields, std::string_view peer,
                               http::FieldId field);

}  // namespace etage::serve
