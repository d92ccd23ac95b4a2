#pragma once
// Hashes. Where a client chooses the input, the hash is keyed with a secret of this process (hash flooding), or, where
// others must come to the same, it is a cryptographic one: texts that collide under XXH3 with a known seed are found in
// seconds (docs/decisions/0015-names-are-sha-256.md).

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

/// The first half of SHA-256 over `prefix` and then `text`: for names that instances share or that nobody may forge.
/// About 0.1 µs; no allocation after the first call of a thread. Where the prefixes of one use differ they have one
/// length, or two pairs could be the same bytes.
Hash128 strong_hash(std::string_view prefix, std::string_view text) noexcept;

/// strong_hash() with a secret before the text: who does not know it learns nothing about `text` from the hash. (What
/// is cut off SHA-256 keeps anybody from going on with a text; no HMAC is needed for that.)
Hash128 keyed_hash(const Hash128& secret, std::string_view text) noexcept;

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
