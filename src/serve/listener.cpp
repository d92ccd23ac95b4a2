#include "serve/listener.hpp"

#include "base/clock.hpp"
#include "net/shortage.hpp"

#include <utility>

namespace etage::serve {

namespace {

constexpr Duration accept_pause = std::chrono::milliseconds(100);  // after a failure: never spin
constexpr Duration log_pause = std::chrono::seconds(10);           // it lasts, and nobody needs to read it ten times

}  // namespace

Listener::Listener(asio::ip::tcp::acceptor acceptor, const flow::Entrance& entrance, Door door, Reserve& reserve,
                   base::Log& log, base::Metrics& metrics)
    : acceptor_(std::move(acceptor)),
      protocol_(acceptor_.local_endpoint().protocol()),
      entrance_(entrance),
      door_(door),
      reserve_(reserve),
      log_(log),
      metrics_(metrics),
      pause_(acceptor_.get_executor()) {}

void Listener::open(Welcome welcome) {
    welcome_ = std::move(welcome);
    accept();
}

void Listener::close() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

void Listener::accept() {
    acceptor_.async_accept([this](const asio::error_code& error, asio::ip::tcp::socket socket) {
        if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
        if (error) return stand(error);
        if (reserve_.keep())
            welcome_(*this, std::move(socket));
        else
            refuse(std::move(socket));
        accept();
    });
}

void Listener::stand(const asio::error_code& error) {
    metrics_.add(base::Counter::accepts_failed);
    if (const Instant now = base::read_clock().mono; now >= silent_until_) {
        log_.warn("accept failed", {{"why", error.message()}});
        silent_until_ = now + log_pause;
    }
    if (net::is_shortage(error)) turn_away();
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](const asio::error_code& cancelled) {
        if (!cancelled && acceptor_.is_open()) accept();
    });
}

/// It came in with the descriptor that was in reserve.
void Listener::refuse(asio::ip::tcp::socket socket) {
    asio::error_code ignored;
    socket.close(ignored);
    metrics_.add(base::Counter::connections_refused);
    reserve_.keep();
}

void Listener::turn_away() {
    for (std::size_t n = 0; n < turned_away_max && reserve_.hang_up_on_one(acceptor_.native_handle()); ++n)
        metrics_.add(base::Counter::connections_refused);
}

}  // namespace etage::serve
