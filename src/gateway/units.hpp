#pragma once
// Quantities as people write them: durations "60s", sizes "256MiB", rates "120/min". A bare number of seconds is
// refused: in some programs 60 means seconds, in others milliseconds.

#include <etage/time.hpp>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace etage::gateway {

/// A value, or what is wrong with the text and what to write instead, for people.
template <class T>
using Read = std::expected<T, std::string>;

/// "50ms", "60s", "1.5h", "10m", "1d", "1h30m"; units ns us ms s m (also min) h d w. "0" needs no unit. Never negative,
/// at most 100 years.
Read<Duration> parse_duration(std::string_view text);

/// "256MiB", "64KiB", "1GiB" (powers of 1024), "10MB", "10kB" (powers of 1000), "4096" or "4096B". Fractions are fine
/// when they give whole bytes.
Read<std::uint64_t> parse_size(std::string_view text);

struct Rate {
    std::uint64_t quota = 0;
    Duration window{};
    bool in_bytes = false;  // "10MiB/min"
    friend bool operator==(const Rate&, const Rate&) = default;
};

/// "120/min", "5/s", "1000/day", "100/15m": requests per window; "10MiB/min": bytes. Both are at least 1 (a window at
/// least 1 ms).
Read<Rate> parse_rate(std::string_view text);

/// The shortest exact form: "60s", "1m30s", "50ms".
std::string format_duration(Duration);

}  // namespace etage::gateway
