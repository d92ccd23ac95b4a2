#include "codec/compressible.hpp"

#include <algorithm>

namespace etage::codec {
namespace {

constexpr std::string_view types[] = {
    // Text by another name.
    "application/ecmascript", "application/graphql", "application/javascript", "application/json",
    "application/json-seq", "application/json5", "application/jsonl", "application/jsonlines", "application/ndjson",
    "application/n-quads", "application/n-triples", "application/postscript", "application/rtf",
    "application/sparql-query", "application/sql", "application/toml", "application/trig",
    "application/vnd.apple.mpegurl", "application/x-javascript", "application/x-mpegurl", "application/x-ndjson",
    "application/x-sh", "application/x-www-form-urlencoded", "application/x-yaml", "application/xml",
    "application/xml-dtd", "application/yaml",
    // Programs, fonts and pictures that nobody compressed. WOFF is.
    "application/wasm", "application/font-sfnt", "application/vnd.ms-fontobject", "application/vnd.ms-opentype",
    "application/x-font-opentype", "application/x-font-otf", "application/x-font-truetype", "application/x-font-ttf",
    "font/collection", "font/opentype", "font/otf", "font/sfnt", "font/ttf", "image/bmp", "image/vnd.microsoft.icon",
    "image/x-icon", "image/x-ms-bmp"};
/// RFC 6838 §4.2.8: what follows the last + says how it is written.
constexpr std::string_view suffixes[] = {"+json", "+json-seq", "+xml", "+yaml"};

char lowered(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// `lower` is lower-case.
bool is(std::string_view text, std::string_view lower) noexcept { return std::ranges::equal(text, lower, {}, lowered); }

/// The type without parameters and surrounding whitespace.
std::string_view essence(std::string_view content_type) noexcept {
    content_type = content_type.substr(0, content_type.find(';'));
    const auto begin = std::min(content_type.find_first_not_of(" \t"), content_type.size());
    return content_type.substr(begin, content_type.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace

bool is_compressible(std::string_view content_type) noexcept {
    const std::string_view type = essence(content_type);
    if (is(type, "text/event-stream")) return false;  // each event is to leave at once
    if (is(type.substr(0, 5), "text/")) return true;
    const auto equals = [&](std::string_view known) { return is(type, known); };
    const auto ends = [&](std::string_view suffix) {
        return type.size() > suffix.size() && is(type.substr(type.size() - suffix.size()), suffix);
    };
    return std::ranges::any_of(types, equals) || std::ranges::any_of(suffixes, ends);
}

}  // namespace etage::codec
