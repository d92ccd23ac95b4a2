#include "net/network.hpp"

#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace etage::net {
namespace {

/// How many bits at the end of the address are zero.
template <class Bytes>
unsigned trailing_zeros(const Bytes& bytes) noexcept {
    unsigned zeros = 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        zeros += static_cast<unsigned>(std::countr_zero(static_cast<std::uint8_t>(*byte)));
        if (*byte != 0) break;
    }
    return zeros;
}

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned length) noexcept {
    std::size_t i = 0;
    for (; length >= 8; length -= 8, ++i)
        if (a[i] != b[i]) return false;
    return length == 0 || (a[i] >> (8 - length)) == (b[i] >> (8 - length));
}

std::optional<unsigned> parse_length(std::string_view text, unsigned max) noexcept {
    unsigned length = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), length);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || length > max) return std::nullopt;
    return length;
}

std::unexpected<std::string> no(std::string_view text, const std::string& complaint) {
    return std::unexpected("\"" + std::string(text) + "\" " + complaint);
}

}  // namespace

bool Network::contains(const asio::ip::address& other) const noexcept {
    if (address.is_v6())
        return other.is_v6() && same_prefix(address.to_v6().to_bytes(), other.to_v6().to_bytes(), prefix_length);
    if (other.is_v4()) return same_prefix(address.to_v4().to_bytes(), other.to_v4().to_bytes(), prefix_length);
    if (!other.to_v6().is_v4_mapped()) return false;
    const auto v4 = asio::ip::make_address_v4(asio::ip::v4_mapped, other.to_v6());
    return same_prefix(address.to_v4().to_bytes(), v4.to_bytes(), prefix_length);
}

std::expected<Network, std::string> parse_network(std::string_view text) {
    static const std::string form = "is no network; write an address and the length of its prefix, like \"10.0.0.0/8\"";
    const auto slash = text.find('/');
    asio::error_code failed;
    Network network{asio::ip::make_address(std::string(text.substr(0, slash)), failed), 0};
    if (failed) return no(text, form);

    const bool v4 = network.address.is_v4();
    const unsigned bits = v4 ? 32 : 128;
    const auto length = slash == std::string_view::npos ? bits : parse_length(text.substr(slash + 1), bits);
    if (!length) return no(text, "has a prefix that is no number between 0 and " + std::to_string(bits));
    network.prefix_length = *length;

    const unsigned zeros =
        v4 ? trailing_zeros(network.address.to_v4().to_bytes()) : trailing_zeros(network.address.to_v6().to_bytes());
    if (zeros < bits - *length)
        return no(text, "has bits set behind its prefix; write the network's first address, or /" +
                            std::to_string(bits) + " for one machine");
    return network;
}

}  // namespace etage::net
