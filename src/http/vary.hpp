#pragma once
// Vary (RFC 9110 §12.5.5, RFC 9111 §4.1): which request fields select among the variants of a shelf.

#include "http/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace etage::http {

/// The parsed list of field names a response varies on.
struct VaryNames {
    bool star = false;
    std::vector<std::string> names;   // lower case, sorted, unique; without accept-encoding when `codings_are_ours`
    friend bool operator==(const VaryNames&, const VaryNames&) = default;
};

VaryNames parse_vary(FieldSpan response);

/// The secondary key: for each name the request's normalised values, length-prefixed, appended to `out`. Equal texts ⇔
/// the variant matches (RFC 9111 §4.1). Normalisation: list fields joined and whitespace around commas removed;
/// Accept-Encoding as the set of codings Etage knows that are acceptable, by preference; Accept-Language case-folded.
void append_secondary_key(std::string& out, const VaryNames&, FieldSpan request);

}  // namespace etage::http
