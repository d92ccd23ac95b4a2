#include "serve/server.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"

#include <asio/ip/address.hpp>
#include <asio/socket_base.hpp>

#include <sys/socket.h>

#include <algorithm>

namespace etage::serve {

namespace {

using asio::ip::tcp;
constexpr Duration tunnels_end_within = std::chrono::milliseconds(500);  // once they are cut

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

Result<tcp::endpoint> endpoint_of(const http::ListenAddress& address) {
    asio::error_code error;
    const auto ip = address.host.empty() ? asio::ip::address(asio::ip::address_v4::any())
                                         : asio::ip::make_address(address.host, error);
    if (error) return failure(Blame::us, Fault::internal, "cannot listen on " + address.text() + ": not an address");
    return tcp::endpoint(ip, address.port);
}

/// Opens, binds and listens; `shared` lets other sockets of this process listen on the same port.
asio::error_code open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool shared) {
    asio::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (error) return error;
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (shared) acceptor.set_option(ReusePort(true), error);
    if (error) return error;
    acceptor.bind(endpoint, error);
    if (error) return error;
    acceptor.listen(asio::socket_base::max_listen_connections, error);
    return error;
}

std::string text_of(const tcp::endpoint& endpoint) {
    const auto host = endpoint.address().to_string();
    const auto port = std::to_string(endpoint.port());
    return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

std::unexpected<Error> cannot_listen(const tcp::endpoint& endpoint, const asio::error_code& error) {
    std::string what = "cannot listen on " + text_of(endpoint) + ": " + error.message();
    if (error == asio::error::address_in_use)
        what += " (another process listens there; stop it, or choose another address with --listen or --admin)";
    return failure(Blame::us, Fault::internal, std::move(what));
}

}  // namespace

Server::Server(const ServerOptions& options, base::Metrics& metrics, base::Log& log)
    : limits_(options.limits), log_(log), turnstile_(base::random_seed()) {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const WorkerContext context{options.limits, options.access_log, metrics, log, connections_, turnstile_, reserve_};
    for (std::size_t i = 0; i < (options.threads == 0 ? cores : options.threads); ++i)
        workers_.push_back(std::make_unique<Worker>(context));
}

Server::~Server() {
    for (auto& worker : workers_) worker->stop();
    for (auto& thread : threads_) thread.join();
}

Result<std::string> Server::listen(const http::ListenAddress& address, const flow::Entrance& entrance, Door door) {
    auto endpoint = endpoint_of(address);
    if (!endpoint) return std::unexpected(endpoint.error());
    {
        // SO_REUSEPORT would let us share the port with another process of the same user, silently: ask alone first.
        tcp::acceptor alone(workers_.front()->context());
        if (const auto error = open(alone, *endpoint, false)) return cannot_listen(*endpoint, error);
        endpoint->port(alone.local_endpoint().port());
    }
    const std::size_t listening = door == Door::administration ? 1 : workers_.size();
    for (std::size_t i = 0; i < listening; ++i) {
        tcp::acceptor acceptor(workers_[i]->context());
        if (const auto error = open(acceptor, *endpoint, true)) return cannot_listen(*endpoint, error);
        workers_[i]->add_listener(std::move(acceptor), entrance, door);
    }
    return text_of(*endpoint);
}

void Server::start() {
    for (auto& worker : workers_)
        threads_.emplace_back([this, &worker] {
            try {
                worker->run();
            } catch (const std::exception& e) {
                log_.error("worker failed", {{"what", e.what()}});
                std::terminate();
            }
        });
}

void Server::adopt(const ServerOptions& options) {
    limits_ = options.limits;
    for (auto& worker : workers_) worker->adopt(options.limits, options.access_log);
}

bool Server::shut_down(const std::function<bool()>& idle) {
    for (auto& worker : workers_) worker->drain();
    const auto finishes_within = [&](Duration time) {
        const Instant give_up = base::read_clock().mono + time;
        const auto finished_now = [&] { return connections() == 0 && idle(); };
        while (!finished_now() && base::read_clock().mono < give_up)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return finished_now();
    };
    bool finished = finishes_within(limits_.grace);
    if (!finished) {
        for (auto& worker : workers_) worker->end_tunnels();
        finished = finishes_within(tunnels_end_within);
    }
    for (auto& worker : workers_) worker->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    return finished;
}

}  // namespace etage::serve
