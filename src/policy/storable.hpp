#pragma once
// May this response be stored, and for whom (RFC 9111 §3; THREATS §2.1 laws 5–8, 11)?

#include "http/cache_control.hpp"
#include "http/message.hpp"
#include "policy/route.hpp"

#include <etage/verdict.hpp>

namespace etage::policy {

/// What the rules look at. All borrowed.
struct Exchange {
    const http::RequestHead& request;                 // the client's
    const http::RequestCacheControl& request_cc;
    int status = 0;
    http::FieldSpan response;
    const http::ResponseCacheControl& response_cc;
    const Route* route = nullptr;
    bool per_user_key = false;                        // the identity is in the key
};

struct Storable {
    bool yes = false;
    Detail why_not = Detail::none;
};

/// Without a route's ttl a response needs explicit freshness, heuristic freshness or a validator to be of any use.
/// `private`, `no-store`, `Set-Cookie`, `Vary: *`, `Authorization` (RFC 9111 §3.5) beat route rules unless the route says
/// otherwise in so many words (respect_origin = false concerns no-store and private only; allow_set_cookie; per = user).
Storable judge_storable(const Exchange&) noexcept;

/// Statuses that describe a request, or failures, are never stored even with explicit freshness (law 7).
bool status_storable(int status, bool explicit_freshness) noexcept;
/// RFC 9110 §15.1: statuses for which a heuristic lifetime is allowed.
bool heuristically_cacheable(int status) noexcept;

}  // namespace etage::policy
