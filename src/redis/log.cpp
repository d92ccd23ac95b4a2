#include "redis/log.hpp"

#include "base/clock.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

namespace etage::redis {

namespace {

constexpr Duration leave_time = std::chrono::milliseconds(200);

}  // namespace

RedisLog::RedisLog(Client& client, coherence::Engine& engine, base::Metrics& metrics, base::Log& log,
                   flow::TagsOf tags_of, Examine examine, LogOptions options)
    : house_{options, LogNames(options.name_space), random_name(), client, engine, metrics, log, std::move(tags_of)},
      check_(std::move(examine)),
      appender_(house_, check_),
      reader_(house_, appender_),
      members_(house_) {}

void RedisLog::start() {
    asio::co_spawn(io_, work(), [this](const std::exception_ptr& failed) {
        if (failed) house_.log.error("log thread failed");
        io_.stop();  // what the client still does here in the background is not waited for
    });
    thread_ = std::thread([this] { io_.run(); });
}

void RedisLog::stop() noexcept {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { end(); });
    thread_.join();
}

void RedisLog::end() noexcept {
    house_.stopping.store(true, std::memory_order_release);
    reader_.stop();
    house_.woken.notify_all();
}

/// The appender goes on until the reader has ended: what the reader's last words are must not bring this instance back
/// to the list it is taken off.
asio::awaitable<void> RedisLog::work() {
    const auto executor = co_await asio::this_coro::executor;
    bool reading = true;
    asio::co_spawn(executor, reader_.run(), [&](const std::exception_ptr& failed) {
        reading = false;
        if (failed) house_.log.error("log reader failed");
        house_.moved.notify_all();
    });
    co_await appender_.run();
    std::function<bool()> has_ended = [&reading] { return !reading; };
    co_await house_.moved.wait_until(Instant::max(), std::move(has_ended));
    co_await members_.leave(base::read_clock().mono + leave_time);
}

asio::awaitable<Result<Sequence>> RedisLog::invalidate(flow::Invalidation invalidation, Instant deadline) {
    return appender_.invalidate(std::move(invalidation), deadline);
}

asio::awaitable<flow::Receipt> RedisLog::receipt(Sequence position, Instant deadline) {
    return members_.receipt(position, deadline);
}

asio::awaitable<bool> RedisLog::reach(Sequence token, Instant deadline) {
    std::function<bool()> has_come = [this, token] { return house_.engine.caught_up(token); };
    co_return co_await house_.moved.wait_until(deadline, std::move(has_come));
}

}  // namespace etage::redis
