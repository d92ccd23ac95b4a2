#pragma once
// One thread, one event loop, its own listening sockets (SO_REUSEPORT): a connection never leaves the worker that
// accepted it.

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "flow/entrance.hpp"
#include "http/h1_parser.hpp"
#include "net/event.hpp"
#include "serve/limits.hpp"
#include "serve/listener.hpp"
#include "serve/poller.hpp"
#include "serve/turnstile.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace etage::serve {

class Connection;

enum class AccessLog : std::uint8_t { off, misses, all };

struct WorkerContext {
    ServeLimits limits;
    AccessLog access_log = AccessLog::off;
    base::Metrics& metrics;
    base::Log& log;
    std::atomic<std::size_t>& connections;  // of all workers, as is the next
    Turnstile& turnstile;
    Reserve& reserve;
};

class Worker {
public:
    explicit Worker(const WorkerContext& context);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Takes over a bound, listening socket. Before run(). The entrance is borrowed.
    void add_listener(asio::ip::tcp::acceptor acceptor, const flow::Entrance& entrance, Door door);
    asio::io_context& context() noexcept { return context_; }

    /// Runs the loop on the calling thread until stop().
    void run();
    /// From any thread: other limits, for connections that are open as well; for the heads that these read, the old
    /// ones.
    void adopt(const ServeLimits& limits, AccessLog access_log);
    /// From any thread: no new connections, idle ones close, the others finish.
    void drain();
    /// From any thread, after drain(): tunnels are cut.
    void end_tunnels();
    void stop() { context_.stop(); }

    // For connections of this worker, on its thread.
    const ServeLimits& limits() const noexcept { return shared_.limits; }
    base::Metrics& metrics() noexcept { return shared_.metrics; }
    base::Log& log() noexcept { return shared_.log; }
    Turnstile& turnstile() noexcept { return shared_.turnstile; }
    /// Counts, and says so now and then: the connection of a proxy is closed for what it did not say.
    void note_proxy(std::string_view proxy, std::string_view why);
    /// Likewise: a client has as many connections as it may.
    void note_crowd(std::string_view client);
    /// Lets a closed connection go, after the events under way.
    void forget(Connection& connection);
    Poller& poller() noexcept { return poller_; }
    std::string& out() noexcept { return out_; }
    std::string& key() noexcept { return key_; }
    http::FieldSlots& slots() noexcept { return slots_; }
    std::string_view scheme() const noexcept { return "http"; }
    bool logs_access(const flow::Answer& answer) const noexcept {
        return shared_.access_log == AccessLog::all || (shared_.access_log == AccessLog::misses && !answer.verdict.hit);
    }

private:
    void welcome(Listener& listener, asio::ip::tcp::socket socket);
    void sweep();
    void for_each_connection(const std::function<void(Connection&)>& each);

    WorkerContext shared_;
    std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
    std::vector<std::shared_ptr<Connection>> closed_;
    std::string out_;
    std::string key_;
    http::FieldSlots slots_;
    Instant silent_of_proxies_until_ = Instant::min();
    Instant silent_of_crowds_until_ = Instant::min();
    asio::io_context context_{1};
    std::vector<std::unique_ptr<Listener>> listeners_;
    net::Timer sweeper_;
    Poller poller_;
};

}  // namespace etage::serve
