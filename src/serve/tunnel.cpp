// A connection after 101 (RFC 9110 §7.8): bytes both ways, until both sides have ended or neither says anything.
//
// Bytes that the client sent behind its request are the tunnel's now, and not a moment earlier: had the origin refused,
// they would be the next request (CVE-2025-4366).

#include "base/clock.hpp"
#include "net/timer.hpp"
#include "serve/connection.hpp"
#include "serve/worker.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/write.hpp>

#include <array>
#include <utility>

namespace etage::serve {

asio::awaitable<void> Connection::switch_protocols(const flow::Answer& answer, const http::RequestHead& request) {
    using namespace asio::experimental::awaitable_operators;
    std::string head = std::exchange(early_, {});
    append_head(head, answer, request, true, false);
    std::array one{asio::const_buffer(asio::buffer(head))};
    const bool told = co_await write(one);
    if (told) {
        enter(Phase::tunnel, base::read_clock().mono);
        co_await (pump_up(*answer.tunnel) && pump_down(*answer.tunnel));
    }
    break_tunnel(*answer.tunnel);
}

/// From the client to the origin.
asio::awaitable<void> Connection::pump_up(net::Tunnel& far) {
    for (;;) {
        if (begin_ == end_) {
            const auto [error, bytes] = co_await socket_.async_read_some(free_space(), net::quietly);
            if (error == asio::error::eof) co_return far.end_writing();
            if (error) co_return break_tunnel(far);
            end_ += bytes;
            worker_.metrics().add(base::Counter::bytes_received, bytes);
        }
        enter(Phase::tunnel, base::read_clock().mono);
        const bool taken = co_await far.write(unread());
        if (!taken) co_return break_tunnel(far);
        begin_ = end_;
    }
}

/// From the origin to the client.
asio::awaitable<void> Connection::pump_down(net::Tunnel& far) {
    for (;;) {
        const auto bytes = co_await far.read();
        if (!bytes) co_return break_tunnel(far);
        if (bytes->empty()) break;
        enter(Phase::tunnel, base::read_clock().mono);
        const auto [error, sent] = co_await asio::async_write(socket_, asio::buffer(*bytes), net::quietly);
        worker_.metrics().add(base::Counter::bytes_sent, sent);
        if (error) co_return break_tunnel(far);
    }
    asio::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Connection::break_tunnel(net::Tunnel& far) {
    far.close();
    asio::error_code ignored;
    socket_.close(ignored);
}

}  // namespace etage::serve
