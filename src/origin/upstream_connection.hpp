#pragma once
// One connection to an upstream: a socket, its input buffer, and a watchdog. Knows bytes, not messages.
//
// Concurrency · Lives on the executor it was made with, in one thread; destroyed there.

#include "http/h1_parser.hpp"
#include "net/deadline.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>

#include <array>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace etage::origin {

/// What one send() writes: up to three pieces, without copying them together. Borrows.
using Pieces = std::array<asio::const_buffer, 3>;

class UpstreamConnection {
public:
    UpstreamConnection(const asio::any_io_executor& executor, std::size_t buffer_bytes);

    /// Not connected yet; net::dial() does that.
    asio::ip::tcp::socket& socket() noexcept { return socket_; }

    /// Bytes that came and are not consumed. Borrowed until the next fill.
    std::string_view buffered() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t n) noexcept { begin_ += n; }

    /// Waits for bytes behind what is buffered, for ever with Duration::max(); how many came, 0 = the peer has ended.
    /// Errors: timed_out (the socket is closed then), no_buffer_space when the buffer is full, or the socket's.
    asio::awaitable<std::expected<std::size_t, asio::error_code>> fill(Duration patience);

    /// Takes what is there already, without waiting. An end or an error is left for fill() to find.
    void fill_now() noexcept;

    /// True when bytes, an end or an error can be read. An unused connection of which this is true is of no use.
    bool readable() noexcept;

    /// Waits until readable(), for so long. What is then there is left alone.
    asio::awaitable<void> wait_until_readable(Duration patience);

    /// Writes `pieces`, shortening them by what is written. True: everything is; false: it is held up, and meanwhile
    /// the connection became readable. Errors: timed_out after `patience` without progress, or the socket's.
    asio::awaitable<std::expected<bool, asio::error_code>> send(Pieces& pieces, Duration patience);

    /// Memory that is kept between messages.
    http::FieldSlots& slots() noexcept { return slots_; }
    std::string& scratch() noexcept { return scratch_; }

private:
    void make_room() noexcept;
    asio::awaitable<asio::error_code> wait_until_writable_or_readable(Duration patience);

    asio::ip::tcp::socket socket_;
    net::Watchdog watchdog_;
    const std::size_t capacity_;
    std::unique_ptr<char[]> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    http::FieldSlots slots_;
    std::string scratch_;
};

}  // namespace etage::origin
