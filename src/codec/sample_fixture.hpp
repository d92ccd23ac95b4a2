#pragma once
// Contents for the tests of codec, and the formats and efforts to go through.

#include "codec/coding.hpp"

#include <rapidcheck.h>

#include <ostream>

namespace etage::codec {

constexpr std::size_t plenty = 64 << 20;
constexpr DecodeLimits no_bomb{plenty, 2000};

constexpr Format formats[] = {Format::gzip, Format::brotli, Format::zstd};
constexpr Effort efforts[] = {Effort::fast, Effort::strong};

inline std::ostream& operator<<(std::ostream& out, Format format) {
    constexpr const char* names[] = {"gzip", "brotli", "zstd"};
    return out << names[static_cast<std::size_t>(format)];
}
inline std::ostream& operator<<(std::ostream& out, Effort effort) {
    return out << (effort == Effort::fast ? "fast" : "strong");
}
inline std::ostream& operator<<(std::ostream& out, DecodeFault fault) {
    constexpr const char* names[] = {"corrupt", "too large", "no memory"};
    return out << names[static_cast<std::size_t>(fault)];
}

/// Repetitive enough to be worth it, and not all the same.
inline std::string prose(std::size_t bytes) {
    std::string out;
    for (unsigned i = 0; out.size() < bytes; ++i)
        out += "{\"id\":" + std::to_string(i * 7919) + ",\"title\":\"a post\"},";
    out.resize(bytes);
    return out;
}

/// Nothing to gain here.
inline std::string noise(std::size_t bytes) {
    std::string out;
    for (std::uint64_t x = 88172645463325252U; out.size() < bytes; out += static_cast<char>(x >> 32)) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return out;
}

/// Words as they come in posts, in no order.
inline std::string chatter(std::size_t bytes) {
    constexpr const char* words[] = {"the ",    "cache ", "answers ", "when ", "an ",    "origin ",  "has ",
                                     "failed ", "and ",   "nobody ",  "else ", "would ", "know ",    "what ",
                                     "was ",    "meant ", "by ",      "that ", "post, ", "comment. "};
    std::string out;
    for (const char random : noise(bytes)) out += words[static_cast<std::uint8_t>(random) % std::size(words)];
    out.resize(bytes);
    return out;
}

/// For properties: any bytes, some of them again and again, in random order; up to some 100 kB.
inline std::string any_content() {
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
    std::string out;
    for (const std::string& part : parts)
        for (int times = *rc::gen::element(0, 1, 1, 2, 7, 100); times > 0; --times) out += part;
    return out;
}

inline Format any_format() { return *rc::gen::elementOf(std::vector(std::begin(formats), std::end(formats))); }
inline Effort any_effort() { return *rc::gen::element(Effort::fast, Effort::strong); }

}  // namespace etage::codec
