#pragma once
// Bounds of a client connection; rows of docs/limits.md.

#include "http/h1_parser.hpp"
#include "http/message.hpp"
#include "net/network.hpp"

#include <etage/time.hpp>

#include <cstddef>
#include <vector>

namespace etage::serve {

/// Whether trusted proxies say who their client is before its first byte (net/proxy_header.hpp).
enum class ProxyProtocol : std::uint8_t { off, accept, require };

struct ServeLimits {
    http::HeadLimits head;
    std::size_t connections_max = 20'000;                // all workers together; more are closed at once
    std::size_t connections_per_client_max = 1'000;      // of one address, or /64 of IPv6; 0 = no bound
    Duration head_time_max = std::chrono::seconds(10);   // from the first byte of a head to its last: not an idle timer
    Duration idle_time_max = std::chrono::seconds(60);   // between requests
    Duration body_stall_max = std::chrono::seconds(30);  // between two pieces of a request's content
    std::size_t body_rate_min = 240;  // bytes of it a second, once body_stall_max is spent on waiting; 0 = any
    Duration write_stall_max = std::chrono::seconds(30);  // a client that does not read
    std::size_t write_rate_min = 240;                     // bytes a second that it reads, likewise
    Duration tunnel_idle_max = std::chrono::hours(1);     // after 101: nothing from either side
    std::size_t body_bytes_max = 0;                       // of a request's content; over it: 413; 0 = no bound
    std::size_t drain_bytes_max = std::size_t{64} << 10;  // unread content that is swallowed to keep a connection
    Duration linger_max = std::chrono::seconds(1);        // after an error: let the client read it before the reset
    Duration grace = std::chrono::seconds(10);            // for what is in flight when we are told to stop
    bool server_timing = false;                           // say Server-Timing; costs a clock read per answer
    std::vector<net::Network> trusted_proxies;            // who are believed whom they speak for …
    http::FieldId client_field = http::FieldId::x_forwarded_for;  // … in this field
    ProxyProtocol proxy_protocol = ProxyProtocol::off;            // … and whether in front of everything
};

}  // namespace etage::serve
