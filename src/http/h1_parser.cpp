#include "http/h1_parser.hpp"

#include "http/grammar.hpp"
#include "http/h1_framing.hpp"
#include "http/h1_lines.hpp"

#include <algorithm>

namespace etage::http {
namespace {

constexpr std::string_view crlf = "\r\n";

Refusal parse_line(std::string_view line, RequestHead& out) noexcept { return parse_request_line(line, out); }
Refusal parse_line(std::string_view line, ResponseHead& out) noexcept { return parse_status_line(line, out); }

/// RFC 9112 §2.2: a server should ignore an empty line before the request line; old clients send one after content.
Refusal skip_empty_lines(std::string_view bytes, std::size_t& begin) noexcept {
    constexpr int empty_lines_max = 4;
    for (int skipped = 0; bytes.substr(begin).starts_with(crlf); begin += crlf.size())
        if (skipped++ == empty_lines_max) return {"too many empty lines before the request line"};
    return {};
}

bool connection_names(FieldSpan fields, std::string_view name) noexcept {
    bool named = false;
    for_each_element(fields, FieldId::connection, [&](std::string_view option) { named |= iequals(option, name); });
    return named;
}

/// RFC 9110 §7.6.1: what Connection names is for this hop alone. It is gone before anybody looks at the request: what
/// the origin will not see must neither be in a key, nor choose a variant, nor say who somebody is.
void drop_named_fields(FieldSlots& slots, FieldSpan& fields) noexcept {
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (slots[i].id == FieldId::unknown && connection_names(fields, slots[i].name)) slots[i].name = {};
    std::size_t kept = 0;
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (!slots[i].name.empty()) slots[kept++] = slots[i];
    fields = fields.first(kept);
}

ParseOutcome failed(Refusal refusal) noexcept { return {ParseState::failed, refusal.fault, refusal.why}; }

ParseOutcome failed_response(Refusal refusal) noexcept {
    return {ParseState::failed, Fault::origin_protocol, refusal.why};
}

}  // namespace

ParseOutcome HeadParser::parse_request(std::string_view bytes, FieldSlots& slots, RequestHead& out) noexcept {
    std::size_t begin = 0;
    if (const auto refusal = skip_empty_lines(bytes, begin)) return failed(refusal);
    const auto rest = bytes.substr(begin);
    if (rest.empty() || rest == "\r") return {};
    // Another protocol, TLS for example, might never send a line end.
    if (!grammar::is(rest.front(), grammar::tchar)) return failed({"the request does not begin with a method"});

    RequestFraming framing;
    const auto [refusal, complete] = parse_lines(bytes, begin, slots, out, framing);
    if (refusal) return failed(refusal);
    if (!complete) return {};
    if (const auto contradiction = framing.conclude(out)) return failed(contradiction);
    if (framing.others_named()) drop_named_fields(slots, out.fields);
    return {ParseState::complete, {}, {}};
}

ParseOutcome HeadParser::parse_response(std::string_view bytes, Method request_method, FieldSlots& slots,
                                        ResponseHead& out) noexcept {
    constexpr std::string_view opening = "HTTP/1.";
    if (!opening.starts_with(bytes.substr(0, opening.size()))) return failed_response({"not an HTTP/1 response"});
    if (bytes.empty()) return {};

    ResponseFraming framing;
    const auto [refusal, complete] = parse_lines(bytes, 0, slots, out, framing);
    if (refusal) return failed_response(refusal);
    if (!complete) return {};
    if (const auto contradiction = framing.conclude(request_method, out)) return failed_response(contradiction);
    return {ParseState::complete, {}, {}};
}

/// Where the head ends, also when it ends badly (with a bare LF or CR, which parse_fields then finds): a client whose
/// line ends are wrong gets an answer rather than a timeout. 0: not there yet.
std::size_t HeadParser::find_end(std::string_view bytes, std::size_t begin) noexcept {
    for (std::size_t from = std::max(searched_, begin);;) {
        const auto lf = bytes.find('\n', from);
        if (lf == bytes.npos) {
            searched_ = bytes.size();
            return 0;
        }
        if (first_line_end_ == 0) first_line_end_ = lf;
        const auto behind = bytes.substr(lf + 1, 2);
        if (behind.starts_with('\n')) return lf + 2;
        if (behind.starts_with('\r') && behind.size() == 2) return lf + 3;
        if (behind.size() < 1 || behind == "\r") {
            searched_ = lf;
            return 0;
        }
        from = lf + 1;
    }
}

/// The order of the checks is that in which bytes arrive one by one: a head that comes whole is judged as if it did
/// not.
template <class Head, class Framing>
HeadParser::Progress HeadParser::parse_lines(std::string_view bytes, std::size_t begin, FieldSlots& slots, Head& out,
                                             Framing& framing) noexcept {
    const std::size_t end = find_end(bytes, begin);
    const std::size_t line_bytes = (first_line_end_ > 0 ? first_line_end_ : bytes.size()) - begin;
    if (line_bytes > limits_.request_line_bytes_max + 1)  // its CR is not counted
        return {{"the first line is too long", Fault::uri_too_long}};
    if (first_line_end_ == 0) return {};

    const std::size_t head_bytes = (end > 0 ? end : bytes.size()) - begin;
    const bool too_large = head_bytes > limits_.head_bytes_max;
    const bool whole = end > 0 && !too_large;
    if (whole || !first_line_checked_) {
        out = {};
        if (const auto refusal = parse_first_line(bytes, begin, out)) return {refusal};
        first_line_checked_ = true;
    }
    if (too_large) return {{"the head is too large", Fault::fields_too_large}};
    if (!whole) return {};
    return {parse_fields(bytes.substr(0, end), slots, out, framing), true};
}

template <class Head>
Refusal HeadParser::parse_first_line(std::string_view bytes, std::size_t begin, Head& out) const noexcept {
    auto line = bytes.substr(begin, first_line_end_ - begin);
    if (!line.ends_with('\r')) return {"a line that ends with LF alone"};
    line.remove_suffix(1);
    return parse_line(line, out);
}

template <class Head, class Framing>
Refusal HeadParser::parse_fields(std::string_view bytes, FieldSlots& slots, Head& out,
                                 Framing& framing) const noexcept {
    const std::size_t fields_max = std::min(limits_.fields_max, fields_capacity);
    const char* p = bytes.data() + first_line_end_ + 1;
    const char* const end = bytes.data() + bytes.size();
    std::size_t count = 0;
    for (; end - p != 2 || p[0] != '\r' || p[1] != '\n'; ++count) {
        if (count == fields_max) return {"too many fields", Fault::fields_too_large};
        if (const auto refusal = parse_field_line(p, end, slots[count])) return refusal;
        if (const auto refusal = framing.note(slots[count])) return refusal;
    }
    out.fields = FieldSpan(slots.data(), count);
    out.head_bytes = bytes.size();
    return {};
}

}  // namespace etage::http
