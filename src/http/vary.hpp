#pragma once
// Vary (RFC 9110 §12.5.5, RFC 9111 §4.1): which request fields select among the variants of a shelf.

#include "http/message.hpp"

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
/// Normalisation: lines joined; whitespace around the commas removed where the field is known to be a list (elsewhere
/// it may mean something); Accept-Encoding as the set of codings Etage knows that are acceptable, by preference,
/// because an origin is never shown the rest of it; Accept-Language case-folded. Allocates only when `out` must grow.
void append_secondary_key(std::string& out, const VaryNames&, FieldSpan request);

}  // namespace etage::http
