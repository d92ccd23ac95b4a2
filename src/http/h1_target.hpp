#pragma once
// The request target (RFC 9112 §3.2) and the authority in it or in Host (RFC 9110 §4.2, §7.2).

#include "http/h1_refusal.hpp"
#include "http/message.hpp"

#include <optional>
#include <string_view>

namespace etage::http {

/// Takes `out.target` apart after the form that `out.method` allows, into scheme, authority, path and query.
/// Precondition: it holds visible ASCII without '#' only (parse_request_line sees to that). CONNECT is understood and
/// refused with 501.
Refusal parse_target(RequestHead& out) noexcept;

/// host[:port] as it may stand in Host or in an absolute target: no userinfo, not empty, an IPv6 address that is one, a
/// port up to 65535. Returns it without the colon of an empty port; nothing when it is not valid.
std::optional<std::string_view> parse_authority(std::string_view text) noexcept;

/// The same host and port, the scheme's default port written out or not. Both are results of parse_authority.
bool same_authority(std::string_view scheme, std::string_view a, std::string_view b) noexcept;

}  // namespace etage::http
