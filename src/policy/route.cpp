#include "policy/route.hpp"

#include "base/nearest.hpp"
#include "http/h1_writer.hpp"
#include "policy/revision.hpp"

#include <algorithm>
#include <new>

namespace etage::policy {

namespace {

using Names = std::vector<std::string>;

std::unexpected<Error> wrong(const RoutePolicy& policy, const std::string& what) {
    return failure(Blame::client, Fault::bad_request, "route \"" + policy.match + "\": " + what);
}

std::string name_of(const std::vector<Segment>& segments) {
    std::string name;
    for (const Segment& segment : segments) {
        std::string_view text = segment.text;
        if (segment.kind == Segment::Kind::one) text = "any";
        if (segment.kind == Segment::Kind::any) text = "all";
        if (text.empty()) continue;
        if (!name.empty()) name += '-';
        for (const char c : text) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            name += plain || c == '_' || c == '.' ? c : '-';
        }
    }
    return name.empty() ? "root" : name;
}

/// The second "posts" is "posts-2". Only routes whose patterns differ in methods alone, or hardly, meet here.
void make_unique_name(Route& route, const std::vector<std::unique_ptr<const Route>>& earlier) {
    const auto taken = [&](const std::string& name) {
        return std::ranges::any_of(earlier, [&](const auto& each) { return each->name == name; });
    };
    const std::string name = route.name;
    for (std::size_t n = 2; taken(route.name); ++n) route.name = name + "-" + std::to_string(n);
}

Result<std::size_t> find_origin(const RoutePolicy& policy, const Names& names) {
    if (policy.origin.empty()) return std::size_t{0};
    const auto at = std::ranges::find(names, policy.origin);
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
    std::string what = "there is no origin named \"" + policy.origin + "\"";
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    if (const auto near = base::nearest(policy.origin, candidates); !near.empty())
        what += "; did you mean \"" + std::string(near) + "\"?";
    return wrong(policy, what);
}

Result<std::vector<Template>> compile_templates(const RoutePolicy& policy, const Names& texts, const Names& captures) {
    std::vector<Template> out;
    for (const std::string& text : texts) {
        auto each = Template::compile(text, captures);
        if (!each) return wrong(policy, each.error().what);
        out.push_back(std::move(*each));
    }
    return out;
}

Result<Route> compile_route(RoutePolicy policy, const Names& origin_names) {
    auto pattern = parse_pattern(policy.match);
    if (!pattern) return wrong(policy, pattern.error().what);
    auto tags = compile_templates(policy, policy.cache.tags, pattern->capture_names);
    if (!tags) return std::unexpected(std::move(tags.error()));
    auto invalidates = compile_templates(policy, policy.invalidates, pattern->capture_names);
    if (!invalidates) return std::unexpected(std::move(invalidates.error()));
    const auto origin = find_origin(policy, origin_names);
    if (!origin) return std::unexpected(origin.error());
    for (const std::string& header : policy.key.headers)
        if (!http::is_token(header)) return wrong(policy, "key: \"" + header + "\" cannot be the name of a header");

    Route route;
    route.revision = revision_of(policy);
    route.policy = std::move(policy);
    route.origin = *origin;
    route.methods = pattern->methods;
    route.segments = std::move(pattern->segments);
    route.capture_names = std::move(pattern->capture_names);
    route.tags = std::move(*tags);
    route.invalidates = std::move(*invalidates);
    route.name = name_of(route.segments);
    return route;
}

}  // namespace

Result<Router> Router::compile(std::vector<RoutePolicy> policies, const std::vector<std::string>& origin_names) {
    Router router;
    for (RoutePolicy& policy : policies) {
        auto compiled = compile_route(std::move(policy), origin_names);
        if (!compiled) return std::unexpected(std::move(compiled.error()));
        auto route = std::make_unique<Route>(std::move(*compiled));
        route->index = router.routes_.size();
        make_unique_name(*route, router.routes_);
        router.routes_.push_back(std::move(route));
    }
    return router;
}

Match Router::match(http::Method method, std::string_view path) const noexcept try {
    Match match;
    const PathSegments segments(path);
    for (const auto& route : routes_) {
        if (!route->methods.matches(method) || !segments.match(route->segments, match.captures)) continue;
        match.route = route.get();
        return match;
    }
    const bool path_known = std::ranges::any_of(
        routes_, [&](const auto& route) { return segments.match(route->segments, match.captures); });
    return {nullptr, {}, path_known};
} catch (const std::bad_alloc&) {
    return {};
}

std::string Router::allow(std::string_view path) const {
    using http::Method;
    constexpr Method listed[] = {Method::get,     Method::head,    Method::post,    Method::put,
                                 Method::patch,   Method::delete_, Method::options, Method::trace,
                                 Method::connect, Method::query,   Method::purge};
    const PathSegments segments(path);
    std::string out;
    for (const Method method : listed) {
        const bool taken = std::ranges::any_of(routes_, [&](const auto& route) {
            Captures unused{};
            const bool named = method != Method::purge || route->methods.has(method);
            return named && route->methods.matches(method) && segments.match(route->segments, unused);
        });
        if (!taken) continue;
        if (!out.empty()) out += ", ";
        out += http::method_name(method);
    }
    return out;
}

}  // namespace etage::policy
