#pragma once
// A watchdog over one socket: what waits longer than its deadline is cut short.

#include "net/timer.hpp"

#include <asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace etage::net {

/// One executor, one thread at a time. Arming and disarming cost no more than writing a time: the timer that is pending
/// is left alone and looks, when it fires, whether the deadline has moved meanwhile. (It follows that an io_context may
/// be kept busy by a disarmed watchdog until that timer fires or the watchdog is destroyed.)
class Watchdog {
public:
    /// `cut` ends whatever waits, for good: close the socket. Cancelling would not do, for an operation may lie between
    /// two steps. `cut` runs on `executor`, never after the watchdog is destroyed.
    Watchdog(const asio::any_io_executor& executor, std::function<void()> cut);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    /// Replaces the deadline and forgets that an earlier one expired.
    void arm(Instant deadline);
    void disarm() noexcept;

    /// True when `cut` was called since the last arm().
    bool expired() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace etage::net
