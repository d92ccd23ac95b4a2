#pragma once
// For tests: clients before a scripted Redis, on virtual time. Nothing sleeps: what does not depend on time runs until
// it is done, and time passes only when a test says so.

#include "redis/client.hpp"
#include "redis/scripted_redis.hpp"

#include "net/virtual_time.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etage::redis {

using namespace std::chrono_literals;

class RedisFixture : public testing::Test {
protected:
    base::VirtualClock clock{Now{Instant(1h), WallTime(std::chrono::seconds(1'700'000'000))}};
    base::Metrics metrics;
    base::Log log{{.level = base::LogLevel::off, .format = base::LogFormat::text, .file = {}}};
    asio::io_context io;
    ScriptedRedis server{io};
    Options options;
    std::unique_ptr<Client> made;

    ~RedisFixture() override {
        if (made) made->let_go();
    }

    Client& client() {
        if (!made) open("redis://127.0.0.1:" + std::to_string(server.port()));
        return *made;
    }
    void open(const std::string& url) {
        auto parsed = parse_url(url);
        ASSERT_TRUE(parsed) << parsed.error();
        options.url = std::move(*parsed);
        auto result = make_client(options, metrics, log);
        ASSERT_TRUE(result) << result.error().what;
        made = std::move(*result);
    }

    Instant in(Duration d) const { return clock.now().mono + d; }

    /// Runs until `done`. What would take longer than this has gone wrong.
    template <class F>
    bool until(F&& done) {
        while (!done()) {
            io.restart();
            if (io.run_one_for(20s) == 0) return false;
        }
        return true;
    }
    /// Runs what is ready, and what the kernel still brings over loopback.
    void settle() {
        io.restart();
        while (io.run_one_for(2ms) > 0) io.restart();
    }
    void pass(Duration time) { net::advance(io, clock, time); }
    /// Lets time pass until `done`; what does not depend on time gets its turn before each step.
    template <class F>
    bool pass_until(F&& done, Duration step = 10ms, int steps = 2000) {
        for (int i = 0; i < steps && !done(); ++i) {
            for (int turn = 0; turn < 20 && !done(); ++turn) {
                io.restart();
                io.run_one_for(1ms);
            }
            if (!done()) pass(step);
        }
        return done();
    }

    template <class T>
    using Pending = std::shared_ptr<std::optional<T>>;

    /// Begins; the result appears while the test goes on.
    template <class T>
    Pending<T> begin(asio::awaitable<T> work) {
        auto result = std::make_shared<std::optional<T>>();
        asio::co_spawn(io, std::move(work), [result](const std::exception_ptr& e, T value) {
            EXPECT_FALSE(e);
            result->emplace(std::move(value));
        });
        return result;
    }
    template <class T>
    T run(asio::awaitable<T> work) {
        const auto result = begin(std::move(work));
        EXPECT_TRUE(until([&] { return result->has_value(); }));
        return std::move(result->value());
    }

    Result<Reply> ask(Words words, Duration patience = 50ms) {
        Command command(words.size() > 1 ? words[1] : "", words);
        return run(client().call(std::move(command), in(patience)));
    }
    Result<Reply> get(const std::string& key, Duration patience = 50ms) { return ask({"GET", key}, patience); }
    Pending<Result<Reply>> begin_get(const std::string& key, Duration patience = 50ms) {
        return begin(client().call(Command(key, {"GET", key}), in(patience)));
    }

    std::uint64_t sum(base::Counter counter) const { return metrics.sum(counter); }
};

/// "text", or what went wrong.
inline std::string said(const Result<Reply>& reply) {
    if (!reply) return "error: " + reply.error().what;
    return reply->is(Reply::Kind::error) ? "-" + reply->text : reply->text;
}

}  // namespace etage::redis
