#include "http/structured.hpp"

#include <cstdint>

namespace etage::http {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower_alpha(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) noexcept { return is_lower_alpha(c) || (c >= 'A' && c <= 'Z'); }
bool is_one_of(char c, std::string_view set) noexcept { return set.find(c) != std::string_view::npos; }
bool is_printable(char c) noexcept { return c >= 0x20 && c <= 0x7E; }

/// tchar / ":" / "/" (RFC 9651 §3.3.4).
bool is_token_char(char c) noexcept { return is_alpha(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~:/"); }

/// RFC 3629 §4, byte by byte: no overlong forms, no surrogates, nothing beyond U+10FFFF.
class Utf8 {
public:
    bool take(std::uint8_t byte) noexcept {
        if (left_ == 0) return lead(byte);
        if (byte < low_ || byte > high_) return false;
        low_ = 0x80;
        high_ = 0xBF;
        --left_;
        return true;
    }
    bool complete() const noexcept { return left_ == 0; }

private:
    bool lead(std::uint8_t byte) noexcept {
        if (byte < 0x80) return true;
        if (byte < 0xC2 || byte > 0xF4) return false;
        left_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        if (byte == 0xE0) low_ = 0xA0;
        if (byte == 0xED) high_ = 0x9F;
        if (byte == 0xF0) low_ = 0x90;
        if (byte == 0xF4) high_ = 0x8F;
        return true;
    }

    int left_ = 0;
    std::uint8_t low_ = 0x80;
    std::uint8_t high_ = 0xBF;
};

/// Reads from left to right as the algorithms of RFC 9651 §4.2 do. Every step says whether it succeeded.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : rest_(text) {}

    std::string_view rest() const noexcept { return rest_; }
    bool end() const noexcept { return rest_.empty(); }
    char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

    bool take(char c) noexcept {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    template <class Pred>
    std::string_view take_while(Pred pred) noexcept {
        std::size_t n = 0;
        while (n < rest_.size() && pred(rest_[n])) ++n;
        const auto taken = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return taken;
    }

    void skip_spaces() noexcept {
        take_while([](char c) { return c == ' '; });
    }
    void skip_ows() noexcept {
        take_while([](char c) { return c == ' ' || c == '\t'; });
    }

    /// §4.2.5; `out` may be null.
    bool string(std::string* out) {
        if (!take('"')) return false;
        while (!end()) {
            char c = next();
            if (c == '"') return true;
            if (c == '\\' && !is_one_of(c = next(), "\"\\")) return false;
            if (!is_printable(c)) return false;
            if (out != nullptr) *out += c;
        }
        return false;
    }

    /// §4.2.3.2.
    bool skip_parameters() noexcept {
        while (take(';')) {
            skip_spaces();
            if (!skip_key()) return false;
            if (take('=') && !skip_bare_item()) return false;
        }
        return true;
    }

    /// §4.2.3.3.
    bool skip_key() noexcept {
        if (!is_lower_alpha(peek()) && peek() != '*') return false;
        take_while([](char c) { return is_lower_alpha(c) || is_digit(c) || is_one_of(c, "_-.*"); });
        return true;
    }

    /// §4.2.3.1.
    bool skip_bare_item() noexcept {
        const char c = peek();
        bool integer = false;
        if (c == '-' || is_digit(c)) return skip_number(integer);
        if (c == '"') return string(nullptr);
        if (c == '*' || is_alpha(c)) return !take_while(is_token_char).empty();
        if (take(':')) return skip_bytes();
        if (take('?')) return take('0') || take('1');
        if (take('@')) return skip_number(integer) && integer;
        return take('%') && skip_display_string();
    }

    /// §4.2.1.2.
    bool skip_inner_list() noexcept {
        if (!take('(')) return false;
        for (;;) {
            skip_spaces();
            if (take(')')) return true;
            if (!skip_bare_item() || !skip_parameters()) return false;
            if (peek() != ' ' && peek() != ')') return false;
        }
    }

private:
    /// '\0' at the end; no place in the grammar allows it.
    char next() noexcept {
        if (rest_.empty()) return '\0';
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    /// §4.2.4: 15 digits, or 12 and 1 to 3 decimals.
    bool skip_number(bool& integer) noexcept {
        take('-');
        const std::size_t whole = take_while(is_digit).size();
        integer = !take('.');
        if (integer) return whole >= 1 && whole <= 15;
        const std::size_t decimals = take_while(is_digit).size();
        return whole >= 1 && whole <= 12 && decimals >= 1 && decimals <= 3;
    }

    /// §4.2.7, with the tolerance for missing padding it recommends; behind the first ':'.
    bool skip_bytes() noexcept {
        const std::size_t digits =
            take_while([](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; }).size();
        const std::size_t padding = take_while([](char c) { return c == '='; }).size();
        const bool padded = padding == 0 || (padding <= 2 && (digits + padding) % 4 == 0);
        return take(':') && padded && digits % 4 != 1;
    }

    /// §4.2.10, behind the '%'.
    bool skip_display_string() noexcept {
        Utf8 text;
        if (!take('"')) return false;
        while (!end()) {
            const char c = next();
            if (c == '"') return text.complete();
            if (!is_printable(c)) return false;
            auto byte = static_cast<std::uint8_t>(c);
            if (c == '%' && !escaped_byte(byte)) return false;
            if (!text.take(byte)) return false;
        }
        return false;
    }

    bool escaped_byte(std::uint8_t& byte) noexcept {
        constexpr std::string_view hex = "0123456789abcdef";
        const auto high = hex.find(next());
        const auto low = hex.find(next());
        if (high == std::string_view::npos || low == std::string_view::npos) return false;
        byte = static_cast<std::uint8_t>(high * 16 + low);
        return true;
    }

    std::string_view rest_;
};

}  // namespace

void append_sf_string(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += is_printable(c) ? c : '?';
    }
    out += '"';
}

std::optional<std::vector<std::string>> parse_sf_string_list(std::string_view text) {
    std::vector<std::string> out;
    Reader in(text);
    in.skip_spaces();
    while (!in.end()) {
        if (!in.string(&out.emplace_back()) || !in.skip_parameters()) return std::nullopt;
        in.skip_ows();
        if (in.end()) return out;
        if (!in.take(',')) return std::nullopt;
        in.skip_ows();
        if (in.end()) return std::nullopt;  // a trailing comma
    }
    return out;
}

SfDictionary::SfDictionary(std::string_view text) noexcept {
    Reader in(text);
    in.skip_spaces();
    rest_ = in.rest();
}

bool SfDictionary::next(SfMember& out) noexcept {
    if (failed_ || rest_.empty()) return false;
    failed_ = !read(out);
    return !failed_;
}

bool SfDictionary::read(SfMember& out) noexcept {
    Reader in(rest_);
    const auto since = [&](std::string_view before) { return before.substr(0, before.size() - in.rest().size()); };
    if (!in.skip_key()) return false;
    out.key = since(rest_);
    out.value = "?1";
    if (in.take('=')) {
        const auto value = in.rest();
        if (!(in.peek() == '(' ? in.skip_inner_list() : in.skip_bare_item())) return false;
        out.value = since(value);
    }
    if (!in.skip_parameters()) return false;
    in.skip_ows();
    if (!in.end()) {
        if (!in.take(',')) return false;
        in.skip_ows();
        if (in.end()) return false;  // a trailing comma
    }
    rest_ = in.rest();
    return true;
}

std::optional<std::vector<std::string>> parse_sf_inner_strings(std::string_view value) {
    std::vector<std::string> out;
    Reader in(value);
    if (!in.take('(')) return std::nullopt;
    for (;;) {
        in.skip_spaces();
        if (in.take(')')) break;
        if (!in.string(&out.emplace_back()) || !in.skip_parameters()) return std::nullopt;
        if (in.peek() != ' ' && in.peek() != ')') return std::nullopt;
    }
    if (!in.end()) return std::nullopt;
    return out;
}

}  // namespace etage::http
