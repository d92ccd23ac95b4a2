#pragma once
// The timers of Etage, and the completion token its coroutines wait with.

#include "base/clock.hpp"

#include <asio/basic_waitable_timer.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>

namespace etage::net {

/// Real time, or the thread's base::VirtualClock.
using Timer = asio::basic_waitable_timer<base::TimerClock>;

/// `auto [ec, n] = co_await socket.async_read_some(buffer, quietly);`: errors as values.
inline constexpr asio::experimental::as_tuple_t<asio::use_awaitable_t<>> quietly{};

}  // namespace etage::net
