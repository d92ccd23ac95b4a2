#include "net/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace etage::net {

namespace {

using State = ProxyHeader::State;
using Source = ProxyHeader::Source;

constexpr std::string_view line_signature = "PROXY ";
constexpr std::string_view block_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t block_head_bytes = 16;

ProxyHeader malformed(std::string_view why) noexcept {
    ProxyHeader header;
    header.state = State::malformed;
    header.why = why;
    return header;
}

ProxyHeader whole(std::size_t bytes, Source source, const asio::ip::address& address = {}) noexcept {
    ProxyHeader header;
    header.state = State::whole;
    header.bytes = bytes;
    header.source = source;
    header.address = address;
    return header;
}

bool begins(std::string_view bytes, std::string_view signature) noexcept {
    return signature.starts_with(bytes.substr(0, signature.size()));
}

// ---- version 1

/// One word; what follows it begins behind exactly one space. Empty when there is none.
std::string_view take_word(std::string_view& rest) noexcept {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    return word;
}

/// Of one form only, so that nobody reads another address in it: no leading zeros, no zone.
template <class Bytes>
std::optional<Bytes> parse_address(int family, std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::ranges::copy(text, terminated.begin());
    Bytes bytes{};
    if (::inet_pton(family, terminated.data(), bytes.data()) != 1) return std::nullopt;
    return bytes;
}

bool is_port(std::string_view text) noexcept {
    std::uint16_t port = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && (text.size() == 1 || text[0] != '0');
}

asio::ip::address address_v4(const asio::ip::address_v4::bytes_type& bytes) noexcept {
    return asio::ip::address_v4(bytes);
}

asio::ip::address address_v6(const asio::ip::address_v6::bytes_type& bytes) noexcept {
    const asio::ip::address_v6 address(bytes);
    if (!address.is_v4_mapped()) return address;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address);
}

std::optional<asio::ip::address> source_of_words(bool v4, std::string_view from, std::string_view to) noexcept {
    if (v4) {
        using Bytes = asio::ip::address_v4::bytes_type;
        const auto source = parse_address<Bytes>(AF_INET, from);
        if (!source || !parse_address<Bytes>(AF_INET, to)) return std::nullopt;
        return address_v4(*source);
    }
    using Bytes = asio::ip::address_v6::bytes_type;
    const auto source = parse_address<Bytes>(AF_INET6, from);
    if (!source || !parse_address<Bytes>(AF_INET6, to)) return std::nullopt;
    return address_v6(*source);
}

/// `line` without CRLF and signature; `bytes`: of all of it.
ProxyHeader read_words(std::string_view line, std::size_t bytes) noexcept {
    const std::string_view family = take_word(line);
    if (family == "UNKNOWN") return whole(bytes, Source::untold);  // what follows is to be ignored
    if (family != "TCP4" && family != "TCP6") return malformed("a PROXY line names TCP4, TCP6 or UNKNOWN");
    const std::string_view from = take_word(line);
    const std::string_view to = take_word(line);
    const auto source = source_of_words(family == "TCP4", from, to);
    if (!source) return malformed("the addresses of a PROXY line are not of its family");
    const std::string_view from_port = take_word(line);
    if (!is_port(from_port) || !is_port(line)) return malformed("a PROXY line ends with two ports");
    return whole(bytes, Source::told, *source);
}

ProxyHeader read_line(std::string_view bytes) noexcept {
    const std::string_view most = bytes.substr(0, proxy_line_bytes_max);
    const auto end = most.find_first_of("\r\n");
    if (end == std::string_view::npos) {
        if (most.size() == proxy_line_bytes_max) return malformed("a PROXY line is longer than it can be");
        return {};
    }
    if (most[end] == '\r' && end + 1 == most.size() && most.size() < proxy_line_bytes_max) return {};
    if (!most.substr(end).starts_with("\r\n")) return malformed("a PROXY line ends with CR and LF, together");
    return read_words(most.substr(line_signature.size(), end - line_signature.size()), end + 2);
}

// ---- version 2

std::size_t number_at(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[at])) << 8 |
           static_cast<std::uint8_t>(bytes[at + 1]);
}

/// Type, length, value: nothing in them is asked for here, but they end where the block does.
bool are_extensions(std::string_view rest) noexcept {
    while (!rest.empty()) {
        if (rest.size() < 3) return false;
        const std::size_t length = number_at(rest, 1);
        if (rest.size() - 3 < length) return false;
        rest.remove_prefix(3 + length);
    }
    return true;
}

template <class Bytes>
Bytes copy_of(std::string_view from) noexcept {
    Bytes bytes;
    std::memcpy(bytes.data(), from.data(), bytes.size());
    return bytes;
}

/// Bytes that the two addresses of a family have, with their ports.
constexpr std::array<std::size_t, 4> address_bytes = {0, 12, 36, 216};

ProxyHeader read_addresses(std::uint8_t family_and_transport, std::string_view block, std::size_t bytes) noexcept {
    const unsigned family = family_and_transport >> 4U;
    const unsigned transport = family_and_transport & 0xfU;
    if (family >= address_bytes.size() || transport > 2)
        return malformed("a PROXY block of a family that there is not");
    if (block.size() < address_bytes[family]) return malformed("a PROXY block is shorter than its addresses");
    // Without a family nobody knows where the addresses end, if there are any.
    if (family != 0 && !are_extensions(block.substr(address_bytes[family])))
        return malformed("the extensions of a PROXY block do not end where it ends");
    if (family == 1 && transport != 0)
        return whole(bytes, Source::told, address_v4(copy_of<asio::ip::address_v4::bytes_type>(block)));
    if (family == 2 && transport != 0)
        return whole(bytes, Source::told, address_v6(copy_of<asio::ip::address_v6::bytes_type>(block)));
    return whole(bytes, Source::untold);
}

ProxyHeader read_block(std::string_view bytes) noexcept {
    if (bytes.size() > block_signature.size()) {
        const auto version_and_command = static_cast<std::uint8_t>(bytes[12]);
        if (version_and_command >> 4U != 2) return malformed("a PROXY block of another version than 2");
        if ((version_and_command & 0xfU) > 1) return malformed("a PROXY block with a command that there is not");
    }
    if (bytes.size() < block_head_bytes) return {};
    const std::size_t length = number_at(bytes, 14);
    const std::size_t all = block_head_bytes + length;
    if (all > proxy_block_bytes_max) return malformed("a PROXY block is larger than is taken here");
    if (bytes.size() < all) return {};
    if ((static_cast<std::uint8_t>(bytes[12]) & 0xfU) == 0) return whole(all, Source::itself);
    return read_addresses(static_cast<std::uint8_t>(bytes[13]), bytes.substr(block_head_bytes, length), all);
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) noexcept {
    if (begins(bytes, block_signature))
        return bytes.size() < block_signature.size() ? ProxyHeader{} : read_block(bytes);
    if (begins(bytes, line_signature)) return bytes.size() < line_signature.size() ? ProxyHeader{} : read_line(bytes);
    ProxyHeader header;
    header.state = State::absent;
    return header;
}

}  // namespace etage::net
