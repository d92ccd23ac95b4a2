#pragma once
// A bounded number of permissions, handed out in order of arrival, to coroutines on any threads.
//
// Concurrency · Everything is thread-safe; no lock is held across a wait. A returned permission goes straight to the
// longest waiter, so that newcomers cannot overtake it.
// Lifetime · A Slot and a waiting acquire() keep what they share alive; the Slots object may go before them.

#include "net/timer.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace etage::net {

/// One permission; returned on destruction, from any thread.
class Slot;

class Slots {
public:
    explicit Slots(std::size_t slots_max, std::size_t waiting_max = std::numeric_limits<std::size_t>::max());

    /// Waits for a permission; nothing at the deadline, nor when `waiting_max` are waiting already. The caller's
    /// executor runs one handler at a time.
    asio::awaitable<std::optional<Slot>> acquire(Instant deadline);

    /// From now on there are so many. Nobody loses one that is handed out.
    void resize(std::size_t slots_max);

    std::size_t free() const;
    std::size_t in_use() const;
    std::size_t waiting() const;

private:
    friend class Slot;
    struct State;
    struct Waiter;
    std::shared_ptr<State> state_;
};

class Slot {
public:
    Slot(Slot&&) noexcept = default;
    Slot& operator=(Slot&& o) noexcept {
        std::swap(state_, o.state_);
        return *this;
    }
    ~Slot();

private:
    friend class Slots;
    explicit Slot(std::shared_ptr<Slots::State> state) : state_(std::move(state)) {}
    std::shared_ptr<Slots::State> state_;  // empty: moved from
};

}  // namespace etage::net
