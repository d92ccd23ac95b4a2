#pragma once
// One connection to one Redis, multiplexed: whoever asks writes behind those before, and replies come back in order.
//
// Concurrency · Used from one executor only, whose context runs one thread.
// Lifetime · Shared; what waits for a reply keeps it alive. close() ends everything that waits.
// Interleavings that bite · A reply that comes after its deadline would be taken by the next in line. So a command that
// ran out of time, or whose caller went away, closes the connection: everything under way on it fails, and nothing is
// ever read from it again.

#include "redis/command.hpp"
#include "redis/options.hpp"
#include "redis/reply.hpp"

#include <etage/error.hpp>
#include <etage/time.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace etage::redis {

/// Who the server says it is (INFO): another one, or another history, answers with other texts.
struct Identity {
    std::string run_id;       // of the process
    std::string replication;  // master_replid: of the history of its data
    std::string version;      // "7.0.15"
    bool is_primary = true;
    friend bool operator==(const Identity&, const Identity&) = default;
};

class Connection {
public:
    virtual ~Connection() = default;

    /// Sends all, in one write with what others send at that moment; the replies in order. Error replies of Redis are
    /// Replies, not errors. Errors (blame remote_store): what the connection suffered; it is closed then.
    virtual asio::awaitable<Result<std::vector<Reply>>> exchange(std::vector<Command> commands, Instant deadline) = 0;

    virtual bool is_open() const noexcept = 0;
    virtual void close() noexcept = 0;
    /// As of when the connection was made.
    virtual const Identity& identity() const noexcept = 0;
};

}  // namespace etage::redis
