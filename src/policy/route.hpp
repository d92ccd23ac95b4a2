#pragma once
// Which rule applies (step 1): patterns, compiled once, matched without allocation.

#include "http/message.hpp"
#include "policy/template.hpp"

#include <etage/error.hpp>
#include <etage/policy.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace etage::policy {

/// A set of methods; empty = any.
class MethodSet {
public:
    void add(http::Method m) noexcept { bits_ = static_cast<std::uint16_t>(bits_ | (1U << static_cast<unsigned>(m))); }
    bool empty() const noexcept { return bits_ == 0; }
    /// HEAD is matched where GET is: a GET route answers it.
    bool matches(http::Method) const noexcept;
    bool has(http::Method m) const noexcept { return (bits_ & (1U << static_cast<unsigned>(m))) != 0; }

private:
    std::uint16_t bits_ = 0;
};

struct Segment {
    enum class Kind : std::uint8_t { literal, one, named, any };   // posts  *  {id}  **
    Kind kind = Kind::literal;
    std::string text;                                              // the literal or the name
};

/// A compiled route. Immutable after compile; shared by all threads.
struct Route {
    RoutePolicy policy;                    // as declared
    std::size_t index = 0;                 // in file order
    std::uint32_t revision = 0;            // hash of the policy: entries of another revision are not used
    std::size_t origin = 0;                // index of the origin
    MethodSet methods;
    std::vector<Segment> segments;
    std::vector<std::string> capture_names;
    std::vector<Template> tags;
    std::vector<Template> invalidates;
    std::string name;                      // for keys, logs, metrics: "posts-id"
};

inline constexpr std::size_t captures_max = 8;

struct Match {
    const Route* route = nullptr;          // null: nothing matched
    std::array<std::string_view, captures_max> captures{};   // borrowed from the path, percent-encoded as received
    bool path_known = false;               // some route matches the path with another method
};

/// An ordered list of routes.
class Router {
public:
    Router() = default;

    /// `what` of the error names the route and what is wrong with its pattern or template.
    static Result<Router> compile(std::vector<RoutePolicy> policies, const std::vector<std::string>& origin_names);

    /// First match in order. `path` is the request's path. No allocation.
    Match match(http::Method method, std::string_view path) const noexcept;

    /// For 405: the methods that routes matching this path accept ("GET, HEAD, POST").
    std::string allow(std::string_view path) const;

    const std::vector<std::unique_ptr<const Route>>& routes() const noexcept { return routes_; }

private:
    std::vector<std::unique_ptr<const Route>> routes_;
};

}  // namespace etage::policy
