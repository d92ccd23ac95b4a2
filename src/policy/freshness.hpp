#pragma once
// How long a response is fresh (RFC 9111 §4.2), as stamps.

#include "http/stamps.hpp"
#include "policy/storable.hpp"

#include <etage/time.hpp>

namespace etage::policy {

struct FreshnessInput {
    const Exchange& exchange;
    Now request_time;             // when the request was sent to the origin
    Now response_time;            // when its head arrived
    std::uint64_t jitter = 0;     // uniform random bits: the lifetime of a route's ttl is shortened by up to a tenth
};

/// Route override → Etage-Cache-Control, CDN-Cache-Control → s-maxage → max-age → Expires − Date → heuristic (a tenth of
/// Date − Last-Modified, at most a day). Without any of them: 0. Never negative; overflow is clamped.
/// SWR and SIE windows: the route's, else the response's (RFC 5861); none with must-revalidate and its relatives.
http::Stamps compute_stamps(const FreshnessInput&) noexcept;

/// True when the response itself says how long it is fresh.
bool has_explicit_freshness(const Exchange&) noexcept;

}  // namespace etage::policy
