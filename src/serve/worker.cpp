#include "serve/worker.hpp"

#include "base/clock.hpp"
#include "serve/connection.hpp"
#include "serve/peer.hpp"

#include <asio/post.hpp>

namespace etage::serve {

namespace {

constexpr Duration sweep_every = std::chrono::milliseconds(250);  // how late a deadline may be noticed
constexpr std::size_t administration_kept = 16;           // connections that it gets when clients have all there are
constexpr Duration log_pause = std::chrono::seconds(10);  // of what may happen with every connection

/// True once in log_pause.
bool is_time(Instant& silent_until) noexcept {
    const Instant now = base::read_clock().mono;
    if (now < silent_until) return false;
    silent_until = now + log_pause;
    return true;
}

}  // namespace

Worker::Worker(const WorkerContext& context)
    : shared_(context), sweeper_(context_), poller_(context_, [this] { closed_.clear(); }) {}

Worker::~Worker() {
    // Their sockets belong to the context, which outlives no member declared before it.
    connections_.clear();
    closed_.clear();
}

void Worker::add_listener(asio::ip::tcp::acceptor acceptor, const flow::Entrance& entrance, Door door) {
    listeners_.push_back(
        std::make_unique<Listener>(std::move(acceptor), entrance, door, shared_.reserve, shared_.log, shared_.metrics));
    listeners_.back()->open(
        [this](Listener& listener, asio::ip::tcp::socket socket) { welcome(listener, std::move(socket)); });
}

void Worker::run() {
    sweep();
    context_.run();
    listeners_.clear();
}

void Worker::welcome(Listener& listener, asio::ip::tcp::socket socket) {
    asio::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;  // gone already
    const std::size_t kept = listener.door() == Door::administration ? administration_kept : 0;
    if (shared_.connections.load(std::memory_order_relaxed) >= shared_.limits.connections_max + kept) {
        shared_.metrics.add(base::Counter::connections_refused);
        return;
    }
    Peer who(unmapped(peer.address()), shared_.limits.trusted_proxies);
    const bool counted = listener.door() == Door::clients && !who.is_trusted() && !who.address().is_loopback();
    auto seat =
        counted ? shared_.turnstile.enter(who.address(), shared_.limits.connections_per_client_max) : limit::Seat();
    if (!seat) return note_crowd(who.text());
    socket.set_option(asio::ip::tcp::no_delay(true), error);
    socket.non_blocking(true, error);
    shared_.metrics.add(base::Counter::connections_accepted);
    auto connection = std::make_shared<Connection>(*this, listener, std::move(socket), std::move(who));
    connection->hold(*std::move(seat));
    connections_.emplace(connection.get(), connection);
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    connection->start();
}

void Worker::note_proxy(std::string_view proxy, std::string_view why) {
    shared_.metrics.add(base::Counter::proxy_headers_refused);
    if (is_time(silent_of_proxies_until_)) shared_.log.warn("proxy header refused", {{"proxy", proxy}, {"why", why}});
}

void Worker::note_crowd(std::string_view client) {
    shared_.metrics.add(base::Counter::connections_refused_per_client);
    if (is_time(silent_of_crowds_until_))
        shared_.log.warn(
            "client has too many connections",
            {{"client", client}, {"most", static_cast<std::int64_t>(shared_.limits.connections_per_client_max)}});
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
        for (const auto& listener : listeners_) listener->close();
        for_each_connection([](Connection& connection) { connection.drain(); });
    });
}

void Worker::end_tunnels() {
    asio::post(context_, [this] { for_each_connection([](Connection& connection) { connection.end_tunnel(); }); });
}

}  // namespace etage::serve
