#pragma once
// The counters in Prometheus' text format.

#include "base/metrics.hpp"
#include "gateway/house.hpp"

#include <string>
#include <string_view>

namespace etage::gateway {

inline constexpr std::string_view exposition_media_type = "text/plain; version=0.0.4; charset=utf-8";

/// Sums every cell once. Names are `etage_…_total`, `etage_…_seconds`, `etage_…_bytes`.
std::string expose(const base::Metrics& metrics, const Snapshot& snapshot);

/// What answered calls would have cost at the origin: calls saved × cost of one.
double cost_saved(const base::Metrics& metrics, std::size_t origin, const OriginView& view);

}  // namespace etage::gateway
