#pragma once
// The page at `/` of the administration and the numbers it shows.

#include "gateway/house.hpp"

#include <string>
#include <string_view>

namespace etage::gateway {

/// The whole page: style and script inside, nothing fetched from elsewhere. Static lifetime.
std::string_view status_page() noexcept;

/// Allows the page's own style and script by their hashes, and nothing else.
std::string status_page_policy();

/// The numbers, as indented JSON.
std::string stats_json(const base::Metrics& metrics, const Snapshot& snapshot);

/// What a route does, in one line: "ttl 60s · stale 30s while revalidating · 120/60s per ip".
std::string describe(const RoutePolicy& policy);

}  // namespace etage::gateway
