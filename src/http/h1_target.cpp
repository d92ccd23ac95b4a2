#include "http/h1_target.hpp"

#include "http/grammar.hpp"
#include "http/uri.hpp"

#include <algorithm>

namespace etage::http {
namespace {

using grammar::all;
using grammar::is;

void split_path(std::string_view text, RequestHead& out) noexcept {
    const auto mark = text.find('?');
    out.path = text.substr(0, mark);
    out.has_query = mark != std::string_view::npos;
    if (out.has_query) out.query = text.substr(mark + 1);
}

/// RFC 9112 §3.2.2: scheme "://" authority path-abempty [ "?" query ].
Refusal parse_absolute_form(RequestHead& out) noexcept {
    const auto colon = out.target.find("://");
    if (colon == std::string_view::npos) return {"the request target has none of the four forms"};
    out.scheme = out.target.substr(0, colon);
    if (!iequals(out.scheme, "http") && !iequals(out.scheme, "https"))
        return {"the scheme of the request target is neither http nor https"};
    const auto rest = out.target.substr(colon + 3);
    const auto slash = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = parse_authority(rest.substr(0, slash));
    if (!authority) return {"the authority of the request target is not valid"};
    out.authority = *authority;
    split_path(rest.substr(slash), out);
    if (out.path.empty())  // §3.2.4: OPTIONS without path and query is about the server
        out.path = out.method == Method::options && !out.has_query ? "*" : "/";
    return {};
}

/// RFC 9112 §3.2.3. Etage is no forward proxy: a CONNECT that is well-formed is not implemented.
Refusal refuse_connect(std::string_view target) noexcept {
    const auto authority = parse_authority(target);
    const bool has_port = authority && authority->size() == target.size() && is(target.back(), grammar::digit) &&
                          target.find(':', target.find_last_of(']') + 1) != std::string_view::npos;
    if (!has_port) return {"CONNECT needs host:port as its target"};
    return {"CONNECT is not implemented", Fault::not_implemented};
}

bool is_port(std::string_view text) noexcept {
    constexpr unsigned port_max = 65535;
    unsigned port = 0;
    for (const char c : text) {
        if (!is(c, grammar::digit)) return false;
        port = port * 10 + static_cast<unsigned>(c - '0');
        if (port > port_max) return false;
    }
    return true;
}

/// RFC 3986 §3.2.2. Stricter: no comma (a list separator elsewhere) and no empty label but a last one, since some would
/// take a host for a path.
bool is_reg_name(std::string_view text) noexcept {
    if (text.empty() || text.front() == '.') return false;
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); (p = grammar::skip(p, end, grammar::reg_name)) != end; p += 3)
        if (*p != '%' || end - p < 3 || !is(p[1], grammar::hex_digit) || !is(p[2], grammar::hex_digit)) return false;
    return text.find("..") == std::string_view::npos;
}

/// Empty when its bracket was not closed.
bool is_host(std::string_view text) noexcept {
    return text.starts_with('[') ? is_ipv6(text.substr(1, text.size() - 2)) : is_reg_name(text);
}

std::string_view without_default_port(std::string_view scheme, std::string_view authority) noexcept {
    const std::string_view port = iequals(scheme, "https") ? ":443" : ":80";
    return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

}  // namespace

Refusal parse_target(RequestHead& out) noexcept {
    if (out.method == Method::connect) return refuse_connect(out.target);
    if (out.target.front() == '/') {
        split_path(out.target, out);
        return {};
    }
    if (out.target != "*") return parse_absolute_form(out);
    if (out.method != Method::options) return {"only OPTIONS may ask for *"};  // RFC 9112 §3.2.4
    out.path = out.target;
    return {};
}

std::optional<std::string_view> parse_authority(std::string_view text) noexcept {
    const auto host_end = text.starts_with('[') ? text.find(']') + 1 : std::min(text.find(':'), text.size());
    if (!is_host(text.substr(0, host_end))) return std::nullopt;
    const auto port = text.substr(host_end);
    if (port.empty()) return text;
    if (port.front() != ':' || !is_port(port.substr(1))) return std::nullopt;
    return port.size() == 1 ? text.substr(0, host_end) : text;
}

bool same_authority(std::string_view scheme, std::string_view a, std::string_view b) noexcept {
    return iequals(without_default_port(scheme, a), without_default_port(scheme, b));
}

}  // namespace etage::http
