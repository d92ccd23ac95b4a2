#pragma once
// The connection to one node in one io_context: made when it is needed, made again when it is lost, not asked for while
// the node's breaker is open; then a probe finds out in the background when it is back.
//
// Concurrency · One executor, one thread. Lifetime · Callers that wait and the work in the background keep it.

#include "redis/node.hpp"
#include "redis/pipeline.hpp"

#include "net/event.hpp"
#include "net/timer.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <memory>
#include <span>

namespace etage::redis {

/// Connects to `node` and greets it. A connection of its own, whatever the breaker says.
asio::awaitable<Result<std::shared_ptr<Pipeline>>> open_pipeline(std::shared_ptr<Node> node, Instant deadline);

class Link : public std::enable_shared_from_this<Link> {
public:
    Link(std::shared_ptr<Node> node, const asio::any_io_executor& executor);

    const asio::any_io_executor& executor() const noexcept { return executor_; }
    const std::shared_ptr<Node>& node() const noexcept { return node_; }

    /// The connection, when there is one that may be used now; else null.
    std::shared_ptr<Pipeline> ready() const noexcept;
    /// The same, made when there is none; or why there can be none. The link outlives the call.
    asio::awaitable<Result<std::shared_ptr<Pipeline>>> usable(Instant deadline);

    /// Sends `commands` and fills `replies`, of which there are as many; both outlive the call.
    asio::awaitable<Result<void>> ask(std::span<const Command> commands, std::span<Reply> replies, Instant deadline);

    /// What an exchange on `pipeline` came to; every caller says it. Counts, and takes it from the link when it is
    /// lost.
    Result<void> conclude(const std::shared_ptr<Pipeline>& pipeline, Exchange& exchange);

    /// The server said that it is not what we need (READONLY, LOADING): the connection goes.
    void drop(std::string_view why);

    /// Ends everything; nothing is begun any more.
    void close() noexcept;

private:
    asio::awaitable<Result<std::shared_ptr<Pipeline>>> connected(Instant deadline);
    static asio::awaitable<void> connect(std::shared_ptr<Link> self);
    void connected_or_not(Result<std::shared_ptr<Pipeline>> opened);

    Error away() const;
    void failed(std::string what);
    void probe_later();
    static asio::awaitable<void> probe(std::shared_ptr<Link> self);
    asio::awaitable<Result<void>> try_it();

    const std::shared_ptr<Node> node_;
    const asio::any_io_executor executor_;
    std::shared_ptr<Pipeline> pipeline_;  // the newest; may be closed
    bool closed_ = false;

    bool connecting_ = false;
    std::uint64_t attempts_ended_ = 0;
    Error last_error_;
    net::Event attempt_ended_;

    net::Timer probe_timer_;
    bool probe_pending_ = false;
};

}  // namespace etage::redis
