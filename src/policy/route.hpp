#pragma once
// Which rule applies (step 1): patterns, compiled once, matched without allocation.

#include "http/message.hpp"
#include "policy/pattern.hpp"
#include "policy/template.hpp"

#include <etage/error.hpp>
#include <etage/policy.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace etage::policy {

/// A compiled route. Immutable after compile; shared by all threads.
struct Route {
    RoutePolicy policy;          // as declared
    std::size_t index = 0;       // in file order
    std::uint32_t revision = 0;  // hash of the policy, never 0: entries of another revision are not used
    std::size_t origin = 0;      // index of the origin
    MethodSet methods;
    std::vector<Segment> segments;
    std::vector<std::string> capture_names;
    std::vector<Template> tags;
    std::vector<Template> invalidates;
    std::string name;  // for keys, logs, metrics: "posts-id"; unique among the routes
};

struct Match {
    const Route* route = nullptr;  // null: nothing matched
    Captures captures{};           // borrowed from the path, percent-encoded as received
    bool path_known = false;       // some route matches the path with another method
};

/// An ordered list of routes.
class Router {
public:
    Router() = default;

    /// `what` of the error names the route, what is wrong with it, and what to write instead. An empty origin is the
    /// first of `origin_names`.
    static Result<Router> compile(std::vector<RoutePolicy> policies, const std::vector<std::string>& origin_names);

    /// First match in order. `path` is the request's path; one that cannot be normalised matches nothing. No
    /// allocation, unless the path holds an escape or a dot segment; out of memory there is no match.
    Match match(http::Method method, std::string_view path) const noexcept;

    /// For 405: the methods that routes matching this path accept ("GET, HEAD, POST"); empty when none does.
    std::string allow(std::string_view path) const;

    const std::vector<std::unique_ptr<const Route>>& routes() const noexcept { return routes_; }

private:
    std::vector<std::unique_ptr<const Route>> routes_;
};

}  // namespace etage::policy
