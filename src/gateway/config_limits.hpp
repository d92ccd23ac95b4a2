#pragma once
// `limits = [...]` of a route and `[[limit]]` of the whole house: from nodes to policies.

#include "gateway/config_node.hpp"

#include <etage/policy.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::gateway {

/// In file order; a wrong one is reported and left out. `whose`: "a route", for messages.
std::vector<LimitPolicy> read_limits(const Node& list, std::string_view whose, Problems& problems);

/// The name of a header field or cookie.
std::optional<std::string> read_field_name(const Node& node, Problems& problems);

}  // namespace etage::gateway
