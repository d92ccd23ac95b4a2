#pragma once
// A number that changes when anything a route says changes.

#include <etage/policy.hpp>

#include <cstdint>

namespace etage::policy {

/// The same on every instance and after every start: entries in Redis carry it. Never 0, which stands for "no route".
std::uint32_t revision_of(const RoutePolicy&);

}  // namespace etage::policy
