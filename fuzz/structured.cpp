// Any text is a list of strings or is not; a list is written as one text, which is read as the same list. Any bytes
// make a string.

#include "http/structured.hpp"

#include "fuzz.hpp"

using namespace etage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto strings = http::parse_sf_string_list(text)) {
        std::string out;
        for (const std::string& string : *strings) {
            if (!out.empty()) out += ", ";
            http::append_sf_string(out, string);
        }
        fuzz::require(http::parse_sf_string_list(out) == strings);
    }
    std::string one;
    http::append_sf_string(one, text);
    const auto again = http::parse_sf_string_list(one);
    fuzz::require(again && again->size() == 1 && again->front().size() == text.size());
    return 0;
}
