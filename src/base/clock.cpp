#include "base/clock.hpp"

namespace etage::base {

namespace {
thread_local const VirtualClock* virtual_clock = nullptr;  // set by tests of this thread only
}

Now read_clock() noexcept {
    if (virtual_clock != nullptr) return virtual_clock->now();
    const auto mono = std::chrono::steady_clock::now().time_since_epoch();
    const auto wall = std::chrono::system_clock::now();
    return {Instant(std::chrono::duration_cast<Duration>(mono)), std::chrono::floor<std::chrono::seconds>(wall)};
}

TimerClock::time_point TimerClock::now() noexcept {
    if (virtual_clock != nullptr) return virtual_clock->now().mono;
    return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

VirtualClock::VirtualClock(Now start) noexcept : start_(start) { virtual_clock = this; }
VirtualClock::~VirtualClock() { virtual_clock = nullptr; }

void VirtualClock::advance(Duration by) noexcept { elapsed_ += by; }

Now VirtualClock::now() const noexcept {
    return {start_.mono + elapsed_, start_.wall + std::chrono::floor<std::chrono::seconds>(elapsed_)};
}

}  // namespace etage::base
