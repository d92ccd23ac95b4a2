#pragma once
// For tests of limits: quotas, steps between requests, and a calendar that goes with the monotonic clock.

#include "limit/quota.hpp"

#include <rapidcheck.h>

#include <vector>

namespace etage::limit::testing {

inline constexpr Instant start{std::chrono::hours(5)};

inline Now at(Instant instant) {
    return {instant, WallTime(std::chrono::floor<std::chrono::seconds>(instant.time_since_epoch()))};
}

/// On a copy.
inline bool would_allow(const Quota& quota, State state, Instant now, std::uint64_t cost = 1) {
    return take(quota, state, at(now), cost).allowed;
}

inline Quota any_bucket() {
    return {.quota = *rc::gen::inRange<std::uint64_t>(1, 2000),
            .window = std::chrono::milliseconds(*rc::gen::inRange<int>(1, 3'600'000)),
            .burst = *rc::gen::inRange<std::uint64_t>(1, 40)};
}

inline Quota any_window(Algorithm algorithm) {
    return {.quota = *rc::gen::inRange<std::uint64_t>(1, 60),
            .window = std::chrono::milliseconds(
                *rc::gen::oneOf(rc::gen::inRange<int>(1, 5'000),
                                rc::gen::map(rc::gen::inRange<int>(1, 90), [](int s) { return s * 1000; }))),
            .algorithm = algorithm};
}

/// Steps between arrivals: bursts at one instant, single nanoseconds, about a `unit`, long silences.
inline std::vector<Duration> any_steps(Duration unit) {
    const std::int64_t about = unit.count();
    return *rc::gen::container<std::vector<Duration>>(rc::gen::map(
        rc::gen::oneOf(rc::gen::just(std::int64_t{0}), rc::gen::inRange(std::int64_t{0}, std::int64_t{3}),
                       rc::gen::inRange(std::int64_t{0}, about * 2), rc::gen::inRange(std::int64_t{0}, about * 60)),
        [](std::int64_t ns) { return Duration(ns); }));
}
inline std::vector<Duration> any_steps(const Quota& bucket) { return any_steps(bucket.emission()); }

}  // namespace etage::limit::testing
