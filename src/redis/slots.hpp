#pragma once
// The hash slots of a Redis cluster.

#include <cstdint>
#include <string_view>

namespace etage::redis {

inline constexpr std::uint16_t slot_count = 16384;

/// CRC16 (XMODEM) of the key, or of its hash tag: what stands between the first '{' and the next '}', if anything.
std::uint16_t slot_of(std::string_view key) noexcept;

}  // namespace etage::redis
