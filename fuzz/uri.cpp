// Any text as a path, a component, an endpoint and an address: what is normalised is normal and holds no dot segment,
// whoever reads it; what is written is read back.

#include "http/uri.hpp"

#include "fuzz.hpp"

using namespace etage;

namespace {

bool has_dot_segment(std::string path) {
    for (const std::string_view separator : {"%2F", "%5C", "\\"})
        for (auto at = path.find(separator); at != std::string::npos; at = path.find(separator))
            path.replace(at, separator.size(), "/");
    path += '/';
    return path.find("/./") != std::string::npos || path.find("/../") != std::string::npos;
}

void check_path(std::string_view text) {
    std::string once = "key";
    if (!http::append_normalised_path(once, text)) return fuzz::require(once == "key");
    once.erase(0, 3);
    std::string twice;
    fuzz::require(http::append_normalised_path(twice, once) && twice == once);
    fuzz::require(!has_dot_segment(once));
}

void check_addresses(std::string_view text) {
    std::string why;
    if (const auto url = http::parse_endpoint(text, why)) {
        const auto again = http::parse_endpoint(url->scheme + "://" + url->authority(), why);
        fuzz::require(again && again->scheme == url->scheme && again->host == url->host && again->port == url->port);
    } else {
        fuzz::require(!why.empty());
    }
    why.clear();
    if (const auto address = http::parse_listen_address(text, why)) {
        const auto again = http::parse_listen_address(address->text(), why);
        fuzz::require(again && again->host == address->host && again->port == address->port);
    } else {
        fuzz::require(!why.empty());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    check_path(text);
    check_addresses(text);
    fuzz::require(http::percent_decode(http::percent_encode(text), true) == text);
    if (const auto decoded = http::percent_decode(text, false)) fuzz::require(decoded->size() <= text.size());
    std::size_t bytes = 0;
    http::for_each_parameter(text, [&](std::string_view name, std::string_view value, bool has_equals) {
        bytes += name.size() + value.size() + (has_equals ? 1 : 0);
    });
    fuzz::require(bytes <= text.size());
    return 0;
}
