#pragma once
// Which server has a key: always the same one, the primary that Sentinels name, or a node of a cluster.

#include "redis/node.hpp"

#include "net/event.hpp"

#include <etage/error.hpp>
#include <etage/time.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace etage::redis {

/// Thread-safe; coroutines run on the caller's executor. Held by shared pointers: work in the background keeps it.
class Directory {
public:
    virtual ~Directory() = default;

    /// The node for `key` as far as is known; null: look_up() first. Empty key: any.
    virtual std::shared_ptr<Node> node_of(std::string_view key) const = 0;
    /// The node at an address to which a server redirected; null when there are too many.
    virtual std::shared_ptr<Node> node_at(const Address&) { return nullptr; }

    /// Finds out anew, at most so often; who comes meanwhile waits for the same answer.
    virtual asio::awaitable<Result<void>> look_up(Instant deadline) = 0;
    /// What is known may be wrong: finds out in the background.
    virtual void doubt(const asio::any_io_executor& executor) = 0;

    /// Why nothing can be found out; empty: nothing is wrong.
    virtual std::string trouble() const = 0;
    /// Closes all connections. No loop may be running.
    virtual void let_go() noexcept = 0;
};

/// One server.
class FixedDirectory final : public Directory {
public:
    explicit FixedDirectory(std::shared_ptr<const Common> common);

    std::shared_ptr<Node> node_of(std::string_view) const override { return node_; }
    asio::awaitable<Result<void>> look_up(Instant) override { co_return Result<void>{}; }
    void doubt(const asio::any_io_executor&) override {}
    std::string trouble() const override { return node_->trouble(); }
    void let_go() noexcept override { node_->let_go(); }

private:
    const std::shared_ptr<Node> node_;
};

/// What Sentinel and cluster have in common: asking servers, one question at a time, not too often.
class AskingDirectory : public Directory, public std::enable_shared_from_this<AskingDirectory> {
public:
    asio::awaitable<Result<void>> look_up(Instant deadline) final;
    void doubt(const asio::any_io_executor& executor) final;
    std::string trouble() const override;

protected:
    /// `interval`: between two questions.
    AskingDirectory(std::shared_ptr<const Common> common, Duration interval)
        : common_(std::move(common)), interval_(interval) {}

    /// Asks until somebody answers, and keeps the answer.
    virtual asio::awaitable<Result<void>> ask() = 0;

    /// One question to one server over a connection of its own.
    asio::awaitable<Result<Reply>> ask(std::shared_ptr<Node> node, Command question);

    const std::shared_ptr<const Common> common_;

private:
    bool begin(Instant now);
    static asio::awaitable<void> run(std::shared_ptr<AskingDirectory> self);

    const Duration interval_;
    net::Event ended_;
    mutable std::mutex mutex_;  // what follows
    bool asking_ = false;
    Instant asked_ = Instant::min();
    std::uint64_t answers_ = 0;
    Result<void> outcome_;
};

std::shared_ptr<Directory> make_sentinel_directory(std::shared_ptr<const Common> common);
std::shared_ptr<Directory> make_cluster_directory(std::shared_ptr<const Common> common);

}  // namespace etage::redis
