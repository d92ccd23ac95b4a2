// Tags of routes: what they are made from, and which write names them.

#include "base/nearest.hpp"
#include "gateway/lint_reach.hpp"
#include "gateway/lint_route_rules.hpp"
#include "gateway/lint_routes.hpp"
#include "policy/key.hpp"
#include "policy/query.hpp"

#include <algorithm>

namespace etage::gateway {

namespace {

using http::Method;

/// What of a template's text every expansion has: "posts:cat:{query.c}" begins with "posts:cat:" and ends with "".
struct Ends {
    std::string head;
    std::string tail;
    bool literal = true;
};

/// Calls each(reference) for "query.category" of "{query.category}"; returns the text around all of them.
template <class Each>
Ends read_template(std::string_view text, Each&& each) {
    Ends ends;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string& around = ends.literal ? ends.head : ends.tail;
        if (text.substr(i).starts_with("{{")) {
            around += text[i++];
        } else if (text[i] == '{') {
            const auto end = std::min(text.find('}', i), text.size());
            each(text.substr(i + 1, end - i - 1));
            ends.literal = false;
            ends.tail.clear();
            i = end;
        } else {
            around += text[i];
        }
    }
    return ends;
}

bool may_be_equal(const policy::Template& left, const policy::Template& right) {
    const Ends a = read_template(left.text(), [](std::string_view) {});
    const Ends b = read_template(right.text(), [](std::string_view) {});
    if (a.literal && b.literal) return a.head == b.head;
    if (a.literal) return a.head.starts_with(b.head) && a.head.ends_with(b.tail);
    if (b.literal) return b.head.starts_with(a.head) && b.head.ends_with(a.tail);
    return (a.head.starts_with(b.head) || b.head.starts_with(a.head)) &&
           (a.tail.ends_with(b.tail) || b.tail.ends_with(a.tail));
}

bool name_one(const std::vector<policy::Template>& names, const std::vector<policy::Template>& tags) {
    return std::ranges::any_of(names, [&](const auto& name) {
        return std::ranges::any_of(tags, [&](const auto& tag) { return may_be_equal(name, tag); });
    });
}

bool counts(const KeyPolicy& key, std::string_view parameter) {
    if (key.query_mode == KeyPolicy::Query::all) return true;
    const bool listed =
        std::ranges::any_of(key.query, [&](const auto& name) { return policy::same_name(name, parameter); });
    return listed == (key.query_mode == KeyPolicy::Query::allow);
}

void lint_tag_sources(RouteUnderLint& in) {
    for (const policy::Template& tag : in.route.tags)
        read_template(tag.text(), [&](std::string_view reference) {
            const auto name = reference.substr(std::min(reference.find('.') + 1, reference.size()));
            const bool unkeyed = (reference.starts_with("query.") && !counts(in.policy.key, name)) ||
                                 (reference.starts_with("header.") && !policy::is_keyed(&in.route, name));
            if (unkeyed)
                in.add(route_rule("tag-from-unkeyed-input"), {"cache", "tags"},
                       "the tag \"" + std::string(tag.text()) + "\" needs " + std::string(reference) +
                           ", which is not in the key");
        });
}

/// What the route's writes name, and nothing carries.
void lint_names(RouteUnderLint& in) {
    if (in.route.invalidates.empty()) return;
    const policy::MethodSet& set = in.route.methods;
    const auto unsafe = [&](Method method) { return !http::is_safe(method) && set.matches(method); };
    constexpr Method all[] = {Method::post,    Method::put,   Method::patch,
                              Method::delete_, Method::purge, Method::connect};
    if (std::ranges::none_of(all, unsafe))
        return in.add(route_rule("invalidates-never"), {"invalidates"}, "invalidates, and matches safe methods only");

    std::vector<std::string_view> known;
    for (const auto& route : in.router.routes())
        for (const policy::Template& tag : route->tags) known.push_back(tag.text());
    for (const policy::Template& name : in.route.invalidates) {
        const auto& routes = in.router.routes();
        const std::string text = "\"" + std::string(name.text()) + "\" is the tag of no route";
        if (std::ranges::any_of(routes, [&](const auto& r) { return name_one({name}, r->tags); })) continue;
        if (const auto near = base::nearest(name.text(), known); !near.empty())
            in.add(route_rule("invalidates-typo"), {"invalidates"},
                   text + "; did you mean \"" + std::string(near) + "\"?");
        else
            in.add(route_rule("invalidates-untagged"), {"invalidates"}, text);
    }
}

bool writes(const policy::Route& route) {
    constexpr Method unsafe[] = {Method::post, Method::put, Method::patch, Method::delete_};
    return !route.methods.empty() &&
           std::ranges::any_of(unsafe, [&](Method method) { return route.methods.has(method); });
}

/// Every answer of the route has the URI of the write that changes it, so that the write invalidates it unasked.
bool has_the_uri_of(const policy::Route& write, const policy::Route& read) {
    const KeyPolicy& key = read.policy.key;
    const bool one_uri = key.query_mode == KeyPolicy::Query::allow && key.query.empty();
    const auto equal = [](const policy::Segment& a, const policy::Segment& b) {
        const bool wild = a.kind != policy::Segment::Kind::literal && a.kind != policy::Segment::Kind::any;
        const bool wild_too = b.kind != policy::Segment::Kind::literal && b.kind != policy::Segment::Kind::any;
        return wild ? wild_too : a.kind == b.kind && a.text == b.text;
    };
    return one_uri && std::ranges::equal(write.segments, read.segments, equal);
}

void lint_writes(RouteUnderLint& in) {
    if (!in.caches() || in.policy.cache.ttl == Duration::zero() || !in.route.methods.matches(Method::get)) return;
    for (const auto& other : in.router.routes()) {
        if (!writes(*other) || !at_or_below(in.route.segments, other->segments)) continue;
        if (has_the_uri_of(*other, in.route) || name_one(other->invalidates, in.route.tags)) continue;
        return in.add(route_rule("ttl-without-invalidation"), {"cache", "ttl"},
                      "\"" + other->policy.match + "\" writes at or below this path, and names no tag of this route");
    }
}

}  // namespace

void lint_invalidation(RouteUnderLint& in) {
    lint_tag_sources(in);
    lint_names(in);
    lint_writes(in);
}

}  // namespace etage::gateway
