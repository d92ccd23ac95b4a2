#pragma once
// May this response be stored, and for whom (RFC 9111 §3; THREATS §2.1 laws 5–8, 11)?

#include "http/cache_control.hpp"
#include "http/message.hpp"
#include "policy/route.hpp"

#include <etage/verdict.hpp>

namespace etage::policy {

/// What the rules look at. All borrowed.
struct Exchange {
    const http::RequestHead& request;  // the client's
    const http::RequestCacheControl& request_cc;
    int status = 0;
    http::FieldSpan response;
    const http::ResponseCacheControl& response_cc;  // of Cache-Control; targeted fields are read here
    const Route* route = nullptr;
    bool per_user_key = false;  // the identity is in the key
};

struct Storable {
    bool yes = false;
    Detail why_not = Detail::none;
};

/// Without a route's ttl a response needs explicit freshness, heuristic freshness or a validator to be of any use.
/// `private`, `no-store`, `Set-Cookie`, `Vary: *`, `Authorization` (RFC 9111 §3.5) beat route rules unless the route
/// says otherwise in so many words (respect_origin = false concerns no-store and private only; allow_set_cookie; per =
/// user).
///
/// - Credentials: a request with `Authorization`, or with the identity the route names, is not stored for everybody
/// unless
///   the response says public, s-maxage or must-revalidate (RFC 9111 §3.5).
/// - Cookies are credentials to most applications: what a request with `Cookie` got is not stored for everybody either,
///   unless the response says public or s-maxage, comes with max-age for shared caches alone (CDN-Cache-Control),
///   varies on Cookie, or the route has Cookie in its key or allow_cookie.
/// - `private="…"` and `no-cache="…"` that list fields are obeyed by keeping the response without them (see
/// update.hpp).
/// - Only GET, HEAD and QUERY, and no request with content (law 5) but QUERY, whose key holds it.
Storable judge_storable(const Exchange&) noexcept;

/// RFC 9110 §9.3.3, RFC 9111 §4: may this answer to POST stand for the answer to a GET of the same URI? When it is a
/// 200 whose Content-Location is the target URI and that says itself how long it is fresh. Whether it may be stored is
/// judge_storable()'s to say, of the GET.
bool answers_get(const http::RequestHead& request, std::string_view scheme, int status, http::FieldSpan response);

/// Law 7, in one place. `explicit_freshness`: the response or the route says how long, or the response is `public`.
/// - Statuses that describe the request (400, 401, 403, 405–407, 412–417, 421, 425, 426, 429, 431), 304 and
///   interim ones: never.
/// - 5xx: with explicit freshness only (judge_storable lets a heuristic count for 501), and never for longer than
///   error_lifetime_max.
/// - 200, 203, 204, 206, 300, 301, 308, 404, 410: yes; judge_storable asks of a 206 that it is a part that was asked
///   for. Every other final status: with explicit freshness.
bool status_storable(int status, bool explicit_freshness) noexcept;

/// RFC 9110 §15.1: statuses for which a heuristic lifetime is allowed.
bool heuristically_cacheable(int status) noexcept;

/// RFC 9111 §5.2.2.3: final statuses whose caching requirements are fully met here, as must-understand asks.
bool status_understood(int status) noexcept;

}  // namespace etage::policy
