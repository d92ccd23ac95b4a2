// First line: Vary; the others: fields of a request. The names are in order and once each; a field that is not named
// changes nothing; neither does the order of languages that are equally welcome, nor whitespace around commas.

#include "http/vary.hpp"

#include "http/negotiation.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <deque>
#include <vector>

using namespace etage;
using http::FieldId;

namespace {

std::string key_of(const http::VaryNames& vary, http::FieldSpan request) {
    std::string key;
    http::append_secondary_key(key, vary, request);
    return key;
}

/// The same languages, last one first.
std::string reversed(std::string_view list) {
    std::vector<std::string> elements;
    http::for_each_element(list, [&](std::string_view element) { elements.emplace_back(element); });
    std::string out;
    for (auto it = elements.rbegin(); it != elements.rend(); ++it) out += *it + " , ";
    return out;
}

bool in_order(std::string_view list) {
    std::size_t count = 0;
    bool proper = true;
    http::for_each_element(list, [&](std::string_view element) {
        ++count;
        proper = proper && http::parse_weight(element.substr(std::min(element.find(';'), element.size())));
        proper = proper && element.find('"') == std::string_view::npos;
    });
    return proper && count > 0 && count <= http::sorted_languages_max;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    const http::Field names{"Vary", fuzz::take_line(rest), FieldId::vary};
    const http::VaryNames vary = http::parse_vary({&names, 1});
    fuzz::require(std::ranges::is_sorted(vary.names) && std::ranges::adjacent_find(vary.names) == vary.names.end());

    std::vector<http::Field> request;
    while (!rest.empty()) {
        const std::string_view line = fuzz::take_line(rest);
        const auto colon = std::min(line.find(':'), line.size());
        const std::string_view name = line.substr(0, colon);
        request.push_back({name, line.substr(std::min(colon + 1, line.size())), http::field_id(name)});
    }
    const std::string key = key_of(vary, request);
    fuzz::require(http::same_but_language(key, key, vary));

    auto more = request;
    more.push_back({"x-not-named-by-anybody", "1", http::field_id("x-not-named-by-anybody")});
    if (!std::ranges::binary_search(vary.names, "x-not-named-by-anybody")) fuzz::require(key_of(vary, more) == key);

    std::deque<std::string> owned;
    auto other = request;
    const auto is_language = [](const http::Field& field) { return field.id == FieldId::accept_language; };
    if (std::ranges::count_if(request, is_language) != 1) return 0;
    const auto field = std::ranges::find_if(other, is_language);
    if (!in_order(field->value)) return 0;
    // What is there twice, with different weights, is put in order by weight; the order it came in is gone either way.
    field->value = owned.emplace_back(reversed(field->value));
    fuzz::require(key_of(vary, other) == key);
    return 0;
}
