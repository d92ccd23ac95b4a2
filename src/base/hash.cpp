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
namespace {

/// One for each thread: to find the algorithm by its name, as EVP_Digest does, takes longer than to use it.
class Sha256Context {
public:
    Sha256Context() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), state_(EVP_MD_CTX_new()) {
        check(algorithm_ != nullptr && state_ != nullptr);
    }
    ~Sha256Context() {
        EVP_MD_CTX_free(state_);
        EVP_MD_free(algorithm_);
    }
    Sha256Context(const Sha256Context&) = delete;
    Sha256Context& operator=(const Sha256Context&) = delete;

    void begin() noexcept { check(EVP_DigestInit_ex2(state_, algorithm_, nullptr) == 1); }
    void add(std::string_view text) noexcept { check(EVP_DigestUpdate(state_, text.data(), text.size()) == 1); }
    void end(unsigned char* out) noexcept { check(EVP_DigestFinal_ex(state_, out, nullptr) == 1); }

private:
    /// It fails only when the process cannot go on anyway (no memory, no default provider). A validator made of
    /// indeterminate bytes would be worse than an end.
    static void check(bool done) noexcept {
        if (!done) std::abort();
    }

    EVP_MD* algorithm_;
    EVP_MD_CTX* state_;
};

Sha256Context& sha256_context() noexcept {
    thread_local Sha256Context context;
    return context;
}

std::uint64_t big_endian(const unsigned char* bytes) noexcept {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | bytes[i];
    return number;
}

}  // namespace

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
    Sha256Context& context = sha256_context();
    context.begin();
    context.add(text);
    context.end(out);
}

Hash128 strong_hash(std::string_view prefix, std::string_view text) noexcept {
    Sha256Context& context = sha256_context();
    context.begin();
    context.add(prefix);
    context.add(text);
    std::array<unsigned char, 32> digest;
    context.end(digest.data());
    return {big_endian(digest.data()), big_endian(digest.data() + 8)};
}

Hash128 keyed_hash(const Hash128& secret, std::string_view text) noexcept {
    std::array<char, 16> bytes;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<char>(secret.high >> (8 * i));
        bytes[8 + i] = static_cast<char>(secret.low >> (8 * i));
    }
    return strong_hash({bytes.data(), bytes.size()}, text);
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
