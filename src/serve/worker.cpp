#include "serve/worker.hpp"

#include "base/clock.hpp"
#include "serve/connection.hpp"

#include <asio/post.hpp>

namespace etage::serve {

namespace {

constexpr Duration sweep_every = std::chrono::milliseconds(250);     // how late a deadline may be noticed
constexpr Duration accept_pause = std::chrono::milliseconds(100);    // after EMFILE and the like: never spin

/// An IPv4 client of a dual-stack listener is an IPv4 client.
asio::ip::address unmapped(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return address;
}

}  // namespace

Worker::Worker(const WorkerContext& context) : shared_(context), sweeper_(context_) {}

Worker::~Worker() = default;

void Worker::add_listener(asio::ip::tcp::acceptor acceptor, flow::Service& service) {
    listeners_.push_back(std::make_unique<Listener>(Listener{std::move(acceptor), service, net::Timer(context_)}));
    accept(*listeners_.back());
}

void Worker::run() {
    sweep();
    context_.run();
    // Handlers hold connections, connections refer to this worker: let them go while it is whole.
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
    if (error) return;   // gone already
    if (shared_.connections.load(std::memory_order_relaxed) >= shared_.limits.connections_max) {
        shared_.metrics.add(base::Counter::connections_refused);
        return;
    }
    socket.set_option(asio::ip::tcp::no_delay(true), error);
    socket.non_blocking(true, error);
    shared_.metrics.add(base::Counter::connections_accepted);
    std::make_shared<Connection>(*this, listener.service, std::move(socket), unmapped(peer.address()))->start();
}

void Worker::joined(Connection& connection) {
    connections_.insert(&connection);
    open_.fetch_add(1, std::memory_order_relaxed);
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
}

void Worker::left(Connection& connection) noexcept {
    connections_.erase(&connection);
    open_.fetch_sub(1, std::memory_order_relaxed);
    shared_.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Worker::sweep() {
    const Instant now = base::read_clock().mono;
    // A connection that closes may leave the set: walk over a copy.
    const std::vector<Connection*> all(connections_.begin(), connections_.end());
    for (Connection* connection : all)
        if (connections_.contains(connection)) connection->check_deadline(now);
    sweeper_.expires_after(sweep_every);
    sweeper_.async_wait([this](const asio::error_code& cancelled) {
        if (!cancelled) sweep();
    });
}

void Worker::drain() {
    asio::post(context_, [this] {
        draining_ = true;
        for (const auto& listener : listeners_) {
            asio::error_code ignored;
            listener->acceptor.close(ignored);
        }
        const std::vector<Connection*> all(connections_.begin(), connections_.end());
        for (Connection* connection : all)
            if (connections_.contains(connection)) connection->drain();
    });
}

}  // namespace etage::serve
