#include "redis/log.hpp"

#include "base/clock.hpp"
#include "net/timer.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>

namespace etage::redis {

RedisLog::RedisLog(Client& client, coherence::Engine& engine, base::Metrics& metrics, base::Log& log,
                   flow::TagsOf tags_of, Examine examine, LogOptions options)
    : house_{options, LogNames(options.name_space), random_name(), client, engine, metrics, log, std::move(tags_of)},
      check_(std::move(examine)),
      appender_(house_, check_),
      reader_(house_, appender_) {}

void RedisLog::start() {
    asio::co_spawn(io_, reader_.run(), asio::detached);
    asio::co_spawn(io_, appender_.run(), asio::detached);
    thread_ = std::thread([this] {
        const auto work = asio::make_work_guard(io_);
        io_.run();
    });
}

void RedisLog::stop() noexcept {
    if (!thread_.joinable()) return;
    house_.stopping.store(true);
    house_.woken.notify_all();
    asio::post(io_, [this] { reader_.stop(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    io_.stop();
    thread_.join();
}

asio::awaitable<Result<Sequence>> RedisLog::invalidate(flow::Invalidation invalidation, Instant deadline) {
    return appender_.invalidate(std::move(invalidation), deadline);
}

asio::awaitable<flow::Receipt> RedisLog::receipt(Sequence position, Instant deadline) {
    Duration pause = std::chrono::milliseconds(1);
    net::Timer timer(co_await asio::this_coro::executor);
    flow::Receipt out;
    for (;;) {
        std::vector<Command> commands;
        commands.push_back(census_command(house_.names));
        const auto replies = co_await house_.client.call(std::move(commands), deadline);
        if (replies) {
            const auto census = parse_census(replies->front());
            if (census) {
                out = {0, census->members.size()};
                for (const Member& m : census->members) out.confirmed += m.applied >= position;
                if (out.confirmed == out.live) co_return out;
            }
        }
        if (base::read_clock().mono + pause >= deadline) co_return out;
        timer.expires_after(pause);
        co_await timer.async_wait(net::quietly);
        pause = std::min<Duration>(pause * 2, std::chrono::milliseconds(20));
    }
}

asio::awaitable<bool> RedisLog::reach(Sequence token, Instant deadline) {
    std::function<bool()> ready = [this, token] { return house_.engine.caught_up(token); };
    co_return co_await house_.moved.wait_until(deadline, std::move(ready));
}

}  // namespace etage::redis
