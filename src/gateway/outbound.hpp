#pragma once
// What stands between the walk and one origin: its budget, and the guard of how many calls it has at once.

#include "base/log.hpp"
#include "flow/origin.hpp"
#include "gateway/house.hpp"
#include "origin/budgeted.hpp"
#include "origin/guarded.hpp"

#include <etage/origin.hpp>

#include <memory>
#include <string>

namespace etage::gateway {

/// Owns the origin. The guard stands in front of the budget: a call that is shed is not paid.
class Outbound {
public:
    Outbound(std::unique_ptr<flow::Origin> origin, std::string name, OriginOptions options,
             origin::Budgeted::Counting counting, base::Log& log);

    /// It takes the place of another, for other settings of the same origin: a budget that is the same stays spent.
    /// Before the first call.
    void go_on_from(const Outbound& before);

    flow::Origin& origin() noexcept { return *origin_; }
    OriginView view(Now now) const;

private:
    std::string name_;
    OriginOptions options_;
    std::unique_ptr<flow::Origin> origin_;
    origin::Budgeted* budgeted_ = nullptr;  // owned by origin_; null: there is no budget
    const origin::Guarded* guarded_ = nullptr;
};

}  // namespace etage::gateway
