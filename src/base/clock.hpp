#pragma once
// The only place that reads a clock (a test checks it). Everything else takes `Now` as an argument.

#include <etage/time.hpp>

namespace etage::base {

/// Both clocks, read together. Costs two vDSO calls; serve reads it once per wake-up, never per step of the walk.
Now read_clock() noexcept;

/// The clock of Asio's timers: `asio::basic_waitable_timer<TimerClock>`. Real time, unless a VirtualClock is alive on
/// this thread.
struct TimerClock {
    using rep = Monotonic::rep;
    using period = Monotonic::period;
    using duration = Monotonic::duration;
    using time_point = Monotonic::time_point;
    static constexpr bool is_steady = true;
    static time_point now() noexcept;
};

/// For simulations: while it lives, read_clock() and TimerClock of this thread return its time. Not nested.
class VirtualClock {
public:
    explicit VirtualClock(Now start) noexcept;
    ~VirtualClock();
    VirtualClock(const VirtualClock&) = delete;
    VirtualClock& operator=(const VirtualClock&) = delete;

    void advance(Duration by) noexcept;
    Now now() const noexcept;

private:
    Now start_;
    Duration elapsed_{};
};

}  // namespace etage::base
