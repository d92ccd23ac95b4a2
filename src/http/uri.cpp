#include "http/uri.hpp"

#include "http/grammar.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace etage::http {
namespace {

constexpr std::string_view upper_hex = "0123456789ABCDEF";
constexpr std::size_t host_bytes_max = 253;  // RFC 1035 §2.3.4, as text

bool is_alnum(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// RFC 3986 §2.3.
bool is_unreserved(char c) noexcept { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void append_escape(std::string& out, unsigned char byte) {
    out += '%';
    out += upper_hex[byte >> 4];
    out += upper_hex[byte & 0x0F];
}

/// Appends one segment with its escapes normalised (RFC 3986 §6.2.2.1, §6.2.2.2).
bool append_segment(std::string& out, std::string_view segment) {
    for (std::size_t i = 0; i < segment.size(); ++i) {
        const char c = segment[i];
        if (c != '%') {
            if (!grammar::is(c, grammar::path_char)) return false;
            out += c;
            continue;
        }
        const int byte = escaped_byte(segment.substr(i));
        if (byte <= 0) return false;
        if (is_unreserved(static_cast<char>(byte)))
            out += static_cast<char>(byte);
        else
            append_escape(out, static_cast<unsigned char>(byte));
        i += 2;
    }
    return true;
}

bool is_dots(std::string_view text) noexcept { return text == "." || text == ".."; }

/// Whether somebody who takes an escaped slash or a backslash for a separator would find a dot segment here:
/// "..%2Fadmin". `segment` is normalised.
bool hides_dots(std::string_view segment) noexcept {
    bool separated = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        const std::string_view rest = segment.substr(i);
        const bool escaped = rest.starts_with("%2F") || rest.starts_with("%5C");
        if (!escaped && rest[0] != '\\') continue;
        if (is_dots(segment.substr(begin, i - begin))) return true;
        separated = true;
        if (escaped) i += 2;
        begin = i + 1;
    }
    return separated && is_dots(segment.substr(begin));
}

/// RFC 3986 §5.2.4, but a path that would leave the root is refused. `out` holds the path from `root` on.
bool append_segments(std::string& out, std::size_t root, std::string_view path) {
    if (path.front() != '/') return false;
    while (!path.empty()) {
        path.remove_prefix(1);
        const auto length = path.find('/');
        const bool last = length == std::string_view::npos;
        out += '/';
        const std::size_t begin = out.size();
        if (!append_segment(out, path.substr(0, length))) return false;
        const std::string_view segment = std::string_view(out).substr(begin);
        if (hides_dots(segment)) return false;
        if (is_dots(segment)) {
            const bool up = segment == "..";
            out.resize(begin - 1);
            if (up && out.size() == root) return false;
            if (up) out.resize(out.rfind('/'));
            if (last) out += '/';
        }
        path.remove_prefix(last ? path.size() : length);
    }
    return true;
}

bool parse_port(std::string_view text, std::uint16_t& port) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && text.size() <= 5;
}

struct HostPort {
    std::string host;  // without brackets
    bool bracketed = false;
    bool has_port = false;
    std::string_view port;
};

/// Takes "host", "host:port", "[host]" and "[host]:port" apart, checking nothing but the shape.
std::optional<HostPort> split_host_port(std::string_view text, std::string& why) {
    HostPort out;
    std::string_view rest = text;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return why = "the bracket '[' is not closed", std::nullopt;
        out.bracketed = true;
        out.host = text.substr(1, close - 1);
        rest = text.substr(close + 1);
    } else {
        const auto colon = text.find(':');
        if (colon != text.rfind(':')) return why = "an IPv6 address stands in brackets: [::1]:8080", std::nullopt;
        out.host = text.substr(0, colon);
        rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    }
    if (rest.empty()) return out;
    if (rest.front() != ':') return why = "after ']' comes ':' and a port", std::nullopt;
    out.has_port = true;
    out.port = rest.substr(1);
    return out;
}

/// inet_pton reads up to the first NUL, and would not see what comes behind.
template <class Address>
bool is_address(int family, std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return false;
    std::ranges::copy(text, terminated.begin());
    Address address;
    return ::inet_pton(family, terminated.data(), &address) == 1;
}

bool is_ipv4(std::string_view text) noexcept { return is_address<in_addr>(AF_INET, text); }

bool is_host_name(std::string_view host) noexcept {
    for (const char c : host)
        if (!is_alnum(c) && c != '-' && c != '.' && c != '_') return false;
    return !host.empty() && host.size() <= host_bytes_max && host.front() != '.';
}

std::string_view default_port(std::string_view scheme) noexcept { return scheme == "https" ? "443" : "80"; }

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = grammar::lowered(c);
    return out;
}

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : '[' + host + ']'; }

bool check_host(const HostPort& parts, std::string& why) {
    if (parts.host.empty()) return why = "the host is missing", false;
    if (parts.bracketed && !is_ipv6(parts.host)) return why = '"' + parts.host + "\" is not an IPv6 address", false;
    if (!parts.bracketed && !is_host_name(parts.host)) return why = '"' + parts.host + "\" is not a host name", false;
    return true;
}

}  // namespace

bool is_ipv6(std::string_view text) noexcept { return is_address<in6_addr>(AF_INET6, text); }

int escaped_byte(std::string_view text) noexcept {
    if (text.size() < 3) return -1;
    const int high = hex_value(text[1]);
    const int low = hex_value(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool append_normalised_path(std::string& out, std::string_view path) {
    if (path.empty()) path = "/";  // RFC 9110 §4.2.3
    if (path == "*") return out += '*', true;
    const std::size_t root = out.size();
    if (append_segments(out, root, path)) return true;
    out.resize(root);
    return false;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' && plus_is_space ? ' ' : text[i];
            continue;
        }
        const int byte = escaped_byte(text.substr(i));
        if (byte < 0) return std::nullopt;
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c))
            out += c;
        else
            append_escape(out, static_cast<unsigned char>(c));
    }
    return out;
}

std::string Endpoint::authority() const {
    return port == default_port(scheme) ? bracketed(host) : bracketed(host) + ':' + port;
}

std::optional<Endpoint> parse_endpoint(std::string_view url, std::string& why) {
    const auto colon = url.find("://");
    if (colon == std::string_view::npos) return why = "a URL is expected: http://host:port", std::nullopt;
    Endpoint out;
    out.scheme = lower(url.substr(0, colon));
    if (out.scheme != "http" && out.scheme != "https")
        return why = "the scheme is http or https, not \"" + out.scheme + '"', std::nullopt;
    std::string_view rest = url.substr(colon + 3);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.find_first_of("/?#") != std::string_view::npos)
        return why = "a path, query or fragment has no place here: http://host:port", std::nullopt;
    if (rest.find('@') != std::string_view::npos) return why = "user names have no place here", std::nullopt;
    const auto parts = split_host_port(rest, why);
    if (!parts || !check_host(*parts, why)) return std::nullopt;
    std::uint16_t port = 0;
    if (parts->has_port && (!parse_port(parts->port, port) || port == 0))
        return why = "the port is a number from 1 to 65535", std::nullopt;
    out.host = lower(parts->host);
    out.port = parts->has_port ? std::to_string(port) : std::string(default_port(out.scheme));
    return out;
}

std::string ListenAddress::text() const { return bracketed(host) + ':' + std::to_string(port); }

std::optional<ListenAddress> parse_listen_address(std::string_view text, std::string& why) {
    auto parts = split_host_port(text, why);
    if (!parts) return std::nullopt;
    if (!parts->has_port) return why = "the port is missing: 127.0.0.1:8080, [::1]:8080 or :8080", std::nullopt;
    const bool numeric = parts->bracketed ? is_ipv6(parts->host) : parts->host.empty() || is_ipv4(parts->host);
    if (!numeric) return why = "the address to listen on is numeric or empty, not \"" + parts->host + '"', std::nullopt;
    ListenAddress out;
    if (!parse_port(parts->port, out.port)) return why = "the port is a number from 0 to 65535", std::nullopt;
    out.host = std::move(parts->host);
    return out;
}

}  // namespace etage::http
