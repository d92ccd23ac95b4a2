#pragma once
// For simulations: lets a base::VirtualClock move an io_context.

#include "base/clock.hpp"
#include "net/timer.hpp"

#include <asio/io_context.hpp>

namespace etage::net {

/// Runs what is ready, moves the clock, runs what became due. Needed because Asio looks at its timer queue only when
/// the kernel's timer fires, and that one follows real time: a timer that is already due makes it look.
inline void advance(asio::io_context& io, base::VirtualClock& clock, Duration by) {
    io.restart();
    io.poll();
    clock.advance(by);
    Timer nudge(io, Instant::min());
    bool nudged = false;
    nudge.async_wait([&nudged](const asio::error_code&) { nudged = true; });
    while (!nudged) {
        io.restart();
        io.poll();
    }
    io.restart();
    io.poll();
}

}  // namespace etage::net
