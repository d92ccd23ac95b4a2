#pragma once
// What calls to an origin cost, and how many there may be, as plain values: the same for a TOML file and for a C++
// service. Every member says what it is when left out.

#include <etage/policy.hpp>
#include <etage/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace etage {

/// How often an origin may be called. Every call counts, whatever its method and whoever it is for. When the budget is
/// spent, what is stale is served, unless its origin forbids that; else it is 503 and Retry-After. With Redis all
/// instances have it together.
struct Budget {
    using Algorithm = LimitPolicy::Algorithm;
    std::uint64_t calls = 0;  // so many …; 0: there is no budget
    Duration window{};        // … per window
    Algorithm algorithm = Algorithm::fixed_window;
    std::uint64_t burst = 0;  // at most so many at once, of a token bucket; 0 = `calls`
    friend bool operator==(const Budget&, const Budget&) = default;
};

/// How many calls an origin may have under way. Further ones wait in line for a moment; then what is stale is served,
/// unless its origin forbids that; else it is 503 and Retry-After.
struct Concurrency {
    enum class Mode : std::uint8_t {
        off,
        fixed,     // `max`
        adaptive,  // as many as it answers without getting slower, `max` at most
    };
    Mode mode = Mode::off;
    std::size_t max = 256;
    Duration queue_time_max = std::chrono::milliseconds(100);  // in line
    friend bool operator==(const Concurrency&, const Concurrency&) = default;
};

struct OriginOptions {
    double cost_per_call = 0;  // so that the metrics say what the cache has saved
    std::string currency{};    // of the cost: "USD"; may be left out
    Budget budget{};
    Concurrency concurrency{};
    friend bool operator==(const OriginOptions&, const OriginOptions&) = default;
};

}  // namespace etage
