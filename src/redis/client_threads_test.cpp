// One client, several threads, a server that cuts and refuses now and then: every reply carries its key. Real time; run
// with ThreadSanitizer, too.

#include "redis/client.hpp"
#include "redis/scripted_redis.hpp"

#include "base/clock.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace etage::redis {
namespace {

using namespace std::chrono_literals;

struct Tally {
    std::atomic<int> right{0}, wrong{0}, failed{0};
};

asio::awaitable<void> ask(Client& client, int caller, int times, Tally& tally) {
    for (int i = 0; i < times; ++i) {
        const std::string key = std::to_string(caller) + ":" + std::to_string(i);
        Command command(key, {"GET", key});
        const auto reply = co_await client.call(std::move(command), base::TimerClock::now() + 500ms);
        ++(!reply ? tally.failed : reply->text == key ? tally.right : tally.wrong);
        (void)client.away(key);
        if (!reply) (void)client.trouble();
    }
}

TEST(ClientThreads, EveryReplyCarriesItsKey) {
    asio::io_context server_loop;
    ScriptedRedis server(server_loop);
    int asked = 0;
    server.script = [&](const Words& words) {
        if (++asked % 500 == 0) asio::post(server_loop, [&] { server.cut(); });
        return bulk(words.back());
    };
    const std::uint16_t port = server.port();
    auto working = asio::make_work_guard(server_loop);
    std::jthread serving([&] { server_loop.run(); });

    Options options;
    options.url = *parse_url("redis://127.0.0.1:" + std::to_string(port));
    options.retry_first = 1ms;
    options.retry_max = 5ms;
    base::Metrics metrics;
    base::Log log({.level = base::LogLevel::off, .format = base::LogFormat::text, .file = {}});
    auto client = make_client(options, metrics, log);
    ASSERT_TRUE(client);

    constexpr int threads = 3, callers = 8, times = 300;
    Tally tally;
    std::vector<std::unique_ptr<asio::io_context>> loops;
    {
        std::vector<std::jthread> running;
        for (int t = 0; t < threads; ++t) {
            asio::io_context& loop = *loops.emplace_back(std::make_unique<asio::io_context>());
            running.emplace_back([&, t] {
                int left = callers;
                for (int c = 0; c < callers; ++c)
                    asio::co_spawn(loop, ask(**client, t * callers + c, times, tally),
                                   [&left](const std::exception_ptr&) { --left; });
                while (left > 0) loop.run_one();
            });
        }
    }
    (*client)->let_go();
    loops.clear();
    working.reset();
    asio::post(server_loop, [&] { server.stop(); });
    serving.join();

    EXPECT_EQ(tally.wrong, 0);
    EXPECT_EQ(tally.right + tally.failed, threads * callers * times);
    EXPECT_GT(tally.right, 100);
}

}  // namespace
}  // namespace etage::redis
