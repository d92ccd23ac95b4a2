#include "redis/options.hpp"

#include "base/nearest.hpp"
#include "http/uri.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace etage::redis {

namespace {

// Nothing of what stands between "://" and a host is ever repeated in a message: a misplaced '/' or a missing '@' makes
// a part of a password look like a host, a port or a path.

constexpr std::array<std::string_view, 7> schemes = {
    "redis", "rediss", "unix", "redis+sentinel", "redis+cluster", "rediss+sentinel", "rediss+cluster"};
constexpr std::uint16_t sentinel_port = 26379;
constexpr std::uint32_t database_max = 1'000'000;  // far beyond what any server has; a longer number is a mistake

using Failure = std::unexpected<std::string>;
template <class T>
using Parsed = std::expected<T, std::string>;

template <class Number>
std::optional<Number> number(std::string_view text, Number max) {
    Number value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
    return value;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

/// "host", "host:port", "[::1]:port".
Parsed<Address> parse_address(std::string_view text, std::uint16_t default_port) {
    Address address{.host = {}, .port = default_port};
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        const auto inside = text.substr(1, end == text.npos ? end : end - 1);
        const bool hexadecimal = inside.find_first_not_of("0123456789abcdefABCDEF:.") == inside.npos;
        if (end == text.npos || inside.find(':') == inside.npos || !hexadecimal)
            return Failure("an IPv6 address is written like [::1]");
        address.host = inside;
        text.remove_prefix(end + 1);
        if (!text.empty() && text.front() != ':') return Failure("behind ] comes the port, like [::1]:6379");
        has_port = !text.empty();
        port = has_port ? text.substr(1) : text;
    } else {
        const auto colon = text.find(':');
        if (colon != text.npos && text.find(':', colon + 1) != text.npos)
            return Failure(
                "more than one ':' in an address; a password is written user:password@host, an IPv6 address in "
                "brackets");
        address.host = text.substr(0, colon);
        has_port = colon != text.npos;
        if (has_port) port = text.substr(colon + 1);
        if (address.host.empty()) return Failure("an address has no host");
        if (!std::ranges::all_of(address.host, is_host_character))
            return Failure("a host has a character that no host has");
    }
    if (!has_port) return address;
    const auto value = number<std::uint16_t>(port, 65535);
    if (!value || *value == 0) return Failure("a port is no number between 1 and 65535");
    address.port = *value;
    return address;
}

Parsed<std::vector<Address>> parse_addresses(std::string_view list, std::uint16_t default_port) {
    std::vector<Address> addresses;
    for (;;) {
        const auto comma = list.find(',');
        auto address = parse_address(list.substr(0, comma), default_port);
        if (!address) return Failure(std::move(address.error()));
        if (std::ranges::find(addresses, *address) != addresses.end()) return Failure("an address is listed twice");
        addresses.push_back(std::move(*address));
        if (comma == list.npos) return addresses;
        list.remove_prefix(comma + 1);
    }
}

/// "user:password", ":password".
Parsed<void> parse_credentials(std::string_view text, Url& url) {
    const auto colon = text.find(':');
    if (colon == text.npos || colon + 1 == text.size())
        return Failure("a user without a password: write user:password@, or :password@ for the default user");
    const auto user = http::percent_decode(text.substr(0, colon), false);
    const auto password = http::percent_decode(text.substr(colon + 1), false);
    if (!user || !password) return Failure("user and password are percent-encoded, and a % is written %25");
    url.user = *user;
    url.password = *password;
    return {};
}

Parsed<void> parse_database(std::string_view text, Url& url) {
    if (text.empty()) return {};
    const auto database = number<std::uint32_t>(text, database_max);
    if (!database) return Failure("the database is no number, like redis://host:6379/0");
    url.database = *database;
    return {};
}

/// What stands behind the addresses: "/0", "/mymaster/0".
Parsed<void> parse_path(std::string_view path, Url& url) {
    if (!path.empty()) path.remove_prefix(1);
    switch (url.arrangement) {
        case Arrangement::standalone: return parse_database(path, url);
        case Arrangement::cluster:
            if (path.empty() || path == "0") return {};
            return Failure("a cluster has no databases but 0");
        case Arrangement::sentinel: break;
    }
    const auto slash = path.find('/');
    const auto name = http::percent_decode(path.substr(0, slash), false);
    if (!name || name->empty())
        return Failure(
            "the name that the Sentinels know the primary by is missing, like redis+sentinel://host:26379/mymaster");
    url.primary = *name;
    return slash == path.npos ? Parsed<void>{} : parse_database(path.substr(slash + 1), url);
}

/// Behind "unix://": "/path", "user:password@/path"; "?db=0".
Parsed<Url> parse_socket(std::string_view rest) {
    Url url;
    const auto query = rest.find('?');
    if (query != rest.npos) {
        const std::string_view parameter = rest.substr(query + 1);
        if (!parameter.starts_with("db="))
            return Failure("only db is known behind the ?, like unix:///run/redis.sock?db=0");
        const auto database = parse_database(parameter.substr(3), url);
        if (!database) return Failure(database.error());
        rest = rest.substr(0, query);
    }
    const auto slash = rest.find('/');
    if (slash == rest.npos) return Failure("a socket has an absolute path, like unix:///run/redis.sock");
    const std::string_view before = rest.substr(0, slash);
    if (!before.empty()) {
        if (!before.ends_with('@')) return Failure("unix: is followed by three slashes, like unix:///run/redis.sock");
        const auto credentials = parse_credentials(before.substr(0, before.size() - 1), url);
        if (!credentials) return Failure(credentials.error());
    }
    const auto path = http::percent_decode(rest.substr(slash), false);
    constexpr std::size_t path_bytes_max = 107;  // sockaddr_un
    if (!path || path->size() < 2 || path->size() > path_bytes_max || path->find('\0') != path->npos)
        return Failure("the path of the socket is no path of 2 to 107 bytes");
    url.socket_path = *path;
    return url;
}

Parsed<Url> parse_servers(std::string_view rest, Arrangement arrangement, bool tls) {
    Url url;
    url.arrangement = arrangement;
    url.tls = tls;
    const auto slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    const std::string_view path = slash == rest.npos ? std::string_view{} : rest.substr(slash);
    if (path.find('@') != path.npos || rest.find_first_of("#?") != rest.npos)
        return Failure(
            "there is something behind the address that does not belong there; in a password, / is written %2F, "
            "@ %40, # %23, ? %3F");
    if (const auto at = authority.rfind('@'); at != authority.npos) {
        const auto credentials = parse_credentials(authority.substr(0, at), url);
        if (!credentials) return Failure(credentials.error());
        authority.remove_prefix(at + 1);
    }
    if (authority.empty()) return Failure("there is no host");
    auto addresses = parse_addresses(authority, arrangement == Arrangement::sentinel ? sentinel_port : Address{}.port);
    if (!addresses) return Failure(std::move(addresses.error()));
    if (arrangement == Arrangement::standalone && addresses->size() > 1)
        return Failure("several addresses are for redis+sentinel:// or redis+cluster://");
    url.addresses = std::move(*addresses);
    const auto behind = parse_path(path, url);
    if (!behind) return Failure(behind.error());
    return url;
}

std::string unknown_scheme(std::string_view scheme) {
    std::string what = "\"" + std::string(scheme) + "://\" is no scheme of Redis";
    const auto near = base::nearest(scheme, schemes);
    if (!near.empty()) return what + "; did you mean " + std::string(near) + "://?";
    return what + "; there are redis://, rediss://, unix://, redis+sentinel:// and redis+cluster://";
}

bool is_scheme_text(std::string_view text) {
    return !text.empty() &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") == text.npos;
}

}  // namespace

std::expected<Url, std::string> parse_url(std::string_view text) {
    const auto mark = text.find("://");
    if (text.empty()) return Failure("it is empty; write redis://host:6379");
    if (mark == text.npos || !is_scheme_text(text.substr(0, mark)))
        return Failure("it has no scheme; write redis://host:6379");
    const std::string_view scheme = text.substr(0, mark);
    const std::string_view rest = text.substr(mark + 3);
    if (std::ranges::find(schemes, scheme) == schemes.end()) return Failure(unknown_scheme(scheme));
    if (scheme == "unix") return parse_socket(rest);
    const Arrangement arrangement = scheme.ends_with("+sentinel")  ? Arrangement::sentinel
                                    : scheme.ends_with("+cluster") ? Arrangement::cluster
                                                                   : Arrangement::standalone;
    return parse_servers(rest, arrangement, scheme.starts_with("rediss"));
}

std::string text_of(const Address& address) {
    const bool brackets = address.host.find(':') != std::string::npos;
    return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string Url::text() const {
    const std::string who = user.empty() ? "" : http::percent_encode(user) + "@";
    if (!socket_path.empty())
        return "unix://" + who + socket_path + (database > 0 ? "?db=" + std::to_string(database) : "");
    std::string out = tls ? "rediss" : "redis";
    if (arrangement == Arrangement::sentinel) out += "+sentinel";
    if (arrangement == Arrangement::cluster) out += "+cluster";
    out += "://" + who;
    for (const Address& address : addresses) out += (&address == &addresses.front() ? "" : ",") + text_of(address);
    if (arrangement == Arrangement::sentinel) out += "/" + http::percent_encode(primary);
    if (database > 0) out += "/" + std::to_string(database);
    return out;
}

}  // namespace etage::redis
