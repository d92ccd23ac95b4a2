#pragma once
// All workers together: bind, run, drain, stop.

#include "http/uri.hpp"
#include "serve/worker.hpp"

#include <etage/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace etage::serve {

struct ServerOptions {
    ServeLimits limits;
    AccessLog access_log = AccessLog::off;
    std::size_t threads = 0;  // 0 = one per core
};

class Server {
public:
    Server(const ServerOptions& options, base::Metrics& metrics, base::Log& log);
    ~Server();  // stops and joins
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds before anything runs. Returns the address in use (port 0 becomes a real one). The error names the address
    /// and who is in the way. Administration needs no scale: one worker listens. The entrance is borrowed.
    Result<std::string> listen(const http::ListenAddress& address, const flow::Entrance& entrance, Door door);

    /// Starts the threads; returns at once. After all listen().
    void start();

    /// Other limits and another access log, from any thread, but not while shut_down() runs. The number of threads
    /// stays what it is.
    void adopt(const ServerOptions& options);

    /// Stops accepting, lets what is in flight finish (connections, and whatever `idle` speaks for) for at most
    /// limits.grace, then cuts what tunnels are left, stops the loops and joins. Blocks. True when everything had
    /// finished in time.
    bool shut_down(const std::function<bool()>& idle);

    std::size_t connections() const noexcept { return connections_.load(std::memory_order_relaxed); }

private:
    ServeLimits limits_;
    base::Log& log_;
    std::atomic<std::size_t> connections_{0};
    Turnstile turnstile_;
    Reserve reserve_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
};

}  // namespace etage::serve
