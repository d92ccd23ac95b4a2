// First line: No-Vary-Search; second and third: two queries. Any text is a variance or is not; classes say whether
// queries are equivalent, which is reflexive and symmetric; what is put together again from a class is in that class.

#include "http/no_vary_search.hpp"
#include "http/uri.hpp"

#include "fuzz.hpp"

using namespace etage;

namespace {

std::string class_of(std::string_view query, const http::SearchVariance& variance) {
    std::string out;
    http::append_search_class(out, query, variance);
    return out;
}

/// The parameters that count, encoded in one way, in the order received.
std::string written_anew(std::string_view query, const http::SearchVariance& variance) {
    std::string out;
    http::for_each_parameter(query, [&](std::string_view name, std::string_view value, bool) {
        const std::string decoded = http::form_decode(name);
        if (!variance.counts(decoded)) return;
        out += http::percent_encode(decoded) + '=' + http::percent_encode(http::form_decode(value)) + '&';
    });
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    const std::string_view field = fuzz::take_line(rest);
    const std::string_view a = fuzz::take_line(rest);
    const std::string_view b = rest;
    const std::string decoded = http::form_decode(a);
    fuzz::require(http::form_decode(http::percent_encode(decoded)) == decoded);

    const auto variance = http::parse_no_vary_search(field);
    if (!variance || variance->is_default()) return 0;
    const std::string of_a = class_of(a, *variance);
    const std::string of_b = class_of(b, *variance);
    fuzz::require(class_of(written_anew(a, *variance), *variance) == of_a);
    fuzz::require((written_anew(a, *variance) != written_anew(b, *variance)) || of_a == of_b);
    if (!variance->ignores_order)
        fuzz::require((of_a == of_b) == (written_anew(a, *variance) == written_anew(b, *variance)));
    return 0;
}
