#pragma once
// URI references in responses (RFC 3986 §4, §5): what Location and Content-Location point at.

#include <string>
#include <string_view>

namespace etage::policy {

/// An absolute http or https URI in parts, without fragment.
struct TargetUri {
    std::string scheme;
    std::string authority;
    std::string path;  // as composed: dot segments and escapes are still in it
    std::string query;
    bool has_query = false;
};

/// RFC 3986 §5.2.2: `reference` as seen from `base`.
TargetUri resolve(const TargetUri& base, std::string_view reference);

/// Host and port in lower case, without the scheme's default port (RFC 9110 §4.2.3).
std::string normalised_authority(std::string_view scheme, std::string_view authority);

/// RFC 9110 §4.3.1: scheme, host and port are the same.
bool same_origin(const TargetUri&, const TargetUri&);

}  // namespace etage::policy
