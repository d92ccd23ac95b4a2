// First line: a stored tag; the others: lines of If-None-Match and If-Match. What the tag's codings are called is found
// in any list that holds it, and a strong hit is a weak one.

#include "http/etag.hpp"

#include "fuzz.hpp"

#include <vector>

using namespace etage;
using http::FieldId;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    const std::string_view stored = fuzz::take_line(rest);
    std::vector<http::Field> fields;
    while (!rest.empty()) {
        const std::string_view line = fuzz::take_line(rest);
        fields.push_back({"If-None-Match", line, FieldId::if_none_match});
        fields.push_back({"If-Match", line, FieldId::if_match});
    }
    if (http::if_match_hits(fields, stored)) fuzz::require(http::if_none_match_hits(fields, stored));

    const auto tag = http::parse_entity_tag(stored);
    for (const http::Coding coding : http::codings_by_size) {
        const std::string coded = http::etag_for_coding(stored, coding);
        fuzz::require(tag.has_value() == http::parse_entity_tag(coded).has_value());
        if (!tag) continue;
        const std::string list = "\"x, y\", " + coded + " ,";
        fields.assign({{"If-None-Match", list, FieldId::if_none_match}});
        fuzz::require(http::if_none_match_hits(fields, stored));
    }
    return 0;
}
