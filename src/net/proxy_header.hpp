#pragma once
// The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): what a proxy that does not speak HTTP says of
// its client, before the client's first byte.

#include <asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace etage::net {

/// Rows of docs/limits.md: a line of version 1 with its CRLF, a block of version 2 with its 16 bytes in front.
inline constexpr std::size_t proxy_line_bytes_max = 107;
inline constexpr std::size_t proxy_block_bytes_max = 4096;

struct ProxyHeader {
    enum class State : std::uint8_t {
        incomplete,  // of what has come nothing else can be said yet
        absent,      // the connection begins with something else
        malformed,
        whole,
    };
    enum class Source : std::uint8_t {
        told,    // in `address`
        itself,  // nobody: the proxy speaks for itself (LOCAL), to see whether we are well
        untold,  // somebody that has no address of the Internet, or of whom the proxy knows none (UNKNOWN, AF_UNIX)
    };

    State state = State::incomplete;
    std::size_t bytes = 0;  // how many it has, when whole
    Source source = Source::untold;
    asio::ip::address address;  // of the client; an IPv4 address within IPv6 is an IPv4 address
    std::string_view why;       // it is malformed; static
};

/// Reads what stands at the beginning. Any input in any pieces: the judgement on what has come is that on the whole,
/// unless it is `incomplete`. No allocation.
ProxyHeader read_proxy_header(std::string_view bytes) noexcept;

}  // namespace etage::net
