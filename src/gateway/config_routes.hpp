#pragma once
// `[[route]]`: from nodes to policies, with every key of include/etage/policy.hpp.

#include "gateway/config_node.hpp"

#include <etage/policy.hpp>

#include <string>
#include <vector>

namespace etage::gateway {

/// The policies in file order. Each is compiled (policy::Router) to check its pattern and templates; `origin_names` are
/// those it may name. A wrong route is reported and left out.
std::vector<RoutePolicy> read_routes(const Node& list, const std::vector<std::string>& origin_names,
                                     Problems& problems);

/// Gives `ttl` to every route that answers GET or HEAD, may cache, and names none of its own.
void apply_default_ttl(std::vector<RoutePolicy>& routes, const std::vector<std::string>& origin_names, Duration ttl);

}  // namespace etage::gateway
