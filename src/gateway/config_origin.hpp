#pragma once
// What `[origin]` and `[origins.<name>]` say of the calls to an origin: cost, budget, how many at once.

#include "gateway/config.hpp"
#include "gateway/config_node.hpp"

#include <etage/origin.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace etage::gateway {

void set_currency(OriginConfig& origin, const Node& node, Problems& problems);
/// "1000/day", or { rate, algorithm, burst }.
void set_budget(OriginConfig& origin, const Node& node, Problems& problems);
/// A number, "adaptive" or "off".
void set_concurrency(OriginConfig& origin, const Node& node, Problems& problems);

/// What is wrong, and with which key.
struct Mistake {
    std::string_view key;
    std::string what;
};

/// Of values that a program gives.
std::optional<Mistake> mistake_in(const OriginOptions& options);

/// Of keys that only make sense together; completes them.
std::optional<Mistake> settle(OriginConfig& origin);

}  // namespace etage::gateway
