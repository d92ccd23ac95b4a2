#pragma once
// Cache-Control (RFC 9111 §5.2, RFC 5861, RFC 8246) parsed into values. Directive names are compared without case;
// unknown directives are ignored; delta-seconds above 2^31 are 2^31; both the token and the quoted form of arguments
// are taken. Conflicting or repeated directives: the most restrictive wins (RFC 9111 §4.2.1). No allocation.
//
// What is malformed errs on the safe side: a directive that restricts counts even with an argument it should not have,
// one that permits (public, immutable, must-understand, max-stale) does not; a list of field names that is not one is
// no list, so the directive is meant for the whole response; and quotes that do not pair may hide any directive, so a
// response that has them is not stored.

#include "http/message.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace etage::http {

/// delta-seconds (RFC 9111 §1.2.2). In a response a value that is not 1*DIGIT is 0: nothing may be concluded from it
/// that makes the response last longer (RFC 9111 §4.2.1: consider it stale). In a request such a directive is ignored.
using Seconds = std::int64_t;

struct RequestCacheControl {
    bool no_cache = false;
    bool no_store = false;
    bool no_transform = false;
    bool only_if_cached = false;
    std::optional<Seconds> max_age;
    std::optional<Seconds> min_fresh;
    bool any_stale = false;  // max-stale without a value
    std::optional<Seconds> max_stale;
    std::optional<Seconds> stale_if_error;
};

struct ResponseCacheControl {
    bool present = false;   // the field was there at all
    bool no_cache = false;  // without field names
    bool no_store = false;
    bool no_transform = false;
    bool is_private = false;  // without field names
    bool is_public = false;
    bool must_revalidate = false;
    bool proxy_revalidate = false;
    bool must_understand = false;
    bool immutable = false;
    std::string_view no_cache_fields;  // the list of no-cache="…", checked to be field names; borrows
    std::string_view private_fields;
    std::optional<Seconds> max_age;
    std::optional<Seconds> s_maxage;
    std::optional<Seconds> stale_while_revalidate;
    std::optional<Seconds> stale_if_error;
};

/// Request directives; with no Cache-Control at all, `Pragma: no-cache` counts as no-cache (RFC 9111 §5.4).
RequestCacheControl parse_request_cache_control(FieldSpan) noexcept;

/// Response directives of the field `id` (Cache-Control by default; a targeted field is parsed elsewhere).
ResponseCacheControl parse_response_cache_control(FieldSpan, FieldId id = FieldId::cache_control) noexcept;

/// 1*DIGIT, clamped at 2^31; nothing for anything else.
std::optional<Seconds> parse_delta_seconds(std::string_view) noexcept;

/// Age (RFC 9111 §5.1): the first element of the first line, clamped at 2^31; negative or malformed: nothing.
std::optional<Seconds> parse_age(FieldSpan) noexcept;

}  // namespace etage::http
