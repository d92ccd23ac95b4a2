#pragma once
// The one closed list of outcomes. The Cache-Status field (RFC 9211), the access log, the metrics and the tests all
// take their words from here.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace etage {

/// Why a request went forward (RFC 9211 §2.2), or `none` when it was a hit or never reached the cache.
#define ETAGE_FORWARDS(X)                                                              \
    X(none, "none")         /* not forwarded */                                        \
    X(bypass, "bypass")     /* the cache was told not to handle this request */        \
    X(method, "method")     /* the method's semantics require forwarding */            \
    X(uri_miss, "uri-miss") /* nothing stored under this key */                        \
    X(vary_miss, "vary-miss")                                                          \
    X(request, "request") /* fresh, but the request's Cache-Control did not take it */ \
    X(stale, "stale")     /* stored, but stale: revalidated or fetched anew */         \
    X(partial, "partial") /* a part of it is stored, but not all that was asked for */

/// The `detail` parameter (RFC 9211 §2.8): what the standard words do not say.
#define ETAGE_DETAILS(X)                                                          \
    X(none, "none")                                                               \
    /* why it was answered from the shelf although not fresh */                   \
    X(stale_while_revalidate, "stale-while-revalidate")                           \
    X(stale_if_error, "stale-if-error")                                           \
    X(request_max_stale, "max-stale")                                             \
    /* why it was answered from the shelf although stored for another URI */      \
    X(no_vary_search, "no-vary-search")                                           \
    X(redis, "redis") /* from the shared tier; it is in memory now */             \
    /* why it was not looked up */                                                \
    X(route_pass, "route-pass")       /* the route says so */                     \
    X(authorization, "authorization") /* credentials, and no per-user policy */   \
    X(request_body, "request-body")   /* a GET with a body */                     \
    X(range, "range")                                                             \
    X(upgrade, "upgrade")                                                         \
    X(behind_token, "behind-token") /* Etage-Min-Seq is ahead of this instance */ \
    X(blind, "blind")               /* the log of invalidations is not heard */   \
    X(key_too_long, "key-too-long")                                               \
    X(not_shareable, "not-shareable") /* remembered: do not queue this key */     \
    X(flight_too_slow, "flight-too-slow")                                         \
    /* why the stored entry was not used */                                       \
    X(invalidated, "invalidated")           /* a hard mark: gone */               \
    X(soft_invalidated, "soft-invalidated") /* a soft mark: stale */              \
    X(unconfirmed, "unconfirmed")           /* stored before a gap in the log */  \
    X(only_if_cached, "only-if-cached")                                           \
    /* why the response was not stored */                                         \
    X(no_store, "no-store")                                                       \
    X(private_, "private")                                                        \
    X(set_cookie, "set-cookie")                                                   \
    X(vary_star, "vary-star")                                                     \
    X(vary_too_wide, "vary-too-wide")                                             \
    X(no_freshness, "no-freshness") /* neither freshness nor validator */         \
    X(status_not_cacheable, "status-not-cacheable")                               \
    X(method_not_cacheable, "method-not-cacheable")                               \
    X(partial, "partial")                                                         \
    X(too_large, "too-large")                                                     \
    X(incomplete, "incomplete") /* the message ended early */                     \
    X(fenced, "fenced")         /* invalidated while it was being fetched */      \
    X(too_many_tags, "too-many-tags")                                             \
    /* what an unsafe request changed */                                          \
    X(not_recorded, "not-recorded") /* gone here; others hear of it later */      \
    /* why there was no answer from the origin */                                 \
    X(origin_unreachable, "origin-unreachable")                                   \
    X(origin_timeout, "origin-timeout")                                           \
    X(origin_protocol, "origin-protocol")                                         \
    X(origin_incomplete, "origin-incomplete")                                     \
    X(overloaded, "overloaded")                                                   \
    X(internal, "internal")                                                       \
    /* answered before the cache */                                               \
    X(rate_limited, "rate-limited")                                               \
    X(too_many_at_once, "too-many-at-once") /* a limit of concurrency */          \
    X(limit_unknown, "limit-unknown")       /* closed while Redis is away */      \
    X(denied, "denied")                     /* by the list of a limit */          \
    X(no_route, "no-route")                                                       \
    X(method_not_allowed, "method-not-allowed")                                   \
    X(bad_request, "bad-request")

#define ETAGE_ENUMERATOR(name, text) name,
enum class Forward : std::uint8_t { ETAGE_FORWARDS(ETAGE_ENUMERATOR) };
enum class Detail : std::uint8_t { ETAGE_DETAILS(ETAGE_ENUMERATOR) };
#undef ETAGE_ENUMERATOR

#define ETAGE_ONE(name, text) +1
inline constexpr std::size_t forward_count = 0 ETAGE_FORWARDS(ETAGE_ONE);
inline constexpr std::size_t detail_count = 0 ETAGE_DETAILS(ETAGE_ONE);
#undef ETAGE_ONE

/// The word on the wire, in the log and in metric labels. Never fails; static lifetime.
std::string_view forward_name(Forward) noexcept;
std::string_view detail_name(Detail) noexcept;

/// What became of one request.
struct Verdict {
    bool hit = false;  // answered without going forward; excludes `forward`
    Forward forward = Forward::none;
    Detail detail = Detail::none;
    bool stored = false;
    bool collapsed = false;  // waited for another request's fetch
    int forward_status = 0;  // what the origin said; 0 = nothing
    bool has_ttl = false;
    std::int64_t ttl_s = 0;  // remaining freshness in seconds, negative when stale
};

}  // namespace etage
