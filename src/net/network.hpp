#pragma once
// Networks in CIDR notation: whom to trust, whom to count together.

#include <asio/ip/address.hpp>

#include <expected>
#include <string>
#include <string_view>

namespace etage::net {

struct Network {
    asio::ip::address address;  // no bits are set behind the prefix
    unsigned prefix_length = 0;

    /// An IPv4 address inside IPv6 (::ffff:192.0.2.1) is taken for what it is. Thread-safe, no allocation.
    bool contains(const asio::ip::address& other) const noexcept;
};

/// "10.0.0.0/8", "fd00::/8"; an address alone is a network of one. The error says what is wrong and what to write.
std::expected<Network, std::string> parse_network(std::string_view text);

}  // namespace etage::net
