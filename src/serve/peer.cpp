#include "serve/peer.hpp"

#include "http/token.hpp"

#include <algorithm>
#include <utility>

namespace etage::serve {

asio::ip::address unmapped(const asio::ip::address& address) noexcept {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return address;
}

bool is_trusted(std::span<const net::Network> trusted, const asio::ip::address& address) noexcept {
    return std::ranges::any_of(trusted, [&](const net::Network& network) { return network.contains(address); });
}

namespace {

/// Of "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" and "[2001:db8::1]:80" the address (RFC 7239 §6).
std::string_view without_port(std::string_view node) noexcept {
    const auto colon = node.rfind(':');
    if (node.starts_with('[')) {
        const auto end = node.find(']');
        const bool ends = end != std::string_view::npos && (end + 1 == node.size() || node[end + 1] == ':');
        return ends ? node.substr(1, end - 1) : std::string_view();
    }
    return colon != std::string_view::npos && node.find(':') == colon ? node.substr(0, colon) : node;
}

/// What all hops, the farthest first, say of who the client is.
class Hops {
public:
    Hops(std::span<const net::Network> trusted, std::string_view peer) : trusted_(trusted), peer_(peer) {}

    void pass(std::string_view node) {
        const std::string_view text = without_port(node);
        asio::error_code error;
        const auto address = asio::ip::make_address(std::string(text), error);
        if (error)
            client_ = {};
        else if (client_.empty() || !is_trusted(trusted_, unmapped(address)))
            client_ = text;
    }
    std::string_view client() const noexcept { return client_.empty() ? peer_ : client_; }

private:
    std::span<const net::Network> trusted_;
    std::string_view peer_;
    std::string_view client_;
};

void pass_list(Hops& hops, std::string_view list) {
    for (;;) {
        const auto comma = list.find(',');
        hops.pass(http::trim(list.substr(0, comma)));
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

/// RFC 7239 §4: elements, divided by commas, of pairs, divided by semicolons; a value may be in quotes. A quote that
/// does not end may have swallowed what a proxy has appended, so that nothing of the line is believed.
void pass_elements(Hops& hops, std::string_view list) {
    std::string_view node;
    std::size_t begin = 0;  // of the pair
    bool quoted = false;
    for (std::size_t at = 0; at <= list.size(); ++at) {
        if (at == list.size() && quoted) return hops.pass({});
        const char c = at < list.size() ? list[at] : ',';
        if (quoted) {
            if (c == '\\') ++at;
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        if (c != ';' && c != ',') continue;
        const auto pair = http::trim(list.substr(begin, at - begin));
        if (http::iequals(pair.substr(0, 4), "for=")) {
            node = pair.substr(4);
            if (node.size() >= 2 && node.front() == '"' && node.back() == '"') node = node.substr(1, node.size() - 2);
        }
        begin = at + 1;
        if (c == ',') hops.pass(std::exchange(node, {}));
    }
    if (quoted) hops.pass({});  // and a backslash was the last
}

}  // namespace

std::string_view client_behind(std::span<const net::Network> trusted, http::FieldSpan fields, std::string_view peer,
                               http::FieldId field) {
    Hops hops(trusted, peer);
    for (const auto& line : fields)
        if (line.id == field)
            field == http::FieldId::forwarded ? pass_elements(hops, line.value) : pass_list(hops, line.value);
    return hops.client();
}

}  // namespace etage::serve
