#include "policy/reference.hpp"

#include "http/message.hpp"

#include <algorithm>

namespace etage::policy {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return out;
}

/// "http" of "http:…"; empty when the reference is relative (RFC 3986 §4.1, §3.1).
std::string_view scheme_of(std::string_view reference) noexcept {
    const auto colon = reference.find_first_of(":/?#");
    if (colon == std::string_view::npos || reference[colon] != ':') return {};
    return reference.substr(0, colon);
}

void set_path_and_query(TargetUri& out, std::string_view text) {
    const auto mark = text.find('?');
    out.path = text.substr(0, mark);
    out.has_query = mark != std::string_view::npos;
    out.query = out.has_query ? text.substr(mark + 1) : std::string_view{};
}

/// RFC 3986 §5.2.3: a relative path replaces what follows the last slash.
std::string merged(std::string_view base, std::string_view relative) {
    std::string out(base.substr(0, base.rfind('/') + 1));
    if (out.empty()) out = "/";
    return out += relative;
}

}  // namespace

TargetUri resolve(const TargetUri& base, std::string_view reference) {
    reference = reference.substr(0, reference.find('#'));
    TargetUri out = base;
    if (reference.empty()) return out;
    if (const auto scheme = scheme_of(reference); !scheme.empty()) {
        out.scheme = lower(scheme);
        reference.remove_prefix(scheme.size() + 1);
        if (!reference.starts_with("//")) return {out.scheme, {}, {}, {}, false};  // "mailto:…": no origin like ours
    }
    if (reference.starts_with("//")) {
        reference.remove_prefix(2);
        const auto end = std::min(reference.find_first_of("/?"), reference.size());
        out.authority = reference.substr(0, end);
        set_path_and_query(out, reference.substr(end));
        if (out.path.empty()) out.path = "/";
        return out;
    }
    set_path_and_query(out, reference);
    if (out.path.empty())
        out.path = base.path;
    else if (!out.path.starts_with('/'))
        out.path = merged(base.path, out.path);
    return out;
}

std::string normalised_authority(std::string_view scheme, std::string_view authority) {
    std::string_view port = http::iequals(scheme, "https") ? ":443" : ":80";
    if (authority.ends_with(port))
        authority.remove_suffix(port.size());
    else if (authority.ends_with(':'))
        authority.remove_suffix(1);
    return lower(authority);
}

bool same_origin(const TargetUri& a, const TargetUri& b) {
    return http::iequals(a.scheme, b.scheme) &&
           normalised_authority(a.scheme, a.authority) == normalised_authority(b.scheme, b.authority);
}

}  // namespace etage::policy
