#pragma once
// The log of invalidations on a Redis Stream (DESIGN §4).

#include "redis/log_appender.hpp"
#include "redis/log_check.hpp"
#include "redis/log_clock.hpp"
#include "redis/log_house.hpp"
#include "redis/log_reader.hpp"

#include <asio/io_context.hpp>

#include <atomic>
#include <memory>
#include <thread>

namespace etage::redis {

using Examine = SelfCheck::IsFine;

class RedisLog final : public flow::InvalidationLog {
public:
    RedisLog(Client& client, coherence::Engine& engine, base::Metrics& metrics, base::Log& log, flow::TagsOf tags_of,
             Examine examine, LogOptions options);
    ~RedisLog() override { stop(); }

    void start();
    void stop() noexcept;

    asio::awaitable<Result<Sequence>> invalidate(flow::Invalidation invalidation, Instant deadline) override;
    asio::awaitable<flow::Receipt> receipt(Sequence position, Instant deadline) override;
    asio::awaitable<bool> reach(Sequence token, Instant deadline) override;
    bool is_alone() const noexcept override { return false; }

    LogView view() const { return reader_.view(); }
    asio::any_io_executor executor() { return io_.get_executor(); }
    const std::atomic<std::uint64_t>& generation() const noexcept { return house_.generation; }
    const LogClock& clock() const noexcept { return house_.clock; }

private:
    LogHouse house_;
    SelfCheck check_;
    LogAppender appender_;
    LogReader reader_;
    asio::io_context io_{1};
    std::thread thread_;
};

}  // namespace etage::redis
