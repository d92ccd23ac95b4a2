#pragma once
// The parts of a URI that a cache key needs (RFC 3986 §6.2.2, RFC 9110 §4.2.3).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etage::http {

/// The byte that the %-escape at the beginning of `text` stands for; -1 when it is none. Precondition: it begins with
/// '%'.
int escaped_byte(std::string_view text) noexcept;

/// Whether it is an IPv6 address as RFC 4291 §2.2 writes it: without brackets, without a zone.
bool is_ipv6(std::string_view text) noexcept;

/// Appends `path` normalised: %-escapes of unreserved characters decoded, other escapes in upper case, dot segments
/// resolved, "" is "/", "*" stays. Returns false (and appends nothing) when the path leaves the root, does not begin
/// there, holds a bad escape, an escaped NUL, a byte no target may hold, or a dot segment behind or before an encoded
/// slash or a backslash ("..%2Fadmin"): such a request is refused or passed through uncached, never guessed.
bool append_normalised_path(std::string& out, std::string_view path);

/// Percent-decodes a query or path component; '+' is a space when `plus_is_space`. Nothing on a bad escape.
std::optional<std::string> percent_decode(std::string_view, bool plus_is_space);

/// Percent-encodes everything but unreserved characters.
std::string percent_encode(std::string_view);

/// Calls each(name, value, has_equals) for every parameter of a raw query, undecoded, in order.
template <class F>
void for_each_parameter(std::string_view query, F&& each) {
    while (!query.empty()) {
        const auto amp = query.find('&');
        const auto part = query.substr(0, amp);
        if (!part.empty()) {
            const auto eq = part.find('=');
            if (eq == std::string_view::npos)
                each(part, std::string_view{}, false);
            else
                each(part.substr(0, eq), part.substr(eq + 1), true);
        }
        if (amp == std::string_view::npos) return;
        query.remove_prefix(amp + 1);
    }
}

/// A parsed "http://host:port" (https when TLS comes). Path, query and fragment are refused except a single "/".
struct Endpoint {
    std::string scheme;
    std::string host;               // without brackets
    std::string port;               // digits; the scheme's default when absent
    std::string authority() const;  // "host:port", IPv6 in brackets, default port left out
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};
/// `why` says what is wrong, for people.
std::optional<Endpoint> parse_endpoint(std::string_view url, std::string& why);

/// "host:port", ":port", "[::1]:port": an address to listen on. The host part must be a numeric address or empty (any).
struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;
    std::string text() const;
    friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};
std::optional<ListenAddress> parse_listen_address(std::string_view, std::string& why);

}  // namespace etage::http
