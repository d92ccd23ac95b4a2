#pragma once
// The log of invalidations on a Redis Stream (DESIGN §4). What it does about each way in which Redis can fail, and why:
// docs/decisions/0012-the-log-on-redis.md; its keys and records: docs/formats.md.
//
// Concurrency · Reading, and appending what could not be appended at once, happen on a thread of its own, with an
// io_context of its own; invalidate(), receipt() and reach() run on the caller's executor.
// Lifetime · start() before the first request is answered; stop() after the last one, while the io_contexts of the
// callers still exist. Then the client lets go of its connections, and then this is destroyed.
// Engine · It begins at position 0: what was invalidated before this instance began is in the log.

#include "redis/log_appender.hpp"
#include "redis/log_check.hpp"
#include "redis/log_clock.hpp"
#include "redis/log_house.hpp"
#include "redis/log_members.hpp"
#include "redis/log_reader.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <atomic>
#include <thread>

namespace etage::redis {

using Examine = SelfCheck::IsFine;

class RedisLog final : public flow::InvalidationLog {
public:
    RedisLog(Client& client, coherence::Engine& engine, base::Metrics& metrics, base::Log& log, flow::TagsOf tags_of,
             Examine examine, LogOptions options);
    ~RedisLog() override { stop(); }
    RedisLog(const RedisLog&) = delete;
    RedisLog& operator=(const RedisLog&) = delete;

    void start();
    /// Appends what is still to be appended, if Redis is there; takes this instance off the list of those who live.
    void stop() noexcept;

    /// Waits for the log to be attached, if it has not been yet.
    asio::awaitable<Result<Sequence>> invalidate(flow::Invalidation invalidation, Instant deadline) override;
    asio::awaitable<flow::Receipt> receipt(Sequence position, Instant deadline) override;
    asio::awaitable<bool> reach(Sequence token, Instant deadline) override;
    bool is_alone() const noexcept override { return false; }

    LogView view() const { return reader_.view(); }
    /// For who has none of its own; between start() and stop().
    asio::any_io_executor executor() { return io_.get_executor(); }

    /// What names the history that is read, of which everything has been applied once; 0: none has. It changes after
    /// the floor has been raised.
    const std::atomic<std::uint64_t>& generation() const noexcept { return house_.generation; }
    const LogClock& clock() const noexcept { return house_.clock; }

    /// What the thread does, until work() is told to end; for tests, on an executor of theirs.
    asio::awaitable<void> work();
    void end() noexcept;

private:
    LogHouse house_;
    SelfCheck check_;
    LogAppender appender_;
    LogReader reader_;
    LogMembers members_;
    asio::io_context io_{1};
    std::thread thread_;
};

}  // namespace etage::redis
