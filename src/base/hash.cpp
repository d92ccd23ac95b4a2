#include "base/hash.hpp"

#define XXH_INLINE_ALL
#include <openssl/evp.h>
#include <sys/random.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace etage::base {

Hash128 hash128(std::string_view text, std::uint64_t seed) noexcept {
    const XXH128_hash_t h = XXH3_128bits_withSeed(text.data(), text.size(), seed);
    return {h.high64, h.low64};
}

std::uint64_t hash64(std::string_view text, std::uint64_t seed) noexcept {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::uint64_t random_seed() {
    // Up to 256 bytes come whole or not at all; before the pool is initialised the call waits and may be interrupted.
    std::uint64_t seed = 0;
    while (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    return seed;
}

void sha256(std::string_view text, unsigned char* out) noexcept {
    // It fails only when the process cannot go on anyway (no memory, no default provider). A validator made of
    // indeterminate bytes would be worse than an end.
    if (EVP_Digest(text.data(), text.size(), out, nullptr, EVP_sha256(), nullptr) != 1) std::abort();
}

void sha1(std::string_view text, unsigned char* out) noexcept {
    if (EVP_Digest(text.data(), text.size(), out, nullptr, EVP_sha1(), nullptr) != 1) std::abort();
}

std::string hex(std::uint64_t hash) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
    return digits.data();
}

std::string hex(Hash128 hash) { return hex(hash.high) + hex(hash.low); }

}  // namespace etage::base
