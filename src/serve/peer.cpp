#include "serve/peer.hpp"

#include "http/token.hpp"

#include <algorithm>

namespace etage::serve {

asio::ip::address unmapped(const asio::ip::address& address) noexcept {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return address;
}

bool is_trusted(std::span<const net::Network> trusted, const asio::ip::address& address) noexcept {
    return std::ranges::any_of(trusted, [&](const net::Network& network) { return network.contains(address); });
}

std::string_view client_behind(std::span<const net::Network> trusted, http::FieldSpan fields, std::string_view peer) {
    std::string_view client = peer;
    for (std::size_t i = fields.size(); i-- > 0;) {
        if (fields[i].id != http::FieldId::x_forwarded_for) continue;
        std::string_view rest = fields[i].value;
        for (;;) {
            const auto comma = rest.rfind(',');
            const auto hop = http::trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
            asio::error_code error;
            const auto address = asio::ip::make_address(std::string(hop), error);
            if (error) return client;
            client = hop;
            if (!is_trusted(trusted, address)) return client;
            if (comma == std::string_view::npos) break;
            rest = rest.substr(0, comma);
        }
    }
    return client;
}

}  // namespace etage::serve
