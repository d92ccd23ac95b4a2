#include "gateway/guard.hpp"

#include "base/hash.hpp"

#include <asio/ip/address.hpp>

#include <array>

namespace etage::gateway {
namespace {

using http::FieldId;

/// The host of "host:port", without brackets.
std::string_view host_of(std::string_view authority) {
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        return end == std::string_view::npos ? std::string_view{} : authority.substr(1, end - 1);
    }
    return authority.substr(0, authority.rfind(':'));
}

/// RFC 6750 §2.1; the scheme is case-insensitive (RFC 9110 §11.1).
std::optional<std::string_view> bearer_token(const http::RequestHead& request) {
    static constexpr std::string_view scheme = "Bearer ";
    const auto value = http::find(request.fields, FieldId::authorization);
    if (!value || value->size() < scheme.size() || !http::iequals(value->substr(0, scheme.size()), scheme))
        return std::nullopt;
    const auto start = value->find_first_not_of(' ', scheme.size());
    return start == std::string_view::npos ? std::nullopt : std::optional(value->substr(start));
}

bool same_origin(std::string_view origin, std::string_view authority) {
    const auto scheme = origin.find("://");
    return scheme != std::string_view::npos && http::iequals(origin.substr(scheme + 3), authority);
}

/// Fetch Metadata, "Sec-Fetch-Site": what the browser says of the page that made it send this. A link that leads here
/// may stand anywhere.
bool is_from_another_page(const http::RequestHead& request) {
    const auto site = http::find(request.fields, "sec-fetch-site");
    return site && *site != "same-origin" && *site != "none" && !http::is_safe(request.method);
}

}  // namespace

Guard::Guard(std::string token, http::ListenAddress listen)
    : token_(std::move(token)), listen_host_(std::move(listen.host)) {}

std::optional<Refusal> Guard::check(const http::RequestHead& request) const {
    const auto origin = http::find(request.fields, "origin");
    if ((origin && !same_origin(*origin, request.authority)) || is_from_another_page(request))
        return Refusal{403, "pages of other origins may not use the administration"};
    if (!token_.empty()) {
        const auto given = bearer_token(request);
        if (given && equal_secrets(*given, token_)) return std::nullopt;
        return Refusal{401, "this needs the admin token, as `Authorization: Bearer TOKEN`"};
    }
    if (host_allowed(request.authority)) return std::nullopt;
    return Refusal{403, "without an admin token only localhost and the listen address are accepted as Host"};
}

bool Guard::host_allowed(std::string_view authority) const {
    const std::string_view host = host_of(authority);
    if (http::iequals(host, "localhost")) return true;
    asio::error_code failed;
    const auto address = asio::ip::make_address(std::string(host), failed);
    if (failed) return false;
    return address.is_loopback() || address == asio::ip::make_address(listen_host_, failed);
}

bool equal_secrets(std::string_view a, std::string_view b) noexcept {
    std::array<unsigned char, 32> hash_a;
    std::array<unsigned char, 32> hash_b;
    base::sha256(a, hash_a.data());
    base::sha256(b, hash_b.data());
    unsigned difference = 0;
    for (std::size_t i = 0; i < hash_a.size(); ++i) difference |= static_cast<unsigned>(hash_a[i] ^ hash_b[i]);
    return difference == 0;
}

}  // namespace etage::gateway
