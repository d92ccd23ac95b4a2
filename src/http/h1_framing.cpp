#include "http/h1_framing.hpp"

#include "http/grammar.hpp"
#include "http/h1_target.hpp"
#include "http/token.hpp"

#include <limits>

namespace etage::http {
namespace {

/// What arithmetic on content lengths may rely on.
constexpr std::uint64_t content_length_max = std::numeric_limits<std::int64_t>::max();

/// Every field of a head is compared with each of them.
constexpr std::uint32_t connection_options_max = 32;

/// Content_Length is a field of its own, but not to an origin that speaks CGI.
bool resembles_framing(std::string_view name) noexcept {
    return iequals_as_cgi(name, "content-length") || iequals_as_cgi(name, "transfer-encoding");
}

/// RFC 9110 §6.4.1, RFC 9112 §6.3(1).
bool never_has_content(int status) noexcept { return status < 200 || status == 204 || status == 304; }

}  // namespace

Refusal Framing::note(const Field& field) noexcept {
    switch (field.id) {
        case FieldId::content_length: return note_length(field.value);
        case FieldId::connection: return note_connection(field.value);
        case FieldId::transfer_encoding:
            ++transfer_codings_;
            transfer_coding_ = field.value;
            return {};
        default: return {};
    }
}

/// RFC 9112 §6.3(5). It may collapse identical values; nobody who means well sends them.
Refusal Framing::note_length(std::string_view value) noexcept {
    if (has_length_) return {"more than one Content-Length"};
    has_length_ = true;
    if (value.empty() || !grammar::all(value, grammar::digit)) return {"Content-Length is not a number"};
    for (const char c : value) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (length_ > (content_length_max - digit) / 10) return {"Content-Length is too large"};
        length_ = length_ * 10 + digit;
    }
    return {};
}

Refusal Framing::note_connection(std::string_view value) noexcept {
    const bool tokens = for_each_element(value, [this](std::string_view option) {
        ++connection_options_;
        if (iequals(option, "close"))
            close_named_ = true;
        else if (iequals(option, "keep-alive"))
            keep_alive_named_ = true;
        else if (iequals(option, "upgrade"))
            upgrade_named_ = true;
        else if (const FieldId id = field_id(option); id != FieldId::unknown)
            end_to_end_named_ |= !is_hop_by_hop(id) || id == FieldId::transfer_encoding;
        else
            others_named_ = true;
        return is_token(option);
    });
    if (!tokens) return {"Connection holds something that is not a token"};
    if (connection_options_ > connection_options_max) return {"Connection names too much"};
    return {};
}

Refusal Framing::check_transfer_coding(std::uint8_t minor) const noexcept {
    if (transfer_codings_ == 0) return {};
    if (minor == 0) return {"Transfer-Encoding in HTTP/1.0"};
    if (has_length_) return {"both Transfer-Encoding and Content-Length"};
    if (transfer_codings_ > 1) return {"more than one Transfer-Encoding"};
    if (iequals(transfer_coding_, "chunked")) return {};
    if (!is_token(transfer_coding_)) return {"Transfer-Encoding is not chunked"};
    return {"unknown transfer coding", Fault::not_implemented};
}

/// RFC 9112 §9.3.
bool Framing::keeps_alive(std::uint8_t minor) const noexcept {
    return !close_named_ && (minor > 0 || keep_alive_named_);
}

Refusal RequestFraming::note(const Field& field) noexcept {
    switch (field.id) {
        case FieldId::host:
            if (has_host_) return {"more than one Host"};
            has_host_ = true;
            host_ = field.value;
            return {};
        case FieldId::expect: return note_expect(field.value);
        case FieldId::upgrade: has_upgrade_ |= !field.value.empty(); return {};
        case FieldId::unknown:
            if (resembles_framing(field.name)) return {"a field name that some take for a framing field"};
            return {};
        default: return Framing::note(field);
    }
}

/// RFC 9110 §10.1.1: a list, of which one member is known.
Refusal RequestFraming::note_expect(std::string_view value) noexcept {
    const bool known = for_each_element(value, [this](std::string_view expectation) {
        expects_continue_ = true;
        return iequals(expectation, "100-continue");
    });
    if (!known) return {"an expectation other than 100-continue", Fault::expectation_failed};
    return {};
}

Refusal RequestFraming::conclude(RequestHead& out) const noexcept {
    if (const auto refusal = check_transfer_coding(out.minor)) return refusal;
    // RFC 9110 §7.6.1 forbids it, and who removes the field as told changes what the request says.
    if (end_to_end_named()) return {"Connection names a field that is not for one connection only"};
    if (const auto refusal = conclude_host(out)) return refusal;
    out.body = chunked() ? BodyKind::chunked : has_length() ? BodyKind::length : BodyKind::none;
    out.content_length = length();
    out.keep_alive = keeps_alive(out.minor);
    out.wants_upgrade = out.minor > 0 && upgrade_named() && has_upgrade_;         // RFC 9110 §7.8
    out.expects_continue = out.minor > 0 && expects_continue_ && out.has_body();  // RFC 9110 §10.1.1
    return {};
}

Refusal RequestFraming::conclude_host(RequestHead& out) const noexcept {
    if (!has_host_) {
        if (out.minor > 0) return {"no Host"};
        return {};
    }
    const auto host = parse_authority(host_);
    if (!host) return {"Host is not valid"};
    // RFC 9112 §3.2.2 would let the target win; who sends two different ones wants two readers to differ.
    if (!out.scheme.empty() && !same_authority(out.scheme, out.authority, *host))
        return {"Host differs from the authority of the request target"};
    if (out.authority.empty()) out.authority = *host;
    return {};
}

Refusal ResponseFraming::conclude(Method request_method, ResponseHead& out) const noexcept {
    if (const auto refusal = check_transfer_coding(out.minor)) return refusal;
    // RFC 9110 §8.6, RFC 9112 §6.1: such framing would be followed by content that nobody must read.
    if ((out.status < 200 || out.status == 204) && (chunked() || length() > 0))
        return {"content announced where there is none"};
    out.content_length = length();
    out.keep_alive = keeps_alive(out.minor);
    if (request_method == Method::head || never_has_content(out.status))
        out.body = BodyKind::none;
    else if (chunked())
        out.body = BodyKind::chunked;
    else if (has_length())
        out.body = BodyKind::length;
    else
        out.body = BodyKind::until_close;
    if (out.body == BodyKind::until_close) out.keep_alive = false;
    return {};
}

}  // namespace etage::http
