#include "net/slots.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
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
    std::size_t slots_max = 0;
    std::size_t waiting_max = 0;
    std::size_t used = 0;
    std::deque<std::shared_ptr<Waiter>> waiters;

    enum class Turn { taken, waits, turned_away };

    /// (Free slots and a queue never exist together.)
    Turn take_or_queue(const asio::any_io_executor& executor, std::shared_ptr<Waiter>& waiter) {
        const std::lock_guard lock(mutex);
        if (used < slots_max) {
            ++used;
            return Turn::taken;
        }
        if (waiters.size() >= waiting_max) return Turn::turned_away;
        waiter = waiters.emplace_back(std::make_shared<Waiter>(executor));
        return Turn::waits;
    }

    void give_back() {
        hand_out([this] { --used; });
    }
    void resize(std::size_t max) {
        hand_out([this, max] { slots_max = max; });
    }

    /// True when the waiter was granted a slot meanwhile.
    bool leave(const std::shared_ptr<Waiter>& waiter) {
        const std::lock_guard lock(mutex);
        if (!waiter->granted) std::erase(waiters, waiter);
        return waiter->granted;
    }

private:
    template <class F>
    void hand_out(F&& change) {
        std::unique_lock lock(mutex);
        change();
        while (used < slots_max && !waiters.empty()) {
            const auto next = std::move(waiters.front());
            waiters.pop_front();
            next->granted = true;
            ++used;
            lock.unlock();  // whoever is granted one may have it before the next is
            asio::post(next->timer.get_executor(), [next] { next->timer.cancel(); });
            lock.lock();
        }
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

Slots::Slots(std::size_t slots_max, std::size_t waiting_max) : state_(std::make_shared<State>()) {
    state_->slots_max = slots_max;
    state_->waiting_max = waiting_max;
}

asio::awaitable<std::optional<Slot>> Slots::acquire(Instant deadline) {
    const auto state = state_;
    const auto executor = co_await asio::this_coro::executor;
    std::shared_ptr<Waiter> waiter;
    const State::Turn turn = state->take_or_queue(executor, waiter);
    if (turn == State::Turn::taken) co_return Slot(state);

    std::optional<Slot> slot;
    if (turn == State::Turn::turned_away) co_return slot;
    {
        const Finally leave{[&] {
            if (state->leave(waiter)) slot = Slot(state);
        }};
        waiter->timer.expires_at(deadline);
        co_await waiter->timer.async_wait(quietly);
    }
    co_return slot;
}

void Slots::resize(std::size_t slots_max) { state_->resize(slots_max); }

std::size_t Slots::free() const {
    const std::lock_guard lock(state_->mutex);
    return state_->slots_max - std::min(state_->slots_max, state_->used);
}

std::size_t Slots::in_use() const {
    const std::lock_guard lock(state_->mutex);
    return state_->used;
}

std::size_t Slots::waiting() const {
    const std::lock_guard lock(state_->mutex);
    return state_->waiters.size();
}

Slot::~Slot() {
    if (state_) state_->give_back();
}

}  // namespace etage::net
