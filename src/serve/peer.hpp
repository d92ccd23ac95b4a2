#pragma once
// Who the client is, when the connection comes from a proxy that is trusted (THREATS §2.1, law 3).

#include "http/message.hpp"
#include "net/network.hpp"
#include "net/proxy_header.hpp"

#include <asio/ip/address.hpp>

#include <span>
#include <string>
#include <string_view>

namespace etage::serve {

/// An IPv4 client of a dual-stack listener is an IPv4 client.
asio::ip::address unmapped(const asio::ip::address& address) noexcept;

bool is_trusted(std::span<const net::Network> trusted, const asio::ip::address& address) noexcept;

/// Who is at the other end of a connection, or whom it speaks for.
class Peer {
public:
    /// `trusted` outlives it.
    Peer(const asio::ip::address& address, std::span<const net::Network> trusted)
        : trusted_(trusted),
          is_trusted_(serve::is_trusted(trusted, address)),
          address_(address),
          text_(address.to_string()) {}

    const asio::ip::address& address() const noexcept { return address_; }
    std::string_view text() const noexcept { return text_; }
    /// It is a proxy that is believed whom it speaks for.
    bool is_trusted() const noexcept { return is_trusted_; }

    /// What a PROXY header has said: everything on the connection is from there. A client of whom it says nothing must
    /// not be able to say for itself who it is.
    void learn(const net::ProxyHeader& header);

private:
    std::span<const net::Network> trusted_;
    bool is_trusted_;
    asio::ip::address address_;
    std::string text_;
};

/// The right-most hop that is not itself trusted; hops left of it are whatever its sender liked to write. `field` says
/// who tells the hops: x_forwarded_for, or forwarded (RFC 7239, `for`). The other one is not looked at: a proxy that
/// writes one of them passes on what its client wrote into the other. Addresses may have a port. `peer` when the field
/// is absent; at a hop that is no address (`unknown`, `_hidden`, garbage) the one that told it. Borrows from `fields`
/// or `peer`. Precondition: the peer is trusted.
std::string_view client_behind(std::span<const net::Network> trusted, http::FieldSpan fields, std::string_view peer,
                               http::FieldId field);

}  // namespace etage::serve
