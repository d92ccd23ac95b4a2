#include "http/h1_body.hpp"

#include "http/grammar.hpp"

#include <algorithm>
#include <limits>

namespace etage::http {
namespace {

using grammar::is;

constexpr std::uint8_t size_digits_max = 16;
/// What arithmetic on sizes may rely on.
constexpr std::uint64_t chunk_bytes_max = std::numeric_limits<std::int64_t>::max();

constexpr std::string_view bad_framing = "malformed chunked content";

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

std::uint64_t hex_value(char c) noexcept {
    return static_cast<std::uint64_t>(is(c, grammar::digit) ? c - '0' : (c | 0x20) - 'a' + 10);
}

}  // namespace

BodyDecoder::BodyDecoder(BodyKind kind, std::uint64_t content_length) noexcept : kind_(kind) {
    switch (kind) {
        case BodyKind::none: break;
        case BodyKind::length:
            left_ = content_length;
            if (left_ > 0) state_ = State::data;
            break;
        case BodyKind::chunked: state_ = State::size; break;
        case BodyKind::until_close: state_ = State::data; break;
    }
}

BodyDecoder::Step BodyDecoder::step(std::string_view bytes) noexcept {
    Step out;
    if (state_ == State::failed) return fail(out, bad_framing);
    if (kind_ == BodyKind::chunked) return step_chunked(bytes);
    if (state_ == State::data) {
        out.content = kind_ == BodyKind::length ? bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size())) : bytes;
        out.consumed = out.content.size();
        if (kind_ == BodyKind::length && (left_ -= out.consumed) == 0) state_ = State::done;
    }
    out.finished = finished();
    return out;
}

BodyDecoder::Step BodyDecoder::step_chunked(std::string_view bytes) noexcept {
    Step out;
    while (out.consumed < bytes.size() && state_ != State::done) {
        if (state_ == State::data) {
            if (!out.content.empty()) break;
            out.content = bytes.substr(out.consumed, left_);
            out.consumed += out.content.size();
            left_ -= out.content.size();
            if (left_ == 0) state_ = State::data_cr;
            continue;
        }
        if (!take_framing(bytes[out.consumed])) return fail(out, bad_framing);
        if (overhead_ > chunk_overhead_bytes_max) return fail(out, "too many bytes of chunk extensions and trailers");
        ++out.consumed;
    }
    out.finished = finished();
    return out;
}

BodyDecoder::Step BodyDecoder::fail(Step at, std::string_view why) noexcept {
    state_ = State::failed;
    at.failed = true;
    at.why = why;
    return at;
}

bool BodyDecoder::expect(char c, char wanted, State next) noexcept { return become(next) && c == wanted; }

bool BodyDecoder::become(State next) noexcept {
    state_ = next;
    return true;
}

bool BodyDecoder::take_framing(char c) noexcept {
    switch (state_) {
        case State::size: return take_size(c);
        case State::size_lf: digits_ = 0; return expect(c, '\n', left_ > 0 ? State::data : State::trailer_begin);
        case State::data_cr: return expect(c, '\r', State::data_lf);
        case State::data_lf: return expect(c, '\n', State::size);
        case State::trailer_begin:
        case State::trailer_name:
        case State::trailer_value:
        case State::trailer_lf:
        case State::last_lf: return take_trailer(c);
        default: return take_extension(c);
    }
}

bool BodyDecoder::take_size(char c) noexcept {
    if (is(c, grammar::hex_digit)) {
        left_ = left_ << 4 | hex_value(c);
        return ++digits_ <= size_digits_max && left_ <= chunk_bytes_max;
    }
    if (digits_ == 0) return false;
    if (c == '\r') return become(State::size_lf);
    return become(State::extension_begin) && take_extension(c);
}

/// RFC 9112 §7.1.1: *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ). Lone line feeds are errors here,
/// not line ends (erratum 7633 was rejected).
bool BodyDecoder::take_extension(char c) noexcept {
    ++overhead_;
    switch (state_) {
        case State::extension_begin: return is_blank(c) || expect(c, ';', State::extension_name_begin);
        case State::extension_name_begin:
            return is_blank(c) || (become(State::extension_name) && is(c, grammar::tchar));
        case State::extension_name:
            if (is(c, grammar::tchar)) return true;
            if (is_blank(c)) return become(State::extension_equals);
            if (c == '=') return become(State::extension_value_begin);
            return end_extension(c);
        case State::extension_equals:
            if (is_blank(c)) return true;
            if (c == '=') return become(State::extension_value_begin);
            return expect(c, ';', State::extension_name_begin);
        case State::extension_value_begin:
            if (is_blank(c)) return true;
            if (c == '"') return become(State::extension_quoted);
            return become(State::extension_token) && is(c, grammar::tchar);
        case State::extension_token: return is(c, grammar::tchar) || end_extension(c);
        case State::extension_quoted:
            if (c == '"') return become(State::extension_end);
            if (c == '\\') return become(State::extension_escaped);
            return is(c, grammar::field_char);
        case State::extension_escaped: return become(State::extension_quoted) && is(c, grammar::field_char);
        default: return end_extension(c);
    }
}

bool BodyDecoder::end_extension(char c) noexcept {
    if (c == '\r') return become(State::size_lf);
    if (is_blank(c)) return become(State::extension_begin);
    return expect(c, ';', State::extension_name_begin);
}

/// RFC 9112 §7.1.2: field lines, then an empty one. Their grammar is that of a head; what they say is dropped.
bool BodyDecoder::take_trailer(char c) noexcept {
    ++overhead_;
    switch (state_) {
        case State::trailer_begin:
            if (c == '\r') return become(State::last_lf);
            return become(State::trailer_name) && is(c, grammar::tchar);
        case State::trailer_name: return is(c, grammar::tchar) || expect(c, ':', State::trailer_value);
        case State::trailer_value: return is(c, grammar::field_char) || expect(c, '\r', State::trailer_lf);
        case State::trailer_lf: return expect(c, '\n', State::trailer_begin);
        default: return expect(c, '\n', State::done);
    }
}

std::string_view why_malformed(BodyDecoder decoder, std::string_view bytes) noexcept {
    for (;;) {
        const auto step = decoder.step(bytes);
        if (step.failed) return step.why;
        if (step.finished || step.consumed == 0) return {};
        bytes.remove_prefix(step.consumed);
    }
}

}  // namespace etage::http
