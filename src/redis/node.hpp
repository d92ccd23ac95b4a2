#pragma once
// One server, as all threads know it: where it is, whether it is asked, and its connection in each io_context.
//
// Concurrency · Thread-safe; the mutexes guard a list and a text, never a wait.
// Lifetime · Links hold their node; the node holds its links until it is retired.

#include "redis/breaker.hpp"
#include "redis/hello.hpp"
#include "redis/options.hpp"

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "net/resolve.hpp"
#include "net/stream.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/execution_context.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etage::redis {

class Link;

/// What all nodes of one client share. Immutable.
struct Common {
    Options options;
    std::shared_ptr<const net::TlsContext> tls;  // null: without
    base::Metrics& metrics;
    base::Log& log;
    std::uint64_t seed = 0;  // of jitter
};

class Node : public std::enable_shared_from_this<Node> {
public:
    /// At a port, or at the socket of the options' URL.
    Node(std::shared_ptr<const Common> common, std::optional<Address> address, Wanted wanted = Wanted::primary);

    const Common& common() const noexcept { return *common_; }
    const std::shared_ptr<const Common>& common_pointer() const noexcept { return common_; }
    const std::optional<Address>& address() const noexcept { return address_; }
    Wanted wanted() const noexcept { return wanted_; }
    const std::string& name() const noexcept { return name_; }  // "Redis at 127.0.0.1:6379"
    net::Resolver& resolver() noexcept { return *resolver_; }   // precondition: an address
    Breaker& breaker() noexcept { return breaker_; }
    const Breaker& breaker() const noexcept { return breaker_; }

    /// The connection of this io_context; made when first asked for.
    std::shared_ptr<Link> link(const asio::any_io_executor& executor);

    /// Why it cannot be used, for people; empty: nothing is known to be wrong.
    std::string trouble() const;
    void set_trouble(std::string what);

    /// Called, on the executor where it was noticed, whenever the node could not be reached or did not answer. Set
    /// before the first link.
    void on_failure(std::function<void(const asio::any_io_executor&)> told) { told_ = std::move(told); }
    void failed(Instant now, std::string what, const asio::any_io_executor& executor);

    /// It is not ours any more: its links close, each on its executor.
    void retire();
    /// The same at once. No loop may be running.
    void let_go() noexcept;

private:
    const std::shared_ptr<const Common> common_;
    const std::optional<Address> address_;
    const Wanted wanted_;
    const std::string name_;
    std::optional<net::Resolver> resolver_;
    Breaker breaker_;
    std::function<void(const asio::any_io_executor&)> told_;

    mutable std::mutex mutex_;
    std::string trouble_;
    std::vector<std::pair<asio::execution_context*, std::shared_ptr<Link>>> links_;
};

}  // namespace etage::redis
