#include "origin/upstream_connection.hpp"

#include <asio/experimental/awaitable_operators.hpp>

#include <cstring>

namespace etage::origin {

namespace {

using asio::ip::tcp;

void shorten(Pieces& pieces, std::size_t written) noexcept {
    for (asio::const_buffer& piece : pieces) {
        const std::size_t part = std::min(written, piece.size());
        piece += part;
        written -= part;
    }
}

}  // namespace

UpstreamConnection::UpstreamConnection(const asio::any_io_executor& executor, std::size_t buffer_bytes)
    : socket_(executor),
      watchdog_(executor,
                [this] {
                    asio::error_code ignored;
                    socket_.close(ignored);
                }),
      capacity_(buffer_bytes),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_bytes)) {}

void UpstreamConnection::make_room() noexcept {
    if (begin_ == end_) {
        begin_ = end_ = 0;
    } else if (end_ == capacity_ && begin_ > 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
}

asio::awaitable<std::expected<std::size_t, asio::error_code>> UpstreamConnection::fill(Duration patience) {
    make_room();
    if (end_ == capacity_) co_return std::unexpected(asio::error::no_buffer_space);
    if (patience != Duration::max()) watchdog_.arm(base::TimerClock::now() + patience);
    const asio::mutable_buffer space(buffer_.get() + end_, capacity_ - end_);
    const auto [ec, n] = co_await socket_.async_read_some(space, net::quietly);
    watchdog_.disarm();
    if (ec == asio::error::eof) co_return 0;
    if (ec) co_return std::unexpected(watchdog_.expired() ? asio::error::timed_out : ec);
    end_ += n;
    co_return n;
}

void UpstreamConnection::fill_now() noexcept {
    make_room();
    if (end_ == capacity_) return;
    asio::error_code nothing_or_ended;
    end_ += socket_.read_some(asio::buffer(buffer_.get() + end_, capacity_ - end_), nothing_or_ended);
}

bool UpstreamConnection::readable() noexcept {
    char byte = 0;
    asio::error_code ec;
    socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, ec);
    return ec != asio::error::would_block;
}

asio::awaitable<void> UpstreamConnection::wait_until_readable(Duration patience) {
    using namespace asio::experimental::awaitable_operators;
    net::Timer timer(socket_.get_executor());
    timer.expires_after(patience);
    co_await (socket_.async_wait(tcp::socket::wait_read, net::quietly) || timer.async_wait(net::quietly));
}

asio::awaitable<std::expected<bool, asio::error_code>> UpstreamConnection::send(Pieces& pieces, Duration patience) {
    while (asio::buffer_size(pieces) > 0) {
        asio::error_code ec;
        shorten(pieces, socket_.write_some(pieces, ec));  // non-blocking: mostly the kernel has room
        if (ec == asio::error::would_block) {
            if (readable()) co_return false;
            ec = co_await wait_until_writable_or_readable(patience);
        }
        if (ec) co_return std::unexpected(ec);
    }
    co_return true;
}

asio::awaitable<asio::error_code> UpstreamConnection::wait_until_writable_or_readable(Duration patience) {
    using namespace asio::experimental::awaitable_operators;
    watchdog_.arm(base::TimerClock::now() + patience);
    co_await (socket_.async_wait(tcp::socket::wait_write, net::quietly) ||
              socket_.async_wait(tcp::socket::wait_read, net::quietly));
    watchdog_.disarm();
    co_return watchdog_.expired() ? asio::error_code(asio::error::timed_out) : asio::error_code();
}

}  // namespace etage::origin
