#pragma once
// Time as a value. Nothing in Etage reads a clock but src/base/clock.cpp; everything else is told what time it is.

#include <chrono>
#include <cstdint>

namespace etage {

using Duration = std::chrono::nanoseconds;

/// Marks time points of the monotonic clock. It has no now(): see base/clock.hpp.
struct Monotonic {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = Duration;
    using time_point = std::chrono::time_point<Monotonic, Duration>;
    static constexpr bool is_steady = true;
};

/// A moment that only moves forward. Ages, deadlines and windows are computed with it.
using Instant = Monotonic::time_point;

/// A moment of the calendar, whole seconds as HTTP dates have them (RFC 9110 §5.6.7). Only compared with dates of
/// messages, never with another machine's.
using WallTime = std::chrono::sys_seconds;

/// The present, passed as an argument.
struct Now {
    Instant mono;
    WallTime wall;
};

}  // namespace etage
