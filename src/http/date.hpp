#pragma once
// HTTP dates (RFC 9110 §5.6.7), without locale and without allocation.

#include <etage/time.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace etage::http {

/// IMF-fixdate, RFC 850 and asctime forms, names compared without case (RFC 9111 §4.2 asks caches to). Two-digit years
/// more than 50 years ahead of `now` are in the past (RFC 9110 §5.6.7). A weekday must be one, but need not be the
/// right one; 23:59:60 is the second after 23:59:59. Anything else: nothing.
std::optional<WallTime> parse_date(std::string_view text, WallTime now) noexcept;

/// Writes IMF-fixdate, 29 characters, into `out`; returns the view of them. Years outside 1..9999 are clamped.
std::string_view format_date(std::array<char, 29>& out, WallTime when) noexcept;

}  // namespace etage::http
