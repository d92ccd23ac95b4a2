#pragma once
// Hashes. Where a client chooses the input the hash is keyed with a secret of this process (hash flooding).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace etage::base {

struct Hash128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend bool operator==(const Hash128&, const Hash128&) = default;
};

/// For unordered containers: the value is already uniform.
struct Hash128Hasher {
    std::size_t operator()(const Hash128& h) const noexcept { return static_cast<std::size_t>(h.low); }
};

/// XXH3-128 of `text`, keyed with `seed`. Deterministic for equal arguments.
Hash128 hash128(std::string_view text, std::uint64_t seed) noexcept;

/// XXH3-64 of `text`, keyed with `seed`.
std::uint64_t hash64(std::string_view text, std::uint64_t seed) noexcept;

/// 16 and 32 lower-case digits.
std::string hex(std::uint64_t hash);
std::string hex(Hash128 hash);

/// A fresh secret from the system's random source. Made once per process by compose and handed down.
std::uint64_t random_seed();

/// SHA-256 of `text`; `out` receives 32 bytes.
void sha256(std::string_view text, unsigned char* out) noexcept;

/// SHA-1 of `text`; `out` receives 20 bytes. Only where a protocol names things by it, never for security.
void sha1(std::string_view text, unsigned char* out) noexcept;

}  // namespace etage::base
