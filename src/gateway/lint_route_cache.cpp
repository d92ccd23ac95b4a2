// What of a route is stored, for how long, and under which names.

#include "gateway/lint_route_rules.hpp"
#include "gateway/lint_routes.hpp"
#include "gateway/units.hpp"

#include <algorithm>

namespace etage::gateway {

namespace {

using http::Method;

/// Long enough to wonder why what was created is not found.
constexpr Duration negative_ttl_long = std::chrono::minutes(5);

/// Request fields with nearly as many values as requests, or clients.
constexpr std::string_view unbounded[] = {"user-agent",        "cookie",      "authorization",    "referer",
                                          "x-request-id",      "traceparent", "x-trace-id",       "if-none-match",
                                          "if-modified-since", "date",        "x-correlation-id", "range"};

/// In the key anyway, or never seen by an origin whose answer is stored.
constexpr std::string_view pointless[] = {"host", "accept-encoding", "forwarded", "connection", "te", "expect"};

bool is_in(std::string_view name, std::span<const std::string_view> names) noexcept {
    return std::ranges::any_of(names, [&](std::string_view each) { return http::iequals(each, name); });
}

void lint_pass(RouteUnderLint& in) {
    const CachePolicy& cache = in.policy.cache;
    const KeyPolicy& key = in.policy.key;
    std::string idle;
    const auto name = [&](bool set, std::string_view text) {
        if (set) idle.append(idle.empty() ? "" : ", ").append(text);
    };
    name(cache.stale_while_revalidate.has_value(), "cache.stale_while_revalidate");
    name(cache.stale_if_error.has_value(), "cache.stale_if_error");
    name(cache.negative_ttl.has_value(), "cache.negative_ttl");
    name(cache.per != Per::everyone, "cache.per");
    name(cache.allow_set_cookie, "cache.allow_set_cookie");
    name(!cache.respect_origin, "cache.respect_origin");
    name(key.query_mode != KeyPolicy::Query::all, "key.query");
    name(!key.headers.empty(), "key.headers");
    if (!idle.empty()) in.add(route_rule("pass-ignores-settings"), {"cache", "pass"}, "pass = true beside " + idle);
}

void lint_lifetimes(RouteUnderLint& in) {
    const CachePolicy& cache = in.policy.cache;
    if (!cache.ttl && (cache.stale_while_revalidate || cache.stale_if_error))
        in.add(route_rule("swr-without-ttl"),
               {"cache", cache.stale_while_revalidate ? "stale_while_revalidate" : "stale_if_error"},
               "a stale window without a ttl");
    if (!cache.negative_ttl) return;
    const bool beyond_ttl = cache.ttl && *cache.negative_ttl > *cache.ttl;
    if (beyond_ttl || *cache.negative_ttl > negative_ttl_long)
        in.add(route_rule("negative-ttl-long"), {"cache", "negative_ttl"},
               "404 and 410 are kept for " + format_duration(*cache.negative_ttl) +
                   (beyond_ttl ? ", what is found for " + format_duration(*cache.ttl) : ""));
}

}  // namespace

void lint_storing(RouteUnderLint& in) {
    const CachePolicy& cache = in.policy.cache;
    if (cache.pass) return lint_pass(in);
    lint_lifetimes(in);
    if (cache.allow_set_cookie && !in.per_user())
        in.add(route_rule("allow-set-cookie"), {"cache", "allow_set_cookie"},
               "allow_set_cookie on answers for everybody");
    if (in.per_user() && in.policy.identity.header && !http::iequals(*in.policy.identity.header, "authorization"))
        in.add(route_rule("identity-by-claim"), {"identity", "header"},
               "per = \"user\", and the user is whom " + *in.policy.identity.header + " names");
    if (!cache.respect_origin)
        in.add(route_rule("ignores-no-store"), {"cache", "respect_origin"}, "respect_origin = false");
    const policy::MethodSet& methods = in.route.methods;
    constexpr Method stored[] = {Method::get, Method::head, Method::query, Method::post};
    if ((cache.ttl || !cache.tags.empty()) &&
        std::ranges::none_of(stored, [&](Method m) { return methods.matches(m); }))
        in.add(route_rule("ttl-never-stored"), {"cache"}, "no method whose answers are stored");
}

void lint_key(RouteUnderLint& in) {
    const KeyPolicy& key = in.policy.key;
    if (in.policy.cache.pass) return;
    if (in.caches() && key.query_mode == KeyPolicy::Query::all && in.route.methods.matches(Method::get))
        in.add(route_rule("query-all-on-ttl"), {"cache", "ttl"}, "every parameter of the query is in the key");
    for (const std::string& name : key.headers) {
        if (is_in(name, unbounded))
            in.add(route_rule("key-headers-unbounded"), {"key", "headers"}, name + " is in the key");
        else if (is_in(name, pointless) ||
                 (name.size() > 12 && http::iequals(std::string_view(name).substr(0, 12), "x-forwarded-")))
            in.add(route_rule("key-headers-pointless"), {"key", "headers"}, name + " is in the key");
    }
}

}  // namespace etage::gateway
