#pragma once
// How long a response is fresh (RFC 9111 §4.2), as stamps.

#include "http/stamps.hpp"
#include "policy/storable.hpp"

#include <etage/time.hpp>

namespace etage::policy {

struct FreshnessInput {
    const Exchange& exchange;
    Now request_time;          // when the request was sent to the origin
    Now response_time;         // when its head arrived
    std::uint64_t jitter = 0;  // uniform random bits: the lifetime of a route's ttl is shortened by up to a tenth
};

/// No heuristic lifetime is longer (RFC 9111 §4.2.2).
inline constexpr Duration heuristic_lifetime_max = std::chrono::hours(24);
/// 5xx responses are not kept for longer, whatever they say of themselves (law 7).
inline constexpr Duration error_lifetime_max = std::chrono::seconds(10);

/// Where a lifetime comes from, weakest first.
enum class FreshnessSource : std::uint8_t { none, heuristic, negative_ttl, expires, max_age, s_maxage, route_ttl };

/// A route's ttl governs 200, 203, 204, 300, 301 and 308; its negative_ttl 404 and 410 that say nothing themselves.
FreshnessSource freshness_source(const Exchange&) noexcept;

/// True when the response itself says how long it is fresh.
bool has_explicit_freshness(const Exchange&) noexcept;

/// Route override → Etage-Cache-Control, CDN-Cache-Control → s-maxage → max-age → Expires − Date → heuristic (a tenth
/// of Date − Last-Modified, at most a day). Without any of them: 0. Never negative; overflow is clamped. SWR and SIE
/// windows: the route's, else the response's (RFC 5861); none with must-revalidate and its relatives (s-maxage among
/// them), and none for 5xx. Where a route's ttl governs, the origin's clock says nothing: `Date` makes no age. With
/// respect_origin = false its no-cache and must-revalidate say nothing either.
http::Stamps compute_stamps(const FreshnessInput&) noexcept;

/// Must it be validated before every use? `no-cache="…"` is no-cache only when it lists fields that cannot be withheld
/// (see update.hpp). `governing`: see targeted.hpp.
bool compute_no_cache(const Exchange&, const http::ResponseCacheControl& governing) noexcept;

}  // namespace etage::policy
