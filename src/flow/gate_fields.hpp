#pragma once
// What clients read of their limits: fields beside every answer, and the answer of a request that does not come in.

#include "flow/gate.hpp"
#include "http/h1_writer.hpp"

#include <string>

namespace etage::flow {

/// RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11), one member for each limit that counted the
/// request; `x_ratelimit`: X-RateLimit-* as well, of the limit with the least left. No allocation.
void append_limit_fields(http::FieldTail& tail, const GatePass& pass, bool x_ratelimit) noexcept;

/// Retry-After: when every limit that stopped the request would let it in, never earlier; by its jitter later.
void append_retry_after(http::FieldTail& tail, const GatePass& pass, Now now) noexcept;

struct Refusal {
    int status;
    Detail detail;
    std::string problem;  // an RFC 9457 document
};
/// Precondition: something stopped the request.
Refusal refusal_of(const GatePass& pass, Passage passage);

}  // namespace etage::flow
