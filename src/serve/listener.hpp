#pragma once
// One listening socket of a worker.
//
// Without descriptors · accept() fails at once and for ever, for the client stays in the queue: whoever only tries
// again spins. So those who wait are hung up on (reserve.hpp), which tells them more than silence does, and then nobody
// is accepted for a moment.

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "flow/entrance.hpp"
#include "net/timer.hpp"
#include "serve/reserve.hpp"

#include <etage/time.hpp>

#include <asio/ip/tcp.hpp>

#include <functional>

namespace etage::serve {

/// Whom a listener is for.
enum class Door : std::uint8_t {
    clients,
    administration,  // no PROXY header, and its connections are not counted by client
};

class Listener {
public:
    using Welcome = std::function<void(Listener&, asio::ip::tcp::socket)>;

    /// A row of docs/limits.md: clients hung up on in one attempt.
    static constexpr std::size_t turned_away_max = 128;

    /// Takes over a bound, listening socket. What is borrowed outlives it.
    Listener(asio::ip::tcp::acceptor acceptor, const flow::Entrance& entrance, Door door, Reserve& reserve,
             base::Log& log, base::Metrics& metrics);

    /// From now on everybody is handed to `welcome`, until close().
    void open(Welcome welcome);
    void close();

    const flow::Entrance& entrance() const noexcept { return entrance_; }
    Door door() const noexcept { return door_; }
    asio::ip::tcp protocol() const noexcept { return protocol_; }

private:
    void accept();
    void stand(const asio::error_code& error);
    void refuse(asio::ip::tcp::socket socket);
    void turn_away();

    asio::ip::tcp::acceptor acceptor_;
    asio::ip::tcp protocol_;
    const flow::Entrance& entrance_;
    Door door_;
    Reserve& reserve_;
    base::Log& log_;
    base::Metrics& metrics_;
    Welcome welcome_;
    net::Timer pause_;
    Instant silent_until_ = Instant::min();  // of the log
};

}  // namespace etage::serve
