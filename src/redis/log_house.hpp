#pragma once
// What the rooms of the log share, put together by RedisLog and borrowed by them.

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "coherence/engine.hpp"
#include "flow/invalidation.hpp"
#include "net/event.hpp"
#include "redis/client.hpp"
#include "redis/log_clock.hpp"
#include "redis/log_options.hpp"

#include <asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace etage::redis {

struct LogHouse {
    LogOptions options;
    LogNames names;
    std::string instance;  // 64 random bits in hex
    Client& client;
    coherence::Engine& engine;
    base::Metrics& metrics;
    base::Log& log;
    flow::TagsOf tags_of;
    net::Event moved{};  // the engine's position has moved
    net::Event woken{};  // there is something to append, or it is time to stop
    std::atomic<bool> stopping{false};
    std::atomic<bool> in_trouble{false};  // the log cannot be read at present: not worth waiting for
    LogClock clock{};
    std::atomic<std::uint64_t> generation{0};  // see RedisLog

    /// The history that is read, and may be appended to; empty: none yet.
    std::string history() const;
    void set_history(std::string name);

    /// Sleeps so long ± 25 %, or until it is time to stop.
    asio::awaitable<void> pause(Duration about);

    mutable std::mutex mutex_{};
    std::string history_{};
};

/// 16 hex digits.
std::string random_name();

}  // namespace etage::redis
