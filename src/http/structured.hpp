#pragma once
// Structured field values (RFC 9651): the parts in use. Parsing is strict: a field that does not parse is ignored whole.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::http {

/// sf-string: quoted, `"` and `\` escaped. Characters outside VCHAR/SP are replaced with '?'.
void append_sf_string(std::string& out, std::string_view text);

/// A List whose members are all Strings (parameters are skipped), as Cache-Groups and Cache-Group-Invalidation
/// (RFC 9875) have it. Nothing when the field is not such a list. Several lines are joined before the call.
std::optional<std::vector<std::string>> parse_sf_string_list(std::string_view text);

}  // namespace etage::http
