// All rules on routes, and those on which requests come to a route at all.

#include "gateway/lint_routes.hpp"

#include "gateway/lint_reach.hpp"
#include "gateway/lint_route_rules.hpp"

#include <algorithm>
#include <set>

namespace etage::gateway {

namespace {

using http::Method;

constexpr Method methods[] = {Method::get,     Method::head,    Method::post,    Method::put,
                              Method::patch,   Method::delete_, Method::options, Method::trace,
                              Method::connect, Method::query,   Method::purge,   Method::other};

/// The earlier routes that take all requests of this method; empty when some come through.
std::set<std::size_t> takers(const RouteUnderLint& in, Method method) {
    std::vector<const PathPattern*> patterns;
    std::vector<std::size_t> indices;
    for (const auto& earlier : in.router.routes()) {
        if (earlier->index >= in.route.index) break;
        if (!earlier->methods.matches(method)) continue;
        // One alone is a better explanation than all together.
        const PathPattern* const alone[] = {&earlier->segments};
        if (covered(in.route.segments, alone)) return {earlier->index};
        patterns.push_back(&earlier->segments);
        indices.push_back(earlier->index);
    }
    if (patterns.empty() || !covered(in.route.segments, patterns)) return {};
    return {indices.begin(), indices.end()};
}

}  // namespace

void lint_order(RouteUnderLint& in) {
    std::set<std::size_t> all;
    for (const Method method : methods) {
        if (!in.route.methods.matches(method)) continue;
        const auto taken = takers(in, method);
        if (taken.empty()) return;
        all.insert(taken.begin(), taken.end());
    }
    std::string what = "everything it matches goes to ";
    for (bool first = true; const std::size_t index : all) {
        what += (first ? "\"" : ", \"") + in.router.routes()[index]->policy.match + "\"";
        first = false;
    }
    in.add(route_rule("route-never-reached"), {"match"}, what);
}

Findings lint_routes(const Config& config, const std::optional<SourceText>& file) {
    Findings out;
    const auto router = policy::Router::compile(config.routes, config.origin_names());
    if (!router) return out;
    const RoutePlaces places(file);
    for (const auto& route : router->routes()) {
        RouteUnderLint in(*router, *route, places, out);
        lint_order(in);
        lint_invalidation(in);
        lint_storing(in);
        lint_key(in);
        lint_client(in);
    }
    out.sort();
    return out;
}

}  // namespace etage::gateway
