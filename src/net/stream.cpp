#include "net/stream.hpp"

#include "net/deadline.hpp"
#include "net/dial.hpp"
#include "net/tls.hpp"

#include <asio/generic/stream_protocol.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/this_coro.hpp>
#include <asio/write.hpp>

#include <utility>

namespace etage::net {

namespace {

using Socket = asio::generic::stream_protocol::socket;  // TCP or unix: the same calls

class PlainStream final : public Stream {
public:
    /// Connected, and non-blocking.
    explicit PlainStream(Socket socket) : socket_(std::move(socket)) {}

    void read_some(asio::mutable_buffer buffer, Done done) override {
        socket_.async_read_some(buffer, std::move(done));
    }
    void write(asio::const_buffer bytes, Done done) override { asio::async_write(socket_, bytes, std::move(done)); }
    std::size_t write_now(asio::const_buffer bytes, asio::error_code& ec) noexcept override {
        const std::size_t written = socket_.write_some(bytes, ec);
        if (ec == asio::error::would_block || ec == asio::error::try_again) ec.clear();
        return written;
    }
    void close() noexcept override {
        asio::error_code ignored;
        socket_.close(ignored);
    }

private:
    Socket socket_;
};

StreamError error_of(const asio::error_code& ec) { return {ec, ec.message()}; }

}  // namespace

asio::awaitable<OpenedStream> open_tcp(Resolver& resolver, std::shared_ptr<const TlsContext> tls, std::string host,
                                       Instant deadline) {
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    const auto ec = co_await dial(resolver, socket, deadline);
    if (ec) co_return std::unexpected(error_of(ec));
    if (!tls) co_return std::make_unique<PlainStream>(std::move(socket));
    co_return co_await open_tls(std::move(socket), std::move(tls), std::move(host), deadline);
}

asio::awaitable<OpenedStream> open_unix(std::string path, Instant deadline) {
    const auto executor = co_await asio::this_coro::executor;
    asio::local::stream_protocol::socket socket(executor);
    // A unix socket connects at once or, with its listener's queue full, when there is room.
    Watchdog watchdog(executor, [&socket] {
        asio::error_code ignored;
        socket.close(ignored);
    });
    watchdog.arm(deadline);
    auto [ec] = co_await socket.async_connect(asio::local::stream_protocol::endpoint(path), quietly);
    if (watchdog.expired()) ec = asio::error::timed_out;
    if (!ec) socket.non_blocking(true, ec);
    if (ec) co_return std::unexpected(error_of(ec));
    co_return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace etage::net
