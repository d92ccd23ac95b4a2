#pragma once
// Problem details (RFC 9457): what a refusal says to programs. Written by hand, so that this floor needs no JSON
// library.

#include <string>
#include <string_view>

namespace etage::http {

inline constexpr std::string_view problem_media_type = "application/problem+json";

/// One problem document. `type_suffix` names a kind of problem that clients may act upon ("rate-limited" becomes
/// "urn:etage:problem:rate-limited"); with a colon in it, it is taken as a whole URI; empty means "about:blank"
/// (RFC 9457 §4.2.1). An empty `title` becomes the reason phrase of `status`; an empty `detail` is left out.
/// `extension` holds further members as JSON (RFC 9457 §3.2), or nothing.
std::string problem_json(int status, std::string_view type_suffix, std::string_view title, std::string_view detail,
                         std::string_view extension = {});

/// Appends `text` as a JSON string, quotes included (RFC 8259 §7). Bytes that are not UTF-8 become U+FFFD, because
/// details quote what clients sent.
void append_json_string(std::string& out, std::string_view text);

}  // namespace etage::http
