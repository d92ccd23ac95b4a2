#pragma once
// One-to-many wake-up between coroutines on any threads, with a deadline.
//
// Concurrency · notify_all() from any thread. A waiter registers under the mutex before its predicate is re-checked, so
// a notification between check and sleep is not lost; each waiter's timer is only touched on its own executor. That
// executor must run one handler at a time (an io_context of one thread, or a strand).
// Lifetime · The event outlives every wait_until() that has begun. A coroutine destroyed while it waits takes itself
// off the list; threads that notify must have stopped before an io_context with waiters is destroyed. What this does
// not promise · An order of waking, or exactly one wake-up for one notification.

#include "net/timer.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace etage::net {

class Event {
public:
    /// Returns true when `ready()` was seen true, false at the deadline. `ready` is called from this coroutine only,
    /// not under the mutex; it must be safe to call while others change what it reads.
    asio::awaitable<bool> wait_until(Instant deadline, std::function<bool()> ready);

    /// Wakes all who wait now. Call after the change that makes `ready` true is visible.
    void notify_all();

private:
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& ex) : timer(ex) {}
        Timer timer;
    };
    class Registration;

    std::mutex mutex_;
    std::vector<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace etage::net
