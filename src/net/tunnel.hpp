#pragma once
// The far side of a tunnel: bytes both ways, no messages (RFC 9110 §7.8). Beside body_source.hpp, the port for
// messages.

#include <etage/error.hpp>

#include <asio/awaitable.hpp>

#include <string_view>

namespace etage::net {

/// One coroutine may read while another writes; all on one executor that runs one handler at a time, also close() and
/// the destruction. Destroyed: the connection is closed.
class Tunnel {
public:
    virtual ~Tunnel() = default;

    /// The next bytes, waiting as long as it takes; empty = the other side sends no more. Borrowed until the next read.
    virtual asio::awaitable<Result<std::string_view>> read() = 0;

    /// True when all is written.
    virtual asio::awaitable<bool> write(std::string_view bytes) = 0;

    /// Nothing more will be written: the other side learns it, and may go on sending.
    virtual void end_writing() noexcept = 0;

    /// Ends what waits.
    virtual void close() noexcept = 0;
};

}  // namespace etage::net
