#include "net/slots.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <deque>
#include <mutex>

namespace etage::net {

struct Slots::Waiter {
    explicit Waiter(const asio::any_io_executor& ex) : timer(ex) {}
    Timer timer;           // touched on its own executor only
    bool granted = false;  // under the mutex
};

struct Slots::State {
    mutable std::mutex mutex;
    std::size_t free = 0;
    std::deque<std::shared_ptr<Waiter>> waiters;

    /// Takes a slot and returns nothing, or joins the queue. (Free slots and a queue never exist together.)
    std::shared_ptr<Waiter> take_or_queue(const asio::any_io_executor& executor) {
        const std::lock_guard lock(mutex);
        if (free > 0) {
            --free;
            return nullptr;
        }
        return waiters.emplace_back(std::make_shared<Waiter>(executor));
    }

    void give_back() {
        std::shared_ptr<Waiter> next;
        {
            const std::lock_guard lock(mutex);
            if (waiters.empty()) {
                ++free;
                return;
            }
            next = std::move(waiters.front());
            waiters.pop_front();
            next->granted = true;
        }
        const auto executor = next->timer.get_executor();
        asio::post(executor, [w = std::move(next)] { w->timer.cancel(); });
    }

    /// True when the waiter was granted a slot meanwhile.
    bool leave(const std::shared_ptr<Waiter>& waiter) {
        const std::lock_guard lock(mutex);
        if (!waiter->granted) std::erase(waiters, waiter);
        return waiter->granted;
    }
};

namespace {

/// Runs when a coroutine leaves, or is destroyed in, its wait.
template <class F>
struct Finally {
    F run;
    ~Finally() { run(); }
};
template <class F>
Finally(F) -> Finally<F>;

}  // namespace

Slots::Slots(std::size_t slots_max) : state_(std::make_shared<State>()) { state_->free = slots_max; }

asio::awaitable<std::optional<Slot>> Slots::acquire(Instant deadline) {
    const auto state = state_;
    const auto executor = co_await asio::this_coro::executor;
    const auto waiter = state->take_or_queue(executor);
    if (!waiter) co_return Slot(state);

    std::optional<Slot> slot;
    {
        const Finally leave{[&] {
            if (state->leave(waiter)) slot = Slot(state);
        }};
        waiter->timer.expires_at(deadline);
        co_await waiter->timer.async_wait(quietly);
    }
    co_return slot;
}

std::size_t Slots::free() const {
    const std::lock_guard lock(state_->mutex);
    return state_->free;
}

std::size_t Slots::waiting() const {
    const std::lock_guard lock(state_->mutex);
    return state_->waiters.size();
}

Slot::~Slot() {
    if (state_) state_->give_back();
}

}  // namespace etage::net
