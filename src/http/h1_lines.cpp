#include "http/h1_lines.hpp"

#include "http/grammar.hpp"
#include "http/h1_target.hpp"
#include "http/token.hpp"

namespace etage::http {
namespace {

using grammar::is;

constexpr std::size_t method_bytes_max = 32;

std::string_view between(const char* begin, const char* end) noexcept {
    return {begin, static_cast<std::size_t>(end - begin)};
}

/// RFC 9112 §2.3: "HTTP/" DIGIT "." DIGIT, nothing else.
Refusal parse_version(std::string_view text, std::uint8_t& minor) noexcept {
    if (text.size() != 8 || !text.starts_with("HTTP/") || !is(text[5], grammar::digit) || text[6] != '.' ||
        !is(text[7], grammar::digit))
        return {"the start line has no HTTP version where it belongs"};
    if (text[5] != '1') return {"an HTTP version other than 1.x", Fault::version_unsupported};
    minor = text[7] == '0' ? 0 : 1;
    return {};
}

const char* why_no_target(char c) noexcept {
    if (c == '#') return "a fragment in the request target";
    if (c == ' ') return "not exactly one space before the request target";
    return "a character in the request target that must be percent-encoded";
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// `before_colon` is all that is left when no colon follows.
const char* why_no_name(std::string_view before_colon) noexcept {
    const char* const end = before_colon.data() + before_colon.size();
    const char* const bad = grammar::skip(before_colon.data(), end, grammar::tchar);
    if (before_colon.empty()) return "an empty field name";
    if (bad == end || *bad == '\r') return "a field line without a colon";
    if (*bad == '\n') return "a line that ends with LF alone";
    if (!is_blank(*bad)) return "a character in a field name that is not allowed there";
    return bad == before_colon.data() ? "a folded field line" : "whitespace in or after a field name";
}

}  // namespace

Refusal parse_request_line(std::string_view line, RequestHead& out) noexcept {
    const char* const end = line.data() + line.size();
    const char* const method_end = grammar::skip(line.data(), end, grammar::tchar);
    out.method_text = between(line.data(), method_end);
    if (method_end == end || *method_end != ' ' || out.method_text.empty())
        return {"the request line does not begin with a method and a space"};
    if (out.method_text.size() > method_bytes_max)  // RFC 9112 §3
        return {"the method is longer than any known one", Fault::not_implemented};

    const char* const target_end = grammar::skip(method_end + 1, end, grammar::query_char);
    out.target = between(method_end + 1, target_end);
    if (target_end == end) return {"the request line is not method, target and version"};
    if (*target_end != ' ' || out.target.empty()) return {why_no_target(*target_end)};
    if (const auto refusal = parse_version(between(target_end + 1, end), out.minor)) return refusal;

    out.method = method_of(out.method_text);
    return parse_target(out);
}

Refusal parse_status_line(std::string_view line, ResponseHead& out) noexcept {
    constexpr std::size_t status_at = 9;  // behind "HTTP/1.1 "
    constexpr std::size_t status_end = 12;
    if (const auto refusal = parse_version(line.substr(0, 8), out.minor)) return refusal;
    if (line.size() < status_end || line[8] != ' ' || line[status_at] == '0' ||
        !grammar::all(line.substr(status_at, 3), grammar::digit))
        return {"the status line has no status of three digits"};
    out.status = 0;
    for (const char c : line.substr(status_at, 3)) out.status = out.status * 10 + (c - '0');
    // Many leave out the space before an empty reason (RFC 9112 §4 wants it); nothing can be mistaken for it.
    if (line.size() == status_end) return {};
    if (line[status_end] != ' ') return {"the status has more than three digits"};
    out.reason = line.substr(status_end + 1);
    if (!grammar::all(out.reason, grammar::field_char)) return {"a control character in the reason phrase"};
    return {};
}

Refusal parse_field_line(const char*& p, const char* end, Field& out) noexcept {
    const char* const colon = grammar::find_near(p, end, ':');
    out.name = between(p, colon);
    out.id = field_id(out.name);
    // A known name is a token.
    if (out.id == FieldId::unknown && (colon == end || !is_token(out.name))) return {why_no_name(out.name)};

    const char* value = colon + 1;
    while (value != end && is_blank(*value)) ++value;
    const char* const line_end = grammar::skip_field_value(value, end);
    if (end - line_end < 2 || line_end[0] != '\r' || line_end[1] != '\n')
        return {line_end != end && *line_end == '\n' ? "a line that ends with LF alone"
                                                     : "a control character in a field value"};
    const char* value_end = line_end;
    while (value_end != value && is_blank(value_end[-1])) --value_end;
    out.value = between(value, value_end);
    p = line_end + 2;
    return {};
}

}  // namespace etage::http
