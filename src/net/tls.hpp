#pragma once
// TLS over a connected socket, for clients. Only stream.cpp needs this.

#include "net/stream.hpp"

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>

#include <memory>
#include <string>

namespace etage::net {

/// Shakes hands over `socket`, which is connected. See open_tcp().
asio::awaitable<OpenedStream> open_tls(asio::ip::tcp::socket socket, std::shared_ptr<const TlsContext> context,
                                       std::string host, Instant deadline);

}  // namespace etage::net
