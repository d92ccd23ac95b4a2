#include "net/dial.hpp"

#include "net/deadline.hpp"

namespace etage::net {

namespace {

using asio::ip::tcp;

void close(tcp::socket& socket) {
    asio::error_code ignored;
    socket.close(ignored);
}

void make_ready(tcp::socket& socket, asio::error_code& ec) {
    socket.set_option(tcp::no_delay(true), ec);
    if (!ec) socket.non_blocking(true, ec);
}

}  // namespace

asio::awaitable<asio::error_code> dial(Resolver& resolver, tcp::socket& socket, Instant deadline) {
    const auto found = co_await resolver.resolve(deadline);
    if (!found) co_return found.error();

    Watchdog watchdog(socket.get_executor(), [&socket] { close(socket); });
    asio::error_code outcome = asio::error::timed_out;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const Instant now = base::TimerClock::now();
        if (now >= deadline) co_return asio::error::timed_out;
        watchdog.arm(now + (deadline - now) / static_cast<std::int64_t>(found->size() - i));
        auto [ec] = co_await socket.async_connect((*found)[i], quietly);
        watchdog.disarm();
        if (watchdog.expired()) ec = asio::error::timed_out;
        if (!ec) make_ready(socket, ec);
        if (!ec) {
            resolver.prefer((*found)[i]);
            co_return ec;
        }
        outcome = ec;
        close(socket);
    }
    co_return outcome;
}

}  // namespace etage::net
