#pragma once
// Vary (RFC 9110 §12.5.5, RFC 9111 §4.1): which request fields select among the variants of a shelf.

#include "http/message.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::http {

/// The parsed list of field names a response varies on.
struct VaryNames {
    bool star = false;               // `*`, or an element that is no field name: no request can be known to match
    std::vector<std::string> names;  // lower case, sorted, unique; without accept-encoding when `codings_are_ours`
    friend bool operator==(const VaryNames&, const VaryNames&) = default;
};

/// `codings_are_ours`: the response was asked for without Accept-Encoding and its content has no coding, so the codings
/// Etage makes of it are representations of one variant, not variants.
VaryNames parse_vary(FieldSpan response, bool codings_are_ours = false);

/// The secondary key: for each name the request's normalised values, length-prefixed, appended to `out`. Equal texts ⇔
/// the variant matches (RFC 9111 §4.1); absent is not the same as empty; `star` is the caller's to look at.
/// Normalisation: lines joined; whitespace around commas removed, outside quotes, but
/// where the field is known to be no list; Accept-Encoding as the set of codings
/// Etage knows that are acceptable, by preference, because an origin is never shown the rest of it; Accept-Language in
/// lower case, by weight, and what is equally welcome in alphabetical order (RFC 9110 §12.5.4: the order given means
/// nothing). Allocates only when `out` must grow.
void append_secondary_key(std::string& out, const VaryNames&, FieldSpan request);

/// An Accept-Language with more ranges keeps the order it came in.
inline constexpr std::size_t sorted_languages_max = 32;

/// The one language the request prefers to all others; nothing when several are equally welcome, when it is `*`, or
/// without Accept-Language. Borrows.
std::optional<std::string_view> preferred_language(FieldSpan request) noexcept;

/// Are two secondary keys under the same names equal in all but Accept-Language?
bool same_but_language(std::string_view a, std::string_view b, const VaryNames&) noexcept;

}  // namespace etage::http
