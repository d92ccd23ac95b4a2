#include "net/event.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace etage::net {

/// A waiter's place on the list, for as long as its coroutine is in wait_until().
class Event::Registration {
public:
    Registration(Event& event, const asio::any_io_executor& ex)
        : event_(event), waiter_(std::make_shared<Waiter>(ex)) {}
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() {
        const std::lock_guard lock(event_.mutex_);
        std::erase(event_.waiters_, waiter_);
    }

    void enter() {
        const std::lock_guard lock(event_.mutex_);
        if (std::ranges::find(event_.waiters_, waiter_) == event_.waiters_.end()) event_.waiters_.push_back(waiter_);
    }
    Timer& timer() { return waiter_->timer; }

private:
    Event& event_;
    std::shared_ptr<Waiter> waiter_;
};

// Interleavings with notify_all(), which takes the whole list and posts a cancel to each waiter's executor:
//  1. notified before enter(): the change was made before, so ready() sees it.
//  2. notified between enter() and the sleep: the cancel was posted; our executor runs it only after we are asleep.
//  3. notified while asleep: the cancel wakes us; we are off the list, look again, and enter again when it was for
//  others.
//  4. notified as the deadline passes: both wake-ups are one resumption; the late cancel finds an idle timer, or a
//  later
//     sleep of this same call, which then looks once more than needed.
asio::awaitable<bool> Event::wait_until(Instant deadline, std::function<bool()> ready) {
    const auto executor = co_await asio::this_coro::executor;
    Registration registration(*this, executor);
    for (;;) {
        registration.enter();
        if (ready()) co_return true;
        registration.timer().expires_at(deadline);
        const auto [ec] = co_await registration.timer().async_wait(quietly);
        if (!ec) co_return ready();
    }
}

void Event::notify_all() {
    std::vector<std::shared_ptr<Waiter>> woken;
    {
        const std::lock_guard lock(mutex_);
        woken.swap(waiters_);
    }
    for (auto& waiter : woken) {
        const auto executor = waiter->timer.get_executor();
        // The waiter moves along: its timer dies on its own executor, never here.
        asio::post(executor, [w = std::move(waiter)] { w->timer.cancel(); });
    }
}

}  // namespace etage::net
