#pragma once
// Networks in CIDR notation.

#include "gateway/units.hpp"

#include <asio/ip/address.hpp>

#include <string_view>

namespace etage::gateway {

struct Network {
    asio::ip::address address;  // no bits are set behind the prefix
    unsigned prefix_length = 0;
};

/// "10.0.0.0/8", "fd00::/8"; an address alone is a network of one.
Read<Network> parse_network(std::string_view text);

}  // namespace etage::gateway
