#pragma once
// ETAGE_<SECTION>_<KEY> from the environment and from .env files.

#include "gateway/config_node.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace etage::gateway {

/// One variable: the node's `name` is the variable's, its value untyped text.
using Variables = std::vector<Node>;

/// Those of "NAME=VALUE" strings that are ours. An empty value counts as not set. Kubernetes announces a service called
/// "etage" as ETAGE_SERVICE_HOST, ETAGE_PORT_8080_TCP and so on: these are skipped.
Variables read_environment(const std::vector<std::string>& environment);

/// Lines `NAME=VALUE`, `export NAME=VALUE`, `# comment`; values plain, 'literal' or "with \" escapes". Names that do
/// not begin with ETAGE_ belong to others and may look as they like.
Variables read_dotenv(std::string_view text, std::string_view file_name, Problems& problems);

}  // namespace etage::gateway
