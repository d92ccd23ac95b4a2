#include "serve/peer.hpp"

#include "http/token.hpp"

#include <algorithm>
#include <optional>
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

void Peer::learn(const net::ProxyHeader& header) {
    switch (header.source) {
        case net::ProxyHeader::Source::told: *this = Peer(header.address, trusted_); break;
        case net::ProxyHeader::Source::untold: is_trusted_ = false; break;
        case net::ProxyHeader::Source::itself: break;
    }
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

std::optional<asio::ip::address> address_of(std::string_view node) {
    asio::error_code error;
    const auto address = asio::ip::make_address(std::string(node), error);
    if (error) return std::nullopt;
    return unmapped(address);
}

/// X-Forwarded-For, from the nearest hop on.
std::string_view client_of_list(std::span<const net::Network> trusted, http::FieldSpan fields, std::string_view peer) {
    std::string_view client = peer;
    for (std::size_t i = fields.size(); i-- > 0;) {
        if (fields[i].id != http::FieldId::x_forwarded_for) continue;
        std::string_view rest = fields[i].value;
        for (;;) {
            const auto comma = rest.rfind(',');
            const auto hop = without_port(http::trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1)));
            const auto address = address_of(hop);
            if (!address) return client;
            client = hop;
            if (!is_trusted(trusted, *address)) return client;
            if (comma == std::string_view::npos) break;
            rest = rest.substr(0, comma);
        }
    }
    return client;
}

/// RFC 7239 §4: elements, divided by commas, of pairs, divided by semicolons; a value may be in quotes. So it is read
/// from the farthest hop on: each that is not trusted takes the place of those before it.
class Forwarded {
public:
    explicit Forwarded(std::span<const net::Network> trusted) : trusted_(trusted) {}

    void read(std::string_view line) {
        std::size_t begin = 0;  // of the pair
        bool quoted = false;
        for (std::size_t at = 0; at < line.size(); ++at) {
            const char c = line[at];
            if (quoted) {
                if (c == '\\') ++at;
                quoted = c != '"';
                continue;
            }
            quoted = c == '"';
            if (c != ';' && c != ',') continue;
            end_pair(line.substr(begin, at - begin));
            if (c == ',') end_hop();
            begin = at + 1;
        }
        // A quote that does not end may have swallowed what a proxy has appended: nothing of the line is believed.
        quoted ? void(node_ = {}) : end_pair(line.substr(begin));
        end_hop();
    }

    /// Empty: nobody is told of, or the last hop is hidden.
    std::string_view client() const noexcept { return client_; }

private:
    void end_pair(std::string_view pair) noexcept {
        pair = http::trim(pair);
        if (!http::iequals(pair.substr(0, 4), "for=")) return;
        node_ = pair.substr(4);
        if (node_.size() >= 2 && node_.front() == '"' && node_.back() == '"') node_ = node_.substr(1, node_.size() - 2);
    }
    void end_hop() {
        const auto hop = without_port(std::exchange(node_, {}));
        const auto address = address_of(hop);
        if (!address)
            client_ = {};
        else if (client_.empty() || !is_trusted(trusted_, *address))
            client_ = hop;
    }

    std::span<const net::Network> trusted_;
    std::string_view node_;  // of the hop that is being read
    std::string_view client_;
};

}  // namespace

std::string_view client_behind(std::span<const net::Network> trusted, http::FieldSpan fields, std::string_view peer,
                               http::FieldId field) {
    if (field != http::FieldId::forwarded) return client_of_list(trusted, fields, peer);
    Forwarded hops(trusted);
    for (const auto& line : fields)
        if (line.id == field) hops.read(line.value);
    return hops.client().empty() ? peer : hops.client();
}

}  // namespace etage::serve
