#include "gateway/outbound.hpp"

#include <utility>

namespace etage::gateway {

namespace {

limit::Quota quota_of(const Budget& budget) {
    const auto algorithm = budget.algorithm == Budget::Algorithm::token_bucket     ? limit::Algorithm::token_bucket
                           : budget.algorithm == Budget::Algorithm::sliding_window ? limit::Algorithm::sliding_window
                                                                                   : limit::Algorithm::fixed_window;
    return {budget.calls, budget.window, budget.burst == 0 ? budget.calls : budget.burst, algorithm};
}

}  // namespace

Outbound::Outbound(std::unique_ptr<flow::Origin> origin, std::string name, OriginOptions options,
                   origin::Budgeted::Counting counting, base::Log& log)
    : name_(std::move(name)), options_(std::move(options)), origin_(std::move(origin)) {
    if (options_.budget.calls > 0) {
        auto budgeted =
            std::make_unique<origin::Budgeted>(std::move(origin_), name_, quota_of(options_.budget), counting, log);
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

OriginView Outbound::view(Now now) const {
    OriginView view{name_, options_.cost_per_call, options_.currency};
    if (budgeted_ != nullptr) view.budget = budgeted_->view(now);
    if (guarded_ != nullptr) view.guard = guarded_->view();
    return view;
}

}  // namespace etage::gateway
