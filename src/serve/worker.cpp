#include "serve/worker.hpp"

#include "base/clock.hpp"
#include "serve/connection.hpp"

#include <asio/post.hpp>

namespace etage::serve {

namespace {

constexpr Duration sweep_every = std::chrono::milliseconds(250);   // how late a deadline may be noticed
constexpr Duration accept_pause = std::chrono::milliseconds(100);  // after EMFILE and the like: never spin

}  // namespace

Worker::Worker(const WorkerContext& context)
    : shared_(context), sweeper_(context_), poller_(context_, [this] { closed_.clear(); }) {}

Worker::~Worker() {
    // Their sockets belong to the context, which outlives no member declared before it.
    connections_.clear();
    closed_.clear();
}

void Worker::add_listener(asio::ip::tcp::acceptor acceptor, const flow::Entrance& entrance) {
    listeners_.push_back(std::make_unique<Listener>(Listener{std::move(acceptor), entrance, net::Timer(context_)}));
    accept(*listeners_.back());
}

void Worker::run() {
    sweep();
    context_.run();
    listeners_.clear();
}

void Worker::accept(Listener& listener) {
    listener.acceptor.async_accept([this, &listener](const asio::error_code& error, asio::ip::tcp::socket socket) {
        if (error == asio::error::operation_aborted || draining_) return;
        if (error) {
            shared_.log.warn("accept failed", {{"why", error.message()}});
            listener.pause.expires_after(accept_pause);
            listener.pause.async_wait([this, &listener](const asio::error_code& cancelled) {
                if (!cancelled) accept(listener);
            });
            return;
        }
        welcome(listener, std::move(socket));
        accept(listener);
    });
}

void Worker::welcome(Listener& listener, asio::ip::tcp::socket socket) {
    asio::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;  // gone already
    if (shared_.connections.load(std::memory_order_relaxed) >= shared_.limits.connections_max) {
        shared_.metrics.add(base::Counter::connections_refused);
        return;
    }
    socket.set_option(asio::ip::tcp::no_delay(true), error);
    socket.non_blocking(true, error);
    shared_.metrics.add(base::Counter::connections_accepted);
    auto connection = std::make_shared<Connection>(*this, listener.entrance, std::move(socket), peer);
    connections_.emplace(connection.get(), connection);
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    connection->start();
}

void Worker::forget(Connection& connection) {
    const auto it = connections_.find(&connection);
    if (it == connections_.end()) return;
    closed_.push_back(std::move(it->second));
    connections_.erase(it);
    shared_.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Worker::for_each_connection(const std::function<void(Connection&)>& each) {
    std::vector<std::shared_ptr<Connection>> all;  // whoever closes leaves the map
    all.reserve(connections_.size());
    for (const auto& [pointer, connection] : connections_) all.push_back(connection);
    for (const auto& connection : all) each(*connection);
}

void Worker::sweep() {
    const Instant now = base::read_clock().mono;
    for_each_connection([now](Connection& connection) {
        connection.let_go_of_old_service();
        connection.check_deadline(now);
    });
    closed_.clear();
    sweeper_.expires_after(sweep_every);
    sweeper_.async_wait([this](const asio::error_code& cancelled) {
        if (!cancelled) sweep();
    });
}

void Worker::adopt(const ServeLimits& limits, AccessLog access_log) {
    asio::post(context_, [this, limits, access_log] {
        shared_.limits = limits;
        shared_.access_log = access_log;
    });
}

void Worker::drain() {
    asio::post(context_, [this] {
        draining_ = true;
        for (const auto& listener : listeners_) {
            asio::error_code ignored;
            listener->acceptor.close(ignored);
        }
        for_each_connection([](Connection& connection) { connection.drain(); });
    });
}

void Worker::end_tunnels() {
    asio::post(context_, [this] { for_each_connection([](Connection& connection) { connection.end_tunnel(); }); });
}

}  // namespace etage::serve
