#include "base/escape.hpp"

#include <algorithm>
#include <cstdint>

namespace etage::base {

namespace {

/// Length of the UTF-8 sequence at the front of `text` (RFC 3629 §4: no surrogates, nothing overlong), 0 when it is
/// none.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
    const unsigned a = at(0);
    const unsigned b = at(1);
    if (a < 0x80) return 1;
    if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
    if (a >= 0xE0 && a <= 0xEF) {
        const bool good = b >= (a == 0xE0 ? 0xA0U : 0x80U) && b <= (a == 0xED ? 0x9FU : 0xBFU);
        return good && tail(2) ? 3 : 0;
    }
    if (a >= 0xF0 && a <= 0xF4) {
        const bool good = b >= (a == 0xF0 ? 0x90U : 0x80U) && b <= (a == 0xF4 ? 0x8FU : 0xBFU);
        return good && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

void append_hex(std::string& out, std::string_view prefix, unsigned value, int digits) {
    static constexpr std::string_view hex = "0123456789abcdef";
    out += prefix;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += hex[(value >> shift) & 0xFU];
}

/// Appends the character at the front of `text`, of the given UTF-8 length, escaped if it must be.
void append_character(std::string& out, std::string_view text, std::size_t length) {
    const auto first = static_cast<std::uint8_t>(text.front());
    const bool c1 = length == 2 && first == 0xC2 && static_cast<std::uint8_t>(text[1]) < 0xA0;
    if (first == '"' || first == '\\') {
        out += '\\';
        out += text.front();
    } else if (first == '\n') {
        out += "\\n";
    } else if (first == '\r') {
        out += "\\r";
    } else if (first == '\t') {
        out += "\\t";
    } else if (first < 0x20 || first == 0x7F) {
        append_hex(out, "\\u", first, 4);
    } else if (c1) {
        append_hex(out, "\\u", static_cast<std::uint8_t>(text[1]), 4);
    } else {
        out += text.substr(0, length);
    }
}

/// `invalid(byte)` stands for a byte that is not UTF-8.
template <class Invalid>
void append_escaped(std::string& out, std::string_view text, Invalid&& invalid) {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) {
            invalid(static_cast<std::uint8_t>(text.front()));
            text.remove_prefix(1);
        } else {
            append_character(out, text, length);
            text.remove_prefix(length);
        }
    }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
    append_escaped(out, text, [&](unsigned) { out += "\\ufffd"; });
}

void append_text_escaped(std::string& out, std::string_view text) {
    append_escaped(out, text, [&](unsigned byte) { append_hex(out, "\\x", byte, 2); });
}

void append_text_value(std::string& out, std::string_view text) {
    const std::size_t begin = out.size();
    append_text_escaped(out, text);
    const std::string_view escaped = std::string_view(out).substr(begin);
    const bool plain = !escaped.empty() && escaped == text &&
                       std::ranges::none_of(escaped, [](char c) { return c == ' ' || c == '='; });
    if (plain) return;
    out.insert(begin, 1, '"');
    out += '"';
}

void append_html_escaped(std::string& out, std::string_view text) {
    for (const char c : text) switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
}

}  // namespace etage::base
