#pragma once
// An origin that may be called only so often: each call is paid from a budget before it is made. Whether what is
// stale is served in place of one that cannot be paid is the walk's to decide.
//
// With a common count (limit/remote_quotas.hpp) all instances have the budget together, one round trip for each call;
// when the count says that nothing is left nobody asks again before something can be there. While it cannot be asked,
// each instance has its part of the budget, and what it spends is told when it can be asked again.
//
// Concurrency · Thread-safe; the mutex guards a few numbers, never a wait. Lifetime · What is borrowed outlives this;
// coroutines that are only destroyed touch nothing of it.

#include "base/log.hpp"
#include "flow/origin.hpp"
#include "limit/remote_quotas.hpp"
#include "limit/share.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace etage::origin {

class Budgeted final : public flow::Origin {
public:
    struct Counting {
        limit::RemoteQuotas* remote = nullptr;  // borrowed; null: counted in this process alone
        Duration remote_time_max{};             // of a call to it; then the call to the origin goes on without
    };

    /// `name`: of the origin, the same on all instances.
    Budgeted(std::unique_ptr<flow::Origin> origin, std::string name, const limit::Quota& budget, Counting counting,
             base::Log& log);

    /// Fails with budget_spent (blame us, with the time until there is something left). A call that never reached the
    /// origin is not paid.
    asio::awaitable<Result<flow::OriginResponse>> fetch(flow::OriginRequest request) override;
    bool can_upgrade() const noexcept override { return origin_->can_upgrade(); }

    /// What is spent of the same budget stays spent. Counted in common, it does so by itself. Before the first call.
    void go_on_from(const Budgeted& before);

    /// For the admin pages; of all instances, as last heard.
    struct View {
        std::uint64_t budget = 0;
        std::uint64_t remaining = 0;
        std::uint64_t refused = 0;  // calls, by this instance
    };
    View view(Now now) const;

private:
    asio::awaitable<limit::Decision> pay();
    limit::Decision pay_alone(Now now);
    asio::awaitable<void> give_back();
    Error refusal(Duration retry_after);

    std::unique_ptr<flow::Origin> origin_;
    const std::string name_;
    const limit::Quota budget_;
    const Counting counting_;
    base::Log& log_;
    const std::string claim_name_;

    mutable std::mutex mutex_;
    limit::Share share_;  // under it
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<bool> is_spent_{false};  // so that each change is one line in the log
};

}  // namespace etage::origin
