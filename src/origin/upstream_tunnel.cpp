#include "origin/upstream_tunnel.hpp"

#include <asio/write.hpp>

namespace etage::origin {

asio::awaitable<Result<std::string_view>> UpstreamTunnel::read() {
    UpstreamConnection& connection = lease_.connection();
    if (connection.buffered().empty()) {
        const auto filled = co_await connection.fill(Duration::max());
        if (!filled)
            co_return failure(Blame::origin, Fault::origin_incomplete,
                              lease_.endpoint().name() + ": " + filled.error().message());
    }
    const auto bytes = connection.buffered();
    connection.consume(bytes.size());  // its memory is not written to before the next fill
    co_return bytes;
}

asio::awaitable<bool> UpstreamTunnel::write(std::string_view bytes) {
    const auto [ec, n] = co_await asio::async_write(lease_.connection().socket(), asio::buffer(bytes), net::quietly);
    co_return !ec;
}

void UpstreamTunnel::end_writing() noexcept {
    asio::error_code ignored;
    lease_.connection().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void UpstreamTunnel::close() noexcept {
    asio::error_code ignored;
    lease_.connection().socket().close(ignored);
}

}  // namespace etage::origin
