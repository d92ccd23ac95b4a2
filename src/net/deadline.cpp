#include "net/deadline.hpp"

#include <utility>

namespace etage::net {

/// Shared with the pending wait, which may come back after the watchdog is gone.
struct Watchdog::State : std::enable_shared_from_this<State> {
    State(const asio::any_io_executor& executor, std::function<void()> c) : timer(executor), cut(std::move(c)) {}

    void schedule(Instant at) {
        scheduled = at;
        timer.expires_at(at);
        timer.async_wait([self = shared_from_this(), wait = ++waits](const asio::error_code&) { self->wake(wait); });
    }

    void wake(std::uint64_t wait) {
        if (wait != waits) return;  // a newer wait took its place; this one could not be cancelled any more
        scheduled.reset();
        if (!deadline || !cut) return;
        if (base::TimerClock::now() < *deadline) return schedule(*deadline);
        deadline.reset();
        expired = true;
        cut();
    }

    Timer timer;
    std::function<void()> cut;         // empty once the watchdog is gone
    std::optional<Instant> deadline;   // nothing: disarmed
    std::optional<Instant> scheduled;  // when the pending wait fires
    std::uint64_t waits = 0;
    bool expired = false;
};

Watchdog::Watchdog(const asio::any_io_executor& executor, std::function<void()> cut)
    : state_(std::make_shared<State>(executor, std::move(cut))) {}

Watchdog::~Watchdog() {
    state_->cut = nullptr;
    state_->timer.cancel();
}

void Watchdog::arm(Instant deadline) {
    state_->expired = false;
    state_->deadline = deadline;
    if (!state_->scheduled || *state_->scheduled > deadline) state_->schedule(deadline);
}

void Watchdog::disarm() noexcept { state_->deadline.reset(); }

bool Watchdog::expired() const noexcept { return state_->expired; }

}  // namespace etage::net
