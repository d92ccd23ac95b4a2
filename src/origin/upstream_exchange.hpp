#pragma once
// One request and its answer over one connection (RFC 9112 §9): writes the one, reads the head of the other.

#include "flow/origin.hpp"
#include "origin/upstream_options.hpp"
#include "origin/upstream_pool.hpp"

#include <asio/awaitable.hpp>

#include <expected>

namespace etage::origin {

/// Why there is no answer. `unanswered`: the connection ended before its first byte (RFC 9110 §9.2.2, RFC 9112 §9.3.1:
/// on a connection that was kept, an idempotent request may be sent again).
struct ExchangeFailure {
    Error error;
    bool unanswered = false;
};

/// Sends `request` on the lease's connection and reads the answer. Small answers come complete in `content`, others
/// with a body that owns the lease. On failure the lease is left to the caller, good for abandon() only.
///
/// An answer that comes while content is still being sent ends the sending; the connection is not reused. After 101 the
/// lease is in the answer's tunnel.
asio::awaitable<std::expected<flow::OriginResponse, ExchangeFailure>> exchange(Lease& lease,
                                                                               const flow::OriginRequest& request,
                                                                               const UpstreamOptions& options);

}  // namespace etage::origin
