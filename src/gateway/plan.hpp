#pragma once
// What is to be built: a configuration, and who makes the origins that it names.

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "flow/origin.hpp"
#include "gateway/config.hpp"
#include "policy/route.hpp"

#include <etage/error.hpp>
#include <etage/origin.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace etage::gateway {

/// What an origin may use; outlives it.
struct OriginContext {
    base::Metrics& metrics;
    base::Log& log;
    const policy::Router& router;  // the index of a route is what handlers are found by
};

using OriginMaker = Result<std::unique_ptr<flow::Origin>>(const OriginContext&);

struct OriginPlan {
    std::string name;
    std::function<OriginMaker> make;
    OriginOptions calls{};
};

struct Plan {
    Config config;                    // routes included
    std::vector<OriginPlan> origins;  // [0] is the default one
    bool handlers_only = false;       // no upstream: what matches no route is 404 or 405
};

/// Of a gateway: every origin is reached over HTTP.
Plan gateway_plan(Config config);

}  // namespace etage::gateway
