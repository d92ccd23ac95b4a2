#pragma once
// Content negotiation for codings (RFC 9110 §12.5.3).

#include "http/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace etage::http {

enum class Coding : std::uint8_t { identity, gzip, br, zstd };
inline constexpr std::size_t coding_count = 4;

std::string_view coding_name(Coding) noexcept;  // "gzip"
/// "gzip" and "x-gzip", "br", "zstd", "identity"; without case.
bool coding_of(std::string_view name, Coding& out) noexcept;

/// A set of codings, one bit each.
class CodingSet {
public:
    constexpr CodingSet() = default;
    constexpr CodingSet with(Coding c) const noexcept { return CodingSet(bits_ | bit(c)); }
    static constexpr CodingSet all() noexcept { return CodingSet((1U << coding_count) - 1); }
    constexpr bool has(Coding c) const noexcept { return (bits_ & bit(c)) != 0; }
    friend constexpr bool operator==(CodingSet, CodingSet) = default;

private:
    explicit constexpr CodingSet(unsigned bits) noexcept : bits_(static_cast<std::uint8_t>(bits)) {}
    static constexpr unsigned bit(Coding c) noexcept { return 1U << static_cast<unsigned>(c); }
    std::uint8_t bits_ = 0;
};

/// A weight, `;q=…` (RFC 9110 §12.4.2), in thousandths: of "" 1000, of anything else that is none, nothing.
std::optional<std::uint16_t> parse_weight(std::string_view text) noexcept;

/// What Accept-Encoding says of the codings Etage knows. Malformed elements are skipped; of repeated ones the lowest
/// weight counts. An identity that is neither listed nor excluded is acceptable, but only when nothing else is: weight
/// 0, not refused.
struct CodingWeights {
    std::array<std::uint16_t, coding_count> thousandths{};  // indexed by Coding; 0: not acceptable (but see identity)
    bool identity_refused = false;                          // identity;q=0, or *;q=0 without a word on identity
    std::uint16_t of(Coding c) const noexcept { return thousandths[static_cast<std::size_t>(c)]; }
};
CodingWeights coding_weights(FieldSpan request) noexcept;

/// True when the request takes content in this coding: it names it, or `*`, with a weight, or does not say
/// (RFC 9110 §12.5.3: then every coding is acceptable).
bool accepts(FieldSpan request, Coding) noexcept;

/// From the smallest result to the largest: which of equally welcome codings is chosen.
inline constexpr std::array<Coding, coding_count> codings_by_size = {Coding::zstd, Coding::br, Coding::gzip,
                                                                     Coding::identity};

struct CodingChoice {
    Coding coding = Coding::identity;
    bool acceptable = true;  // false: identity;q=0 and nothing else fits
};

/// The best of `available` by these weights; as choose_coding() below.
CodingChoice best_coding(const CodingWeights&, CodingSet available) noexcept;

/// The best of `available` for the request: highest q, among equals the smaller result (zstd, br, gzip, identity in
/// this order). Identity is always available. No Accept-Encoding: identity. q-values, `*`, `identity;q=0` as the RFC
/// says; malformed elements are skipped.
CodingChoice choose_coding(FieldSpan request, CodingSet available) noexcept;

}  // namespace etage::http
