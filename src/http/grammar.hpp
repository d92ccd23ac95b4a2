#pragma once
// Character classes of RFC 9110 §5 and RFC 3986, as tables and eight bytes at a time. Constant data, no locale.

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace etage::http::grammar {

enum Class : std::uint8_t {
    tchar = 1,        // RFC 9110 §5.6.2
    path_char = 2,    // what a path may hold on the wire: visible ASCII but '?' and '#'
    query_char = 4,   // the same with '?'
    reg_name = 8,     // RFC 3986 §3.2.2 without pct-encoded and without ',', which is a list separator elsewhere
    field_char = 16,  // RFC 9110 §5.5: SP, HTAB, visible ASCII, obs-text
    hex_digit = 32,
    digit = 64,
};

consteval std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    const auto add = [&](std::string_view members, Class c) {
        for (const char m : members) classes[static_cast<unsigned char>(m)] |= c;
    };
    constexpr std::string_view alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    add(alphanumeric, tchar);
    add("!#$%&'*+-.^_`|~", tchar);
    add(alphanumeric, reg_name);
    add("-._~!$&'()*+;=", reg_name);
    add("0123456789ABCDEFabcdef", hex_digit);
    add("0123456789", digit);
    for (unsigned c = 0x21; c < 0x7f; ++c) {
        if (c != '#') classes[c] |= query_char;
        if (c != '#' && c != '?') classes[c] |= path_char;
    }
    for (unsigned c = 0x20; c < 0x100; ++c)
        if (c != 0x7f) classes[c] |= field_char;
    classes['\t'] |= field_char;
    return classes;
}

inline constexpr std::array<std::uint8_t, 256> classes = make_classes();

constexpr bool is(char c, Class wanted) noexcept { return (classes[static_cast<unsigned char>(c)] & wanted) != 0; }

/// The first byte from `p` on that is not of the class; `end` when there is none.
constexpr const char* skip(const char* p, const char* end, Class wanted) noexcept {
    while (p != end && is(*p, wanted)) ++p;
    return p;
}

constexpr bool all(std::string_view text, Class wanted) noexcept {
    return skip(text.data(), text.data() + text.size(), wanted) == text.data() + text.size();
}

using Word = std::uint64_t;
inline constexpr Word ones = 0x0101010101010101;
inline constexpr Word highs = 0x8080808080808080;

/// Eight bytes, the first in the lowest bits.
inline Word load8(const char* p) noexcept {
    Word w;
    std::memcpy(&w, p, sizeof w);
    if constexpr (std::endian::native == std::endian::big) w = std::byteswap(w);
    return w;
}

/// A word that two texts of the same size below eight share exactly if they are equal; bytes may be in it twice.
inline Word load_below8(const char* p, std::size_t size) noexcept {
    if (size >= 4) {
        std::uint32_t front;
        std::uint32_t back;
        std::memcpy(&front, p, sizeof front);
        std::memcpy(&back, p + size - 4, sizeof back);
        return front | Word{back} << 32;
    }
    if (size == 0) return 0;
    const auto byte = [p](std::size_t at) { return Word{static_cast<unsigned char>(p[at])}; };
    return byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
}

/// The bytes with A–Z made lower-case; all others, also those above 0x7f, unchanged.
constexpr Word lowered(Word w) noexcept {
    const Word low7 = w & ~highs;
    const Word from_a = low7 + ones * (0x80 - 'A');
    const Word beyond_z = low7 + ones * (0x7f - 'Z');
    return w | (((from_a & ~beyond_z) & ~w & highs) >> 2);
}

constexpr char lowered(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// The bytes of `w` that are zero, flagged in their highest bits. The lowest flag is exact; those above it may be false
/// (a borrow ran through).
constexpr Word zero_bytes(Word w) noexcept { return (w - ones) & ~w & highs; }

/// The first `wanted` from `p` on; `end` when there is none. For short distances, where memchr costs more than it
/// finds.
inline const char* find_near(const char* p, const char* end, char wanted) noexcept {
    for (; end - p >= 8; p += 8)
        if (const Word flags = zero_bytes(load8(p) ^ (ones * static_cast<unsigned char>(wanted))))
            return p + std::countr_zero(flags) / 8;
    while (p != end && *p != wanted) ++p;
    return p;
}

/// The first byte that may not stand in a field value; `end` when there is none.
inline const char* skip_field_value(const char* p, const char* end) noexcept {
    for (; end - p >= 8; p += 8) {
        const Word w = load8(p);
        // Controls, HTAB among them, and DEL.
        const Word flagged = (((w - ones * 0x20) & ~w) & highs) | zero_bytes(w ^ (ones * 0x7f));
        if (flagged == 0) continue;
        p += std::countr_zero(flagged) / 8;
        if (*p != '\t') return p;
        p -= 7;  // go on behind the tab
    }
    return skip(p, end, field_char);
}

}  // namespace etage::http::grammar
