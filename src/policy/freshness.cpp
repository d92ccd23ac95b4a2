#include "policy/freshness.hpp"

#include "http/date.hpp"
#include "policy/targeted.hpp"
#include "policy/update.hpp"

#include <algorithm>
#include <optional>

namespace etage::policy {

namespace {

using http::FieldId;
using std::chrono::seconds;

/// What delta-seconds are clamped to (RFC 9111 §1.2.2): the sum of two still fits into a Duration.
constexpr seconds seconds_max{std::int64_t{1} << 31};

/// Differences of dates span 10,000 years; nanoseconds in 64 bits do not.
Duration clamped(seconds s) noexcept { return std::clamp(s, seconds(0), seconds_max); }
Duration clamped(Duration d) noexcept { return std::clamp(d, Duration::zero(), Duration(seconds_max)); }

bool ttl_governs(const Exchange& x) noexcept {
    if (x.route == nullptr || !x.route->policy.cache.ttl) return false;
    constexpr int governed[] = {200, 203, 204, 300, 301, 308};
    return std::ranges::find(governed, x.status) != std::end(governed);
}

/// The route alone decides how, and how long, the response is reused.
bool route_overrules(const Exchange& x) noexcept { return ttl_governs(x) && !x.route->policy.cache.respect_origin; }

bool is_negative(int status) noexcept { return status == 404 || status == 410; }
bool is_server_error(int status) noexcept { return status >= 500 && status <= 599; }

FreshnessSource own_source(const Exchange& x, const GoverningDirectives& governing) noexcept {
    if (governing.cc.s_maxage) return FreshnessSource::s_maxage;
    if (governing.cc.max_age) return FreshnessSource::max_age;
    if (!governing.targeted && http::contains(x.response, FieldId::expires)) return FreshnessSource::expires;
    return FreshnessSource::none;
}

FreshnessSource source_of(const Exchange& x, const GoverningDirectives& governing) noexcept {
    if (ttl_governs(x)) return FreshnessSource::route_ttl;
    if (const auto own = own_source(x, governing); own != FreshnessSource::none) return own;
    if (x.route != nullptr && x.route->policy.cache.negative_ttl && is_negative(x.status))
        return FreshnessSource::negative_ttl;
    // RFC 9111 §4.2.2
    const bool allowed = heuristically_cacheable(x.status) || governing.cc.is_public;
    if (allowed && http::contains(x.response, FieldId::last_modified)) return FreshnessSource::heuristic;
    return FreshnessSource::none;
}

/// A date of the response; nothing when absent or no date. Of several lines the first counts (RFC 9111 §4.2.1).
std::optional<WallTime> date_of(const FreshnessInput& in, FieldId id) noexcept {
    const auto text = http::find(in.exchange.response, id);
    return text ? http::parse_date(*text, in.response_time.wall) : std::nullopt;
}

/// RFC 9110 §6.6.1: without Date, the time it was received.
WallTime origination(const FreshnessInput& in) noexcept {
    return date_of(in, FieldId::date).value_or(in.response_time.wall);
}

Duration heuristic_lifetime(const FreshnessInput& in) noexcept {
    const auto modified = date_of(in, FieldId::last_modified);
    if (!modified) return Duration::zero();
    return std::min(clamped((origination(in) - *modified) / 10), heuristic_lifetime_max);
}

/// Spreads what was filled together, so that it does not expire together.
Duration shortened(Duration ttl, std::uint64_t jitter) noexcept {
    const double share = static_cast<double>(jitter >> 11U) * 0x1p-53;  // 0 ≤ share < 1
    return ttl - Duration(static_cast<Duration::rep>(static_cast<double>(ttl.count()) * share / 10));
}

/// RFC 9111 §4.2.1.
Duration lifetime(const FreshnessInput& in, const http::ResponseCacheControl& cc, FreshnessSource source) noexcept {
    switch (source) {
        case FreshnessSource::none: return Duration::zero();
        case FreshnessSource::route_ttl: return shortened(clamped(*in.exchange.route->policy.cache.ttl), in.jitter);
        case FreshnessSource::negative_ttl: return clamped(*in.exchange.route->policy.cache.negative_ttl);
        case FreshnessSource::s_maxage: return clamped(seconds(*cc.s_maxage));
        case FreshnessSource::max_age: return clamped(seconds(*cc.max_age));
        case FreshnessSource::expires: {
            const auto expires = date_of(in, FieldId::expires);  // RFC 9111 §5.3: an invalid date is in the past
            return expires ? clamped(*expires - origination(in)) : Duration::zero();
        }
        case FreshnessSource::heuristic: return heuristic_lifetime(in);
    }
    return Duration::zero();
}

/// RFC 9111 §4.2.3: corrected_initial_age.
Duration initial_age(const FreshnessInput& in, FreshnessSource source) noexcept {
    const Duration delay = clamped(in.response_time.mono - in.request_time.mono);
    const Duration age_value = clamped(seconds(http::parse_age(in.exchange.response).value_or(0)));
    const Duration corrected = clamped(age_value + delay);
    if (source == FreshnessSource::route_ttl) return corrected;
    // Both clocks show whole seconds: a difference of one may be no difference.
    const Duration apparent = clamped(in.response_time.wall - origination(in));
    return apparent > seconds(1) ? std::max(apparent, corrected) : corrected;
}

Duration window(const std::optional<Duration>& route, const std::optional<http::Seconds>& response) noexcept {
    if (route) return clamped(*route);
    return response ? clamped(seconds(*response)) : Duration::zero();
}

}  // namespace

FreshnessSource freshness_source(const Exchange& x) noexcept {
    return source_of(x, governing_directives(x.response, x.response_cc));
}

bool has_explicit_freshness(const Exchange& x) noexcept {
    return own_source(x, governing_directives(x.response, x.response_cc)) != FreshnessSource::none;
}

bool compute_no_cache(const Exchange& x, const http::ResponseCacheControl& governing) noexcept {
    const bool whole =
        governing.no_cache || (!governing.no_cache_fields.empty() && !keeps_without(governing.no_cache_fields));
    return whole && !route_overrules(x);
}

http::Stamps compute_stamps(const FreshnessInput& in) noexcept {
    const Exchange& x = in.exchange;
    const GoverningDirectives governing = governing_directives(x.response, x.response_cc);
    const http::ResponseCacheControl& cc = governing.cc;
    const FreshnessSource source = source_of(x, governing);

    http::Stamps stamps;
    stamps.response_time = in.response_time.mono;
    stamps.initial_age = initial_age(in, source);
    stamps.freshness_lifetime = lifetime(in, cc, source);
    stamps.heuristic = source == FreshnessSource::heuristic;
    stamps.no_cache = compute_no_cache(x, cc);
    // RFC 9111 §5.2.2.10: s-maxage implies proxy-revalidate.
    stamps.must_revalidate = (cc.must_revalidate || cc.proxy_revalidate || cc.s_maxage) && !route_overrules(x);
    if (is_server_error(x.status)) {
        stamps.freshness_lifetime = std::min(stamps.freshness_lifetime, error_lifetime_max);
        stamps.must_revalidate = true;  // a stale error is no fallback for anything
    } else if (!stamps.must_revalidate) {
        const CachePolicy none;
        const CachePolicy& route = x.route != nullptr ? x.route->policy.cache : none;
        stamps.stale_while_revalidate = window(route.stale_while_revalidate, cc.stale_while_revalidate);
        stamps.stale_if_error = window(route.stale_if_error, cc.stale_if_error);
    }
    return stamps;
}

}  // namespace etage::policy
