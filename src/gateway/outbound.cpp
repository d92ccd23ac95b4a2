#include "gateway/outbound.hpp"

#include "flow/limits.hpp"

#include <utility>

namespace etage::gateway {

Outbound::Outbound(std::unique_ptr<flow::Origin> origin, std::string name, OriginOptions options,
                   origin::Budgeted::Counting counting, base::Log& log)
    : name_(std::move(name)), options_(std::move(options)), origin_(std::move(origin)) {
    if (options_.budget.calls > 0) {
        const Budget& budget = options_.budget;
        const auto quota = flow::quota_of(budget.algorithm, budget.calls, budget.window, budget.burst);
        auto budgeted = std::make_unique<origin::Budgeted>(std::move(origin_), name_, quota, counting, log);
        budgeted_ = budgeted.get();
        origin_ = std::move(budgeted);
    }
    if (options_.concurrency.mode != Concurrency::Mode::off) {
        origin::GuardLimits limits;
        limits.is_adaptive = options_.concurrency.mode == Concurrency::Mode::adaptive;
        limits.concurrency_max = options_.concurrency.max;
        limits.queue_time_max = options_.concurrency.queue_time_max;
        auto guarded = std::make_unique<origin::Guarded>(std::move(origin_), name_, limits, log);
        guarded_ = guarded.get();
        origin_ = std::move(guarded);
    }
}

void Outbound::go_on_from(const Outbound& before) {
    if (budgeted_ != nullptr && before.budgeted_ != nullptr && options_.budget == before.options_.budget)
        budgeted_->go_on_from(*before.budgeted_);
}

OriginView Outbound::view(Now now) const {
    OriginView view{name_, options_.cost_per_call, options_.currency};
    if (budgeted_ != nullptr) view.budget = budgeted_->view(now);
    if (guarded_ != nullptr) view.guard = guarded_->view();
    return view;
}

}  // namespace etage::gateway
