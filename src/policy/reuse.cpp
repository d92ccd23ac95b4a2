#include "policy/reuse.hpp"

#include <algorithm>

namespace etage::policy {

namespace {

using http::RequestCacheControl;
using http::Stamps;
using std::chrono::seconds;

/// RFC 9111 §5.2.1: what the request does not want, however fresh the response is to others.
bool refused_by_request(const Stamps& stamps, const RequestCacheControl& cc, Instant now) noexcept {
    if (cc.no_cache) return true;
    if (cc.max_age && (*cc.max_age == 0 || stamps.age(now) > seconds(*cc.max_age))) return true;
    return cc.min_fresh && stamps.ttl(now) < seconds(*cc.min_fresh);
}

/// RFC 9111 §5.2.1.2.
bool accepts_stale(const RequestCacheControl& cc, Duration staleness) noexcept {
    return cc.any_stale || (cc.max_stale && staleness <= seconds(*cc.max_stale));
}

/// RFC 9111 §5.2.1.1: who asks for a certain age does not want a stale response, unless max-stale is there, too.
bool accepts_stale_while_revalidate(const RequestCacheControl& cc) noexcept { return !cc.max_age && !cc.min_fresh; }

ReuseVerdict validate(bool stale) noexcept {
    return {Reuse::validate, stale ? Forward::stale : Forward::request, Detail::none};
}

}  // namespace

ReuseVerdict judge_reuse(const Stamps& stamps, const RequestCacheControl& cc, Instant now, bool soft_marked) noexcept {
    const Duration ttl = stamps.ttl(now);
    const bool fresh = ttl > Duration::zero() && !soft_marked;  // RFC 9111 §4.2: lifetime > age
    if (stamps.no_cache) return validate(true);
    if (refused_by_request(stamps, cc, now)) return validate(!fresh);
    if (fresh) return {Reuse::fresh, Forward::none, Detail::none};
    if (stamps.must_revalidate) return validate(true);

    const Duration staleness = std::max(-ttl, Duration::zero());
    const Duration window = stamps.stale_while_revalidate;
    if (window > Duration::zero() && staleness <= window && accepts_stale_while_revalidate(cc))
        return {Reuse::stale_while, Forward::none, Detail::stale_while_revalidate};
    if (!soft_marked && accepts_stale(cc, staleness)) return {Reuse::fresh, Forward::none, Detail::request_max_stale};
    return validate(true);
}

bool usable_on_error(const Stamps& stamps, const RequestCacheControl& cc, Instant now, OriginFailure how) noexcept {
    if (stamps.no_cache || cc.no_cache) return false;
    const Duration ttl = stamps.ttl(now);
    if (ttl > Duration::zero()) return true;
    if (stamps.must_revalidate) return false;
    if (accepts_stale(cc, -ttl)) return true;
    Duration window = std::max(stamps.stale_if_error, Duration(seconds(cc.stale_if_error.value_or(0))));
    if (window == Duration::zero() && how == OriginFailure::silent) window = stale_without_origin_max;
    return -ttl <= window && window > Duration::zero();
}

}  // namespace etage::policy
