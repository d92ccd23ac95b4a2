#pragma once
// For tests on the clock of the wall, and among them those of a client before a real Redis.

#include "redis/client.hpp"
#include "redis/redis_process.hpp"

#include "base/clock.hpp"
#include "net/timer.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etage::redis {

using namespace std::chrono_literals;

class OnTheWallClock : public testing::Test {
protected:
    static Instant now() { return base::read_clock().mono; }

    /// True as soon as it was seen once: what other threads do may undo it.
    template <class F>
    bool until(F&& done, Duration patience = 8s) {
        const Instant give_up = now() + patience;
        bool is_done = done();
        while (!is_done && now() < give_up) {
            net::Timer timer(io_, now() + 2ms);
            timer.async_wait([](const asio::error_code&) {});
            io_.restart();
            io_.run_one();
            is_done = done();
        }
        return is_done;
    }
    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result;
        asio::co_spawn(io_, std::move(work),
                       [&](const std::exception_ptr&, T value) { result.emplace(std::move(value)); });
        io_.restart();
        while (!result && io_.run_one_for(8s) > 0) {
        }
        return std::move(result).value();
    }

    asio::io_context io_{1};
};

class RealRedis : public OnTheWallClock {
protected:
    void SetUp() override {
        if (!RedisServer::is_installed()) GTEST_SKIP() << "redis-server is not installed";
        server_.emplace();
        made_ = make();
        ASSERT_TRUE(answers());
    }
    ~RealRedis() override {
        if (made_) made_->let_go();
    }

    Client& client() { return *made_; }
    std::unique_ptr<Client> make() {
        Options options;
        options.url = parse_url("unix://" + server_->socket()).value();
        options.retry_first = 5ms;
        options.retry_max = 20ms;
        options.answer_timeout = 1s;
        return std::move(make_client(options, metrics_, quiet_).value());
    }
    /// It has just been started.
    bool answers() {
        return until([&] { return say({"PING"}).text == "PONG"; });
    }

    /// What a foreign hand does.
    Reply say(std::vector<std::string> words) {
        Command command("x", words);
        auto reply = run(client().call(std::move(command), now() + 2s));
        return reply ? *reply : Reply{Reply::Kind::error, 0, reply.error().what, {}};
    }

    base::Metrics metrics_;
    base::Log quiet_{{.level = base::LogLevel::off, .format = base::LogFormat::text, .file = {}}};
    std::optional<RedisServer> server_;
    std::unique_ptr<Client> made_;
};

}  // namespace etage::redis
