#include "http/problem.hpp"

#include "http/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace etage::http {
namespace {

constexpr std::string_view type_prefix = "urn:etage:problem:";
constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length of the UTF-8 sequence `text` begins with, 0 when it begins with none (RFC 3629 §4: no overlong forms, no
/// surrogates, nothing beyond U+10FFFF). Precondition: not empty, the first byte is not ASCII.
std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const std::uint8_t second = byte(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return length;
}

void append_ascii(std::string& out, char c) {
    static constexpr std::string_view hex = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    if (static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7F) {
        out += c;
        return;
    }
    out += "\\u00";
    out += hex[static_cast<std::size_t>(c) >> 4];
    out += hex[static_cast<std::size_t>(c) & 0xF];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        std::size_t taken = 1;
        if (static_cast<std::uint8_t>(text.front()) < 0x80) {
            append_ascii(out, text.front());
        } else if (const std::size_t length = utf8_length(text); length != 0) {
            out += text.substr(0, length);
            taken = length;
        } else {
            out += replacement;
        }
        text.remove_prefix(taken);
    }
    out += '"';
}

std::string problem_json(int status, std::string_view type_suffix, std::string_view title, std::string_view detail,
                         std::string_view extension) {
    std::string type = "about:blank";
    if (type_suffix.find(':') != std::string_view::npos)
        type = type_suffix;
    else if (!type_suffix.empty())
        type = std::string(type_prefix).append(type_suffix);

    std::string out = "{\"type\":";
    append_json_string(out, type);
    out += ",\"title\":";
    append_json_string(out, title.empty() ? reason_phrase(status) : title);
    out += ",\"status\":" + std::to_string(status);
    if (!detail.empty()) {
        out += ",\"detail\":";
        append_json_string(out, detail);
    }
    if (!extension.empty()) (out += ',') += extension;
    out += "}\n";
    return out;
}

}  // namespace etage::http
