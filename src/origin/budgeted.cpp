#include "origin/budgeted.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "origin/words.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace etage::origin {

namespace {

/// No leases: a call to an origin that costs money is worth a round trip, and no token is held by one instance while
/// another has none.
constexpr std::uint64_t lease = 1;

/// A budget that was changed is a new one: what was counted by another rule means nothing.
std::string claim_name(const std::string& origin, const limit::Quota& budget) {
    const std::string rule = std::to_string(budget.quota) + "/" + std::to_string(budget.window.count()) + " " +
                             std::to_string(budget.burst) + " " +
                             std::to_string(static_cast<unsigned>(budget.algorithm));
    return "origin:" + origin + ":" + base::hex(base::hash64(rule, 0));
}

/// Nothing of it can have arrived.
bool never_left(const Error& error) noexcept {
    return error.fault == Fault::origin_unreachable || error.fault == Fault::overloaded || flow::was_not_asked(error);
}

}  // namespace

Budgeted::Budgeted(std::unique_ptr<flow::Origin> origin, std::string name, const limit::Quota& budget,
                   Counting counting, base::Log& log)
    : origin_(std::move(origin)),
      name_(std::move(name)),
      budget_(budget),
      counting_(counting),
      log_(log),
      claim_name_(claim_name(name_, budget_)) {}

asio::awaitable<Result<flow::OriginResponse>> Budgeted::fetch(flow::OriginRequest request) {
    const limit::Decision paid = co_await pay();
    if (!paid.allowed) co_return std::unexpected(refusal(paid.retry_after));
    if (is_spent_.load(std::memory_order_relaxed) && is_spent_.exchange(false))
        log_.info("budget is back", {{"origin", name_}});
    const Instant counts_until = base::TimerClock::now() + paid.reset_after;
    auto response = co_await origin_->fetch(std::move(request));
    // What was paid in a window that is over would be missing in the count of the next.
    if (!response && never_left(response.error()) && base::TimerClock::now() < counts_until) co_await give_back();
    co_return response;
}

asio::awaitable<limit::Decision> Budgeted::pay() {
    const Now now = base::read_clock();
    if (counting_.remote == nullptr || counting_.remote->away()) co_return pay_alone(now);
    limit::Spending spending;
    {
        const std::lock_guard lock(mutex_);
        spending = limit::spend(budget_, lease, share_, now, 1);
    }
    if (spending.then != limit::Spending::Then::ask) co_return spending.decision;
    const std::array claims{limit::Claim{budget_, claim_name_, spending.need, spending.want, spending.back,
                                         spending.debt, spending.at_least}};
    const auto grants = co_await counting_.remote->take(claims, now.mono + counting_.remote_time_max);
    const Now later = base::read_clock();
    if (!grants) {
        {
            const std::lock_guard lock(mutex_);
            limit::fail(share_, spending);
        }
        co_return pay_alone(later);
    }
    const std::lock_guard lock(mutex_);
    co_return limit::settle(budget_, lease, share_, claims.front(), grants->front(), later);
}

limit::Decision Budgeted::pay_alone(Now now) {
    const std::uint64_t instances = counting_.remote != nullptr ? counting_.remote->instances() : 1;
    const std::lock_guard lock(mutex_);
    return limit::spend_alone(budget_, share_, now, 1, instances);
}

/// At once, and not with the next call: there may be none that is allowed.
asio::awaitable<void> Budgeted::give_back() {
    const Now now = base::read_clock();
    if (counting_.remote != nullptr && !counting_.remote->away()) {
        const std::array claims{limit::Claim{.quota = budget_, .name = claim_name_, .need = 0, .want = 0, .back = 1}};
        const auto grants = co_await counting_.remote->take(claims, now.mono + counting_.remote_time_max);
        if (grants) {
            const std::lock_guard lock(mutex_);
            limit::settle(budget_, lease, share_, claims.front(), grants->front(), base::read_clock());
            co_return;
        }
    }
    const std::lock_guard lock(mutex_);
    limit::credit(budget_, share_.known, now, 1);
}

Error Budgeted::refusal(Duration retry_after) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    std::string what = "origin \"" + name_ + "\": its budget of " + std::to_string(budget_.quota) + " calls in " +
                       in_words(budget_.window) + " is spent";
    if (!is_spent_.exchange(true))
        log_.warn("budget spent", {{"origin", name_},
                                   {"calls", static_cast<std::int64_t>(budget_.quota)},
                                   {"back_in_s", std::chrono::ceil<std::chrono::seconds>(retry_after).count()}});
    return {Blame::us, Fault::budget_spent, true, std::move(what), retry_after};
}

void Budgeted::go_on_from(const Budgeted& before) {
    if (counting_.remote != nullptr) return;
    const std::scoped_lock lock(mutex_, before.mutex_);
    share_ = before.share_;
    refused_.store(before.refused_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

Budgeted::View Budgeted::view(Now now) const {
    const std::lock_guard lock(mutex_);
    const limit::Decision left = limit::look(budget_, share_, now);
    return {budget_.most(), left.remaining, refused_.load(std::memory_order_relaxed)};
}

}  // namespace etage::origin
