// What clients of a route are told, and how they are limited.

#include "gateway/lint_directives.hpp"
#include "gateway/lint_route_rules.hpp"
#include "gateway/lint_routes.hpp"
#include "gateway/units.hpp"
#include "http/cache_control.hpp"
#include "policy/targeted.hpp"

#include <algorithm>

namespace etage::gateway {

namespace {

using http::FieldId;

/// What the route has clients told, as the fields of an answer.
http::Fields told(const ClientPolicy& client) {
    http::Fields fields;
    if (client.cache_control) fields.add(FieldId::cache_control, *client.cache_control);
    if (client.cdn_cache_control) fields.add(FieldId::cdn_cache_control, *client.cdn_cache_control);
    return fields;
}

void lint_user_answers(RouteUnderLint& in, const http::Fields& fields, const http::ResponseCacheControl& cc) {
    if (!in.per_user()) return;
    const auto kept_back = [](const http::ResponseCacheControl& c) { return c.is_private || c.no_store; };
    if (cc.present && !kept_back(cc)) {
        const bool shared = cc.is_public || cc.s_maxage;
        in.add(shared ? route_rule("user-cache-public-client") : route_rule("user-cache-shared-client"),
               {"client", "cache_control"}, "per = \"user\", and clients are told " + *in.policy.client.cache_control);
    }
    const auto governing = policy::governing_directives(fields, cc);
    if (governing.targeted && !kept_back(governing.cc))
        in.add(route_rule("user-cache-public-client"), {"client", "cdn_cache_control"},
               "per = \"user\", and CDNs are told " + *in.policy.client.cdn_cache_control);
}

/// Answers carry their Age, so that a browser's share of the lifetime is what is left of max-age.
void lint_client_lifetime(RouteUnderLint& in, const http::ResponseCacheControl& cc) {
    if (!in.caches() || cc.no_store || cc.no_cache || cc.max_age.value_or(0) == 0) return;
    const Duration client = std::chrono::seconds(*cc.max_age);
    const Duration ttl = *in.policy.cache.ttl;
    const std::string both =
        "max-age=" + std::to_string(*cc.max_age) + " for clients, ttl = \"" + format_duration(ttl) + "\" here";
    if (client > ttl) in.add(route_rule("client-longer-than-ttl"), {"client", "cache_control"}, both);
    if (client < ttl) in.add(route_rule("client-shorter-than-ttl"), {"client", "cache_control"}, both);
}

void lint_limits(RouteUnderLint& in) {
    using By = LimitPolicy::By;
    const auto& limits = in.policy.limits;
    const bool anchored = std::ranges::any_of(limits, [](const LimitPolicy& limit) {
        return (limit.by == By::ip || limit.by == By::route) && !limit.dry_run;
    });
    for (std::size_t i = 0; i < limits.size(); ++i) {
        const LimitPolicy& limit = limits[i];
        const std::string index = std::to_string(i);
        if (limit.dry_run)
            in.add(route_rule("limit-dry-run"), {"limits", index, "dry_run"},
                   "limit \"" + limit.name + "\" is a dry run");
        if (!anchored && limit.by != By::ip && limit.by != By::route)
            in.add(route_rule("limit-by-claim"), {"limits", index, "by"},
                   "limit \"" + limit.name + "\" is by " +
                       (limit.by == By::user     ? "user"
                        : limit.by == By::header ? "header:" + limit.by_name
                                                 : "cookie:" + limit.by_name) +
                       ", and none by ip or route refuses anybody");
    }
}

}  // namespace

void lint_client(RouteUnderLint& in) {
    lint_limits(in);
    const http::Fields fields = told(in.policy.client);
    if (fields.empty()) return;
    lint_cache_control(fields, in.place({"client", "cache_control"}), in.findings());
    lint_targeted(fields, in.place({"client", "cdn_cache_control"}), in.findings());
    const auto cc = http::parse_response_cache_control(fields);
    lint_user_answers(in, fields, cc);
    lint_client_lifetime(in, cc);
}

}  // namespace etage::gateway
