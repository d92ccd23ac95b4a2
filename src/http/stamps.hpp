#pragma once
// What the rules said about a stored response when it was stored: everything reuse needs later, as plain numbers.
// `policy` computes it, `store` keeps it, nobody else changes it.

#include <etage/time.hpp>

#include <algorithm>
#include <cstdint>

namespace etage::http {

struct Stamps {
    Instant response_time{};        // when the response was received (RFC 9111 §4.2.3), monotonic
    Duration initial_age{};         // corrected_initial_age of RFC 9111 §4.2.3
    Duration freshness_lifetime{};  // RFC 9111 §4.2.1, with route override and jitter
    Duration stale_while_revalidate{};
    Duration stale_if_error{};
    bool must_revalidate = false;  // must-revalidate, proxy-revalidate, s-maxage: never served stale
    bool no_cache = false;         // usable only after validation
    bool heuristic = false;        // the lifetime is a guess (RFC 9111 §4.2.2)

    /// RFC 9111 §4.2.3 current_age. A request that came before the response it waited for is not younger than it.
    Duration age(Instant now) const noexcept { return initial_age + std::max(now - response_time, Duration::zero()); }
    /// What is left of the freshness lifetime; negative when stale.
    Duration ttl(Instant now) const noexcept { return freshness_lifetime - age(now); }
};

}  // namespace etage::http
