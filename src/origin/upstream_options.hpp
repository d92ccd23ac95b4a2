#pragma once
// What may be said about an upstream: patience and bounds. Rows of docs/limits.md.

#include "http/h1_parser.hpp"

#include <etage/time.hpp>

#include <cstddef>

namespace etage::origin {

struct UpstreamOptions {
    /// For a name's addresses and the handshake together, of one endpoint; and for a free connection below
    /// `connections_max`. Over it: 504, or 503 when all connections were busy.
    Duration connect_timeout = std::chrono::seconds(3);
    /// From the end of the request to the first byte of the answer; again from there to the end of its head. Over it:
    /// 504.
    Duration first_byte_timeout = std::chrono::seconds(30);
    /// Between two reads of an answer, or two writes of a request, that make any progress. Over it: 504.
    Duration between_bytes_timeout = std::chrono::seconds(15);

    /// Of content whose length was announced, bytes a second: each of them gives back that much of the patience between
    /// bytes, which waiting uses up. So a length that drips is given up like one that does not come. Over it: 504, or a
    /// cut answer. What has no length is a stream, and may take its time.
    std::size_t announced_rate_min = 100;

    /// How long an unused connection is kept.
    Duration idle_timeout = std::chrono::seconds(30);
    /// A request that could not be repeated only takes a connection that was in use this recently: origins close idle
    /// ones, and such a request would be lost with it.
    Duration idle_unrepeatable_max = std::chrono::seconds(1);
    /// How long an endpoint that failed is passed over, as long as there are others.
    Duration back_off = std::chrono::seconds(1);

    /// How long content is held back for an upstream that was told to expect it and says nothing (RFC 9110 §10.1.1).
    Duration continue_wait_max = std::chrono::seconds(1);

    /// Connections in use at the same time, over all endpoints and threads. Further requests wait for one.
    std::size_t connections_max = 256;
    /// The same for requests that want to switch protocols, and the tunnels they become: these last, and must not take
    /// the place of all others.
    std::size_t tunnels_max = 1024;
    /// Unused connections kept, over all endpoints, for each thread; the oldest goes.
    std::size_t idle_max = 32;
    /// Endpoints one request is tried on, when it cannot be sent.
    std::size_t connect_attempts_max = 3;
    /// 1xx responses before the final one (RFC 9110 §15.2). Over it: 502.
    std::size_t interim_max = 16;

    /// Surrogate keys make heads long: twice what clients are allowed.
    http::HeadLimits head{.head_bytes_max = 64 * 1024, .fields_max = http::fields_capacity};
    /// Of each connection; at least what a head needs.
    std::size_t buffer_bytes = 64 * 1024;
};

}  // namespace etage::origin
