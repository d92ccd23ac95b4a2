#include "redis/log_house.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"

namespace etage::redis {

asio::awaitable<void> LogHouse::pause(Duration about) {
    // Instances that lost the same Redis must not come back all at once.
    const auto quarter = about.count() / 4 + 1;
    const auto jitter = static_cast<Duration::rep>(base::random_seed() % static_cast<std::uint64_t>(2 * quarter));
    const Instant until = base::read_clock().mono + about - Duration(quarter) + Duration(jitter);
    std::function<bool()> is_over = [this] { return stopping.load(std::memory_order_acquire); };
    co_await woken.wait_until(until, std::move(is_over));
}

std::string LogHouse::history() const {
    const std::lock_guard lock(mutex_);
    return history_;
}

void LogHouse::set_history(std::string name) {
    const std::lock_guard lock(mutex_);
    history_ = std::move(name);
    refused_.clear();
}

void LogHouse::refuse_history(std::string name) {
    const std::lock_guard lock(mutex_);
    refused_ = std::move(name);
}

bool LogHouse::is_refused(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    return refused_ == name;
}

std::string random_name() { return base::hex(base::random_seed()); }

}  // namespace etage::redis
