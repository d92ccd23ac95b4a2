#pragma once
// One-to-many wake-up between coroutines on any threads, with a deadline.
//
// Concurrency · notify_all() from any thread. A waiter registers under the mutex before its predicate is re-checked, so
// a notification between check and sleep is not lost; each waiter's timer is only touched on its own executor.

#include "base/clock.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/basic_waitable_timer.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace etage::net {

using Timer = asio::basic_waitable_timer<base::TimerClock>;

class Event {
public:
    /// Returns true when `ready()` was seen true, false at the deadline. `ready` is called from this coroutine only, not
    /// under the mutex; it must be safe to call while others change what it reads.
    asio::awaitable<bool> wait_until(Instant deadline, std::function<bool()> ready);

    /// Wakes all who wait now. Call after the change that makes `ready` true is visible.
    void notify_all();

private:
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& ex) : timer(ex) {}
        Timer timer;
    };

    std::mutex mutex_;
    std::vector<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace etage::net
