#pragma once
// Redis, wherever it is: one server, the primary that Sentinels name, or a cluster.
//
// Concurrency · Any thread may call; each io_context has connections of its own, made when first needed, so that a
// reply never crosses threads. The breakers are shared.
// Lifetime · Outlives every call. Before an io_context is destroyed its loop stops and let_go() is called.
// Manners · Nobody waits for a connection longer than for a command: while there is none, or its breaker is open, calls
// fail at once (`away`), and one probe in the background finds out when it is back.

#include "redis/command.hpp"
#include "redis/connection.hpp"
#include "redis/options.hpp"
#include "redis/reply.hpp"

#include "base/log.hpp"
#include "base/metrics.hpp"

#include <etage/error.hpp>
#include <etage/time.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etage::redis {

/// A Lua script: run by its SHA-1, sent whole once when the server does not know it. Static lifetime.
class Script {
public:
    explicit Script(std::string_view source);
    std::string_view source() const noexcept { return source_; }
    std::string_view sha1() const noexcept { return sha1_; }

private:
    std::string_view source_;
    std::string sha1_;
};

class Client {
public:
    virtual ~Client() = default;

    /// One command, on the caller's executor. Errors (blame remote_store, retryable): no connection, the breaker, the
    /// deadline. In a cluster redirections are followed, five at most.
    virtual asio::awaitable<Result<Reply>> call(Command command, Instant deadline) = 0;
    /// Several in one trip; in a cluster all keys must be of one slot. One error, or all replies.
    virtual asio::awaitable<Result<std::vector<Reply>>> call(std::vector<Command> commands, Instant deadline) = 0;
    /// All keys of one slot, one at least.
    virtual asio::awaitable<Result<Reply>> run(const Script& script, std::span<const std::string> keys,
                                               std::span<const std::string> arguments, Instant deadline) = 0;

    /// A connection for one user alone, on the caller's executor: for commands that block. To the primary that has
    /// `key`. Regardless of the breaker.
    virtual asio::awaitable<Result<std::shared_ptr<Connection>>> connect(std::string_view key, Instant deadline) = 0;

    /// Calls for `key` would fail at once.
    virtual bool away(std::string_view key) const noexcept = 0;
    /// Why, for people: "connection refused", "WRONGPASS …"; empty when nothing is wrong.
    virtual std::string trouble() const = 0;

    /// Closes the connections of every io_context. No loop may be running.
    virtual void let_go() noexcept = 0;
};

/// Never connects yet. Errors: certificates that cannot be read.
Result<std::unique_ptr<Client>> make_client(const Options& options, base::Metrics& metrics, base::Log& log);

}  // namespace etage::redis
