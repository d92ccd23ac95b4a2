#pragma once
// Content negotiation for codings (RFC 9110 §12.5.3).

#include "http/message.hpp"

#include <cstdint>
#include <string_view>

namespace etage::http {

enum class Coding : std::uint8_t { identity, gzip, br, zstd };
inline constexpr std::size_t coding_count = 4;

std::string_view coding_name(Coding) noexcept;   // "gzip"
/// "gzip" and "x-gzip", "br", "zstd", "identity"; without case.
bool coding_of(std::string_view name, Coding& out) noexcept;

/// A set of codings, one bit each.
class CodingSet {
public:
    constexpr CodingSet() = default;
    constexpr CodingSet with(Coding c) const noexcept { return CodingSet(bits_ | bit(c)); }
    constexpr bool has(Coding c) const noexcept { return (bits_ & bit(c)) != 0; }
    friend constexpr bool operator==(CodingSet, CodingSet) = default;

private:
    explicit constexpr CodingSet(unsigned bits) noexcept : bits_(static_cast<std::uint8_t>(bits)) {}
    static constexpr unsigned bit(Coding c) noexcept { return 1U << static_cast<unsigned>(c); }
    std::uint8_t bits_ = 0;
};

struct CodingChoice {
    Coding coding = Coding::identity;
    bool acceptable = true;   // false: identity;q=0 and nothing else fits
};

/// The best of `available` for the request: highest q, among equals the smaller result (zstd, br, gzip, identity in this
/// order). No Accept-Encoding: identity. q-values, `*`, `identity;q=0` as the RFC says; malformed elements are skipped.
CodingChoice choose_coding(FieldSpan request, CodingSet available) noexcept;

}  // namespace etage::http
