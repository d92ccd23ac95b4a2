#pragma once
// From a name to a connected socket, in bounded time.

#include "net/resolve.hpp"

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>

namespace etage::net {

/// Resolves and connects `socket` (closed before, with TCP_NODELAY and non-blocking afterwards). Every address gets an
/// equal share of the time that is left, so a dead first address does not use it up. Returns why the last one failed;
/// asio::error::timed_out at the deadline. The socket and the resolver outlive the call.
asio::awaitable<asio::error_code> dial(Resolver& resolver, asio::ip::tcp::socket& socket, Instant deadline);

}  // namespace etage::net
