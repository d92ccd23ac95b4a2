#pragma once
// No-Vary-Search (RFC-to-be, draft-ietf-httpbis-no-vary-search-10): in which part of their queries two URIs may differ
// and still be answered by the same response.

#include "http/message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::http {

/// The draft's URL variation config. Immutable once it is read.
struct SearchVariance {
    bool ignores_order = false;      // of the names; those of one name keep theirs
    bool only_named = false;         // true: only `names` count; false: all count but `names`
    std::vector<std::string> names;  // decoded, sorted, unique

    /// Queries that differ at all are different.
    bool is_default() const noexcept { return !ignores_order && !only_named && names.empty(); }
    /// Does a parameter of this (decoded) name tell URIs apart? O(log names).
    bool counts(std::string_view name) const noexcept;

    friend bool operator==(const SearchVariance&, const SearchVariance&) = default;
};

/// §5.1, on the field's lines joined. Nothing when the field is invalid; it counts as the default then.
/// Besides `except=(…)` this takes what it was called until draft -05, and what browsers still document: `params`, or
/// `params, except=(…)`. The final text calls that invalid; nobody writes it to mean anything else.
std::optional<SearchVariance> parse_no_vary_search(std::string_view text);

/// The variance of a response: the default when it has none, or an invalid one.
SearchVariance search_variance(FieldSpan response);

/// Appends a text of the variance and of what it leaves of the query: texts are equal if and only if the variances are
/// and the queries are equivalent under it (§6). It tells itself where it ends. No query is an empty one.
/// Precondition: !variance.is_default(), under which only equal queries are equivalent.
void append_search_class(std::string& out, std::string_view query, const SearchVariance& variance);

/// A name or value as application/x-www-form-urlencoded has it: '+' is a space, what is no escape means itself, and
/// what is not UTF-8 becomes U+FFFD (WHATWG URL §5.1; Encoding §8.1.1, maximal subparts).
std::string form_decode(std::string_view raw);

}  // namespace etage::http
