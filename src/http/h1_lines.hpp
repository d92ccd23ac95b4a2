#pragma once
// The lines of a head (RFC 9112 §3, §4, §5), one at a time, after the grammar and nothing else.

#include "http/h1_refusal.hpp"
#include "http/message.hpp"

#include <string_view>

namespace etage::http {

/// `line` is without its line end. Fills method, target with its parts, and minor.
Refusal parse_request_line(std::string_view line, RequestHead& out) noexcept;

/// Fills status, reason and minor.
Refusal parse_status_line(std::string_view line, ResponseHead& out) noexcept;

/// Reads the field line at `p`, line end included, and moves `p` behind it. All views borrow.
Refusal parse_field_line(const char*& p, const char* end, Field& out) noexcept;

}  // namespace etage::http
