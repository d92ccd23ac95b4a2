#pragma once
// What is accepted in routes and yet seldom meant. Pure.

#include "gateway/config_load.hpp"
#include "gateway/lint.hpp"
#include "gateway/lint_places.hpp"
#include "policy/route.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace etage::gateway {

/// Every rule of lint_route_rules.hpp, and those of Cache-Control for what clients are told. `file` is where the routes
/// were read from, for places. Precondition: load_config made the configuration, so the routes compile.
Findings lint_routes(const Config&, const std::optional<SourceText>& file);

/// What the rooms look at.
class RouteUnderLint {
public:
    RouteUnderLint(const policy::Router& all, const policy::Route& one, const RoutePlaces& places, Findings& out)
        : router(all), route(one), policy(one.policy), places_(places), out_(out) {}

    /// A finding at the key that `path` leads to.
    void add(const LintRule& rule, std::initializer_list<std::string_view> path, std::string_view what) {
        out_.add(rule, places_.of(route.index, path), title() + ": " + std::string(what));
    }
    std::string title() const { return "\"" + policy.match + "\""; }
    Findings& findings() noexcept { return out_; }
    std::string place(std::initializer_list<std::string_view> path) const { return places_.of(route.index, path); }

    /// It answers from the shelf by a rule of its own.
    bool caches() const noexcept { return !policy.cache.pass && policy.cache.ttl.has_value(); }
    bool per_user() const noexcept { return policy.cache.per == Per::user; }

    const policy::Router& router;
    const policy::Route& route;
    const RoutePolicy& policy;

private:
    const RoutePlaces& places_;
    Findings& out_;
};

// The rooms.
void lint_order(RouteUnderLint&);         // which requests come here
void lint_invalidation(RouteUnderLint&);  // tags, and who names them
void lint_storing(RouteUnderLint&);       // cache
void lint_key(RouteUnderLint&);           // key
void lint_client(RouteUnderLint&);        // client, limits

}  // namespace etage::gateway
