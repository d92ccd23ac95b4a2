#pragma once
// The only room that knows TOML.

#include "gateway/config_node.hpp"

#include <optional>
#include <string_view>

namespace etage::gateway {

/// A TOML document as a tree. `file_name` is only for messages. A syntax error is reported with line and column and
/// nothing is returned.
std::optional<Node> parse_toml(std::string_view text, std::string_view file_name, Problems& problems);

}  // namespace etage::gateway
