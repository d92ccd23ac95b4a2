#include "gateway/config_routes.hpp"

#include "gateway/config_limits.hpp"
#include "gateway/config_read.hpp"
#include "http/h1_writer.hpp"
#include "policy/route.hpp"

#include <algorithm>

namespace etage::gateway {
namespace {

std::optional<std::string> read_field_value(const Node& node, Problems& problems) {
    auto text = read_text(node, problems);
    if (text && (text->empty() || !http::is_field_value(*text))) {
        problems.add(node, "is empty or holds characters that no header field may hold");
        return std::nullopt;
    }
    return text;
}

// ---- cache

constexpr Word<Per> pers[] = {{"everyone", Per::everyone}, {"user", Per::user}};

constexpr Key<CachePolicy> cache_keys[] = {
    {"pass", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.pass, read_flag(n, p)); }},
    {"ttl", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.ttl, read_duration(n, p)); }},
    {"stale_while_revalidate",
     [](CachePolicy& c, const Node& n, Problems& p) { keep(c.stale_while_revalidate, read_duration(n, p)); }},
    {"stale_if_error", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.stale_if_error, read_duration(n, p)); }},
    {"negative_ttl", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.negative_ttl, read_duration(n, p)); }},
    {"tags", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.tags, read_list(n, p)); }},
    {"per", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.per, read_word(n, p, pers)); }},
    {"allow_set_cookie", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.allow_set_cookie, read_flag(n, p)); }},
    {"respect_origin", [](CachePolicy& c, const Node& n, Problems& p) { keep(c.respect_origin, read_flag(n, p)); }},
};

// ---- key

/// `query = ["limit", "offset"]` names the parameters that count; "all" and "none" are words for the two ends.
void set_query(KeyPolicy& key, const Node& node, Problems& problems) {
    using Query = KeyPolicy::Query;
    if (key.query_mode == Query::ignore)
        return problems.add(node, "query and query_ignore exclude each other; keep one");
    if (std::holds_alternative<std::string>(node.value)) {
        static constexpr Word<Query> words[] = {{"all", Query::all}, {"none", Query::allow}};
        return keep(key.query_mode, read_word(node, problems, words));
    }
    if (auto names = read_list(node, problems)) {
        key.query_mode = Query::allow;
        key.query = std::move(*names);
    }
}

void set_query_ignore(KeyPolicy& key, const Node& node, Problems& problems) {
    if (key.query_mode == KeyPolicy::Query::allow)
        return problems.add(node, "query and query_ignore exclude each other; keep one");
    if (auto names = read_list(node, problems)) {
        key.query_mode = KeyPolicy::Query::ignore;
        key.query = std::move(*names);
    }
}

void set_key_headers(KeyPolicy& key, const Node& node, Problems& problems) {
    const auto nodes = read_nodes(node, problems);
    if (!nodes) return;
    std::vector<std::string> names;
    for (const Node& element : *nodes)
        if (auto name = read_field_name(element, problems)) names.push_back(std::move(*name));
    key.headers = std::move(names);
}

constexpr Key<KeyPolicy> key_keys[] = {
    {"query", set_query},
    {"query_ignore", set_query_ignore},
    {"headers", set_key_headers},
};

// ---- client, identity

constexpr Key<ClientPolicy> client_keys[] = {
    {"cache_control",
     [](ClientPolicy& c, const Node& n, Problems& p) { keep(c.cache_control, read_field_value(n, p)); }},
    {"cdn_cache_control",
     [](ClientPolicy& c, const Node& n, Problems& p) { keep(c.cdn_cache_control, read_field_value(n, p)); }},
    {"expose_tags", [](ClientPolicy& c, const Node& n, Problems& p) { keep(c.expose_tags, read_flag(n, p)); }},
    {"compress", [](ClientPolicy& c, const Node& n, Problems& p) { keep(c.compress, read_flag(n, p)); }},
    {"x_ratelimit", [](ClientPolicy& c, const Node& n, Problems& p) { keep(c.x_ratelimit, read_flag(n, p)); }},
};

constexpr Key<IdentityPolicy> identity_keys[] = {
    {"header", [](IdentityPolicy& i, const Node& n, Problems& p) { keep(i.header, read_field_name(n, p)); }},
    {"cookie", [](IdentityPolicy& i, const Node& n, Problems& p) { keep(i.cookie, read_field_name(n, p)); }},
};

// ---- the route

constexpr Key<RoutePolicy> route_keys[] = {
    {"match", [](RoutePolicy& r, const Node& n, Problems& p) { keep(r.match, read_text(n, p)); }},
    {"cache", [](RoutePolicy& r, const Node& n, Problems& p) { read_table(r.cache, n, p, cache_keys); }},
    {"key", [](RoutePolicy& r, const Node& n, Problems& p) { read_table(r.key, n, p, key_keys); }},
    {"client", [](RoutePolicy& r, const Node& n, Problems& p) { read_table(r.client, n, p, client_keys); }},
    {"identity", [](RoutePolicy& r, const Node& n, Problems& p) { read_table(r.identity, n, p, identity_keys); }},
    {"limits", [](RoutePolicy& r, const Node& n, Problems& p) { r.limits = read_limits(n, "a route", p); }},
    {"invalidates", [](RoutePolicy& r, const Node& n, Problems& p) { keep(r.invalidates, read_list(n, p)); }},
    {"origin", [](RoutePolicy& r, const Node& n, Problems& p) { keep(r.origin, read_text(n, p)); }},
};

const Node* member(const Node& table, std::string_view key) {
    const auto* members = std::get_if<Node::Table>(&table.value);
    if (members == nullptr) return nullptr;
    const auto found = std::ranges::find(*members, key, &Member::key);
    return found == members->end() ? nullptr : &found->node;
}

/// What keys cannot say alone.
void check_route(const RoutePolicy& route, const Node& node, const std::vector<std::string>& origin_names,
                 Problems& problems) {
    const Node* match = member(node, "match");
    if (match == nullptr) return problems.add(node, "a route needs a pattern, like match = \"GET /posts/**\"");
    if (!route.origin.empty() && std::ranges::find(origin_names, route.origin) == origin_names.end()) {
        const std::vector<std::string_view> names(origin_names.begin(), origin_names.end());
        return problems.add(*member(node, "origin"),
                            "no origin is named \"" + route.origin + "\"" + suggestion(route.origin, names));
    }
    if (route.cache.pass && (route.cache.ttl || !route.cache.tags.empty()))
        return problems.add(*member(node, "cache"), "pass = true stores nothing; remove it, or ttl and tags");
    if (const auto compiled = policy::Router::compile({route}, origin_names); !compiled)
        problems.add(*match, compiled.error().what);
}

}  // namespace

std::vector<RoutePolicy> read_routes(const Node& list, const std::vector<std::string>& origin_names,
                                     Problems& problems) {
    std::vector<RoutePolicy> routes;
    const auto* elements = std::get_if<Node::List>(&list.value);
    if (elements == nullptr) {
        problems.add(list, "routes are a list; write [[route]] with two brackets");
        return routes;
    }
    for (const Node& element : *elements) {
        RoutePolicy route;
        const auto before = problems.lines().size();
        read_table(route, element, problems, route_keys);
        if (problems.lines().size() == before) check_route(route, element, origin_names, problems);
        if (problems.lines().size() == before) routes.push_back(std::move(route));
    }
    return routes;
}

void apply_default_ttl(std::vector<RoutePolicy>& routes, const std::vector<std::string>& origin_names, Duration ttl) {
    for (RoutePolicy& route : routes) {
        if (route.cache.pass || route.cache.ttl) continue;
        const auto compiled = policy::Router::compile({route}, origin_names);
        if (!compiled) continue;
        // A route for unsafe methods only never meant to cache: a ttl would ask for it.
        const policy::MethodSet& methods = compiled->routes().front()->methods;
        if (methods.has(http::Method::get) || methods.has(http::Method::head) ||
            (methods.empty() && route.invalidates.empty()))
            route.cache.ttl = ttl;
    }
}

}  // namespace etage::gateway
