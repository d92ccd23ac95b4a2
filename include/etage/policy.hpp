#pragma once
// What a route may say, as plain values: the same for a TOML file and for a C++ service (DESIGN §10). Every member says
// what it is when left out, so that designated initialisers name only what a route wants.

#include <etage/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace etage {

/// Who may share a stored response.
enum class Per : std::uint8_t { everyone, user };

struct CachePolicy {
    bool pass = false;                                 // never look up, never store
    std::optional<Duration> ttl{};                     // overrides the origin's freshness lifetime
    std::optional<Duration> stale_while_revalidate{};  // RFC 5861 §3
    std::optional<Duration> stale_if_error{};          // RFC 5861 §4
    std::optional<Duration> negative_ttl{};            // for 404 and 410, when they say nothing themselves
    std::vector<std::string> tags{};                   // templates: "posts:cat:{query.category}"
    Per per = Per::everyone;
    bool allow_set_cookie = false;
    bool allow_cookie = false;   // store what a request with Cookie got, for everybody
    bool respect_origin = true;  // the origin's no-store/private win over `ttl`
};

struct KeyPolicy {
    enum class Query : std::uint8_t { all, allow, ignore };
    Query query_mode = Query::all;
    std::vector<std::string> query{};    // the allow list or the ignore list
    std::vector<std::string> headers{};  // request fields that are part of the key
};

struct ClientPolicy {
    std::optional<std::string> cache_control{};      // what browsers are told, instead of the origin's field
    std::optional<std::string> cdn_cache_control{};  // what CDNs behind us are told
    bool expose_tags = false;                        // leave Cache-Tag, Surrogate-Key, Cache-Groups in the answer
    bool compress = true;                            // false: content leaves in the coding it came in
    bool x_ratelimit = false;                        // X-RateLimit-* beside RateLimit, for older clients
};

/// Where a user's identity is read from; without one, `Authorization` is the identity.
struct IdentityPolicy {
    std::optional<std::string> header{};
    std::optional<std::string> cookie{};
};

/// How much one client may ask for: of one route, or (`[[limit]]`) of all. Several hold at once; a request that one of
/// them refuses pays none.
struct LimitPolicy {
    enum class Algorithm : std::uint8_t { token_bucket, fixed_window, sliding_window, concurrency };
    enum class By : std::uint8_t { ip, user, header, cookie, route, everyone };
    enum class Cost : std::uint8_t { fixed, request_header, response_header, response_bytes };
    enum class Count : std::uint8_t { all, misses };
    enum class Outage : std::uint8_t { local, open, closed };
    std::string name{};  // shown in RateLimit-Policy
    Algorithm algorithm = Algorithm::token_bucket;
    std::uint64_t quota = 0;  // so much …
    Duration window{};        // … per window
    std::uint64_t burst = 0;  // at most so much at once, of a token bucket; 0 = the quota
    std::uint64_t max = 0;    // of concurrency: requests in flight, in place of quota and window
    By by = By::ip;
    std::string by_name{};  // of the header or cookie
    Cost cost_by = Cost::fixed;
    std::uint64_t cost = 1;            // of one request, when it is fixed
    std::string cost_name{};           // of the field that says it
    Count count = Count::all;          // misses: what the cache answers is free
    std::vector<std::string> allow{};  // clients it does not hold for: networks (by ip), or names as they come
    std::vector<std::string> deny{};   // clients that are refused in any case: 403
    Outage outage = Outage::local;     // Redis is away: a share of the limit, no limit, or nothing (503)
    std::uint64_t lease = 0;           // taken from Redis at once, at most; 1 = a call per decision, 0 = by the rate
    Duration retry_jitter{};           // Retry-After is later by up to this, so that not all come back at once
    bool dry_run = false;              // count, never refuse
};

/// One `[[route]]`. Order matters: the first match wins.
struct RoutePolicy {
    std::string match{};  // "GET /posts/{id}", "POST|PUT /posts/**", "/static/**"
    CachePolicy cache{};
    KeyPolicy key{};
    ClientPolicy client{};
    IdentityPolicy identity{};
    std::vector<LimitPolicy> limits{};
    std::vector<std::string> invalidates{};  // tag templates, after a successful unsafe request
    std::string origin{};                    // name of the origin; empty = the default one
};

}  // namespace etage
