#include "redis/pipeline.hpp"

#include "redis/redis_fixture.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include <random>

namespace etage::redis {
namespace {

class PipelineTest : public RedisFixture {
protected:
    std::shared_ptr<Pipeline> pipeline;

    ~PipelineTest() override {
        if (pipeline) pipeline->close();
    }

    Pipeline& line(PipelineLimits limits = {}) {
        if (!pipeline) {
            net::Resolver resolver("127.0.0.1", std::to_string(server.port()));
            auto stream = run(net::open_tcp(resolver, nullptr, "127.0.0.1", in(1s)));
            pipeline = Pipeline::start(std::move(*stream), io.get_executor(), "Redis at there", limits);
        }
        return *pipeline;
    }

    static std::vector<Command> gets(const std::vector<std::string>& keys) {
        std::vector<Command> commands;
        for (const auto& key : keys) commands.push_back(Command(key, {"GET", key}));
        return commands;
    }
    using Replies = Result<std::vector<Reply>>;
    Pending<Replies> begin_gets(const std::vector<std::string>& keys, Duration patience = 50ms) {
        return begin(line().exchange(gets(keys), in(patience)));
    }
    static std::string texts(const Pending<Replies>& replies) {
        if (!*replies) return "pending";
        if (!**replies) return "error: " + (*replies)->error().what;
        std::string out;
        for (const Reply& reply : ***replies) out += (out.empty() ? "" : " ") + reply.text;
        return out;
    }
};

TEST_F(PipelineTest, RepliesComeInOrderToWhoAsked) {
    std::vector<Pending<Replies>> asked;
    for (int i = 0; i < 100; ++i) asked.push_back(begin_gets({"a" + std::to_string(i), "b" + std::to_string(i)}));
    ASSERT_TRUE(until([&] { return asked.back()->has_value(); }));
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(texts(asked[static_cast<std::size_t>(i)]), "a" + std::to_string(i) + " b" + std::to_string(i));
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(PipelineTest, NothingAskedNothingSent) {
    EXPECT_EQ(texts(begin_gets({})), "pending");
    io.poll();
    EXPECT_EQ(server.commands().size(), 0U);
}

TEST_F(PipelineTest, RepliesInManyPieces) {
    server.script = [](const Words&) { return std::string(); };
    const auto one = begin_gets({"x", "y"});
    ASSERT_TRUE(until([&] { return server.commands().size() == 2; }));
    for (const char byte : bulk("first") + bulk("second")) {
        EXPECT_EQ(texts(one), "pending");
        server.blurt(std::string(1, byte));
        io.restart();
        while (io.run_one_for(2ms) > 0) {
        }
    }
    EXPECT_EQ(texts(one), "first second");
}

TEST_F(PipelineTest, LargeValuesBothWays) {
    const std::string value(5'000'000, 'v');
    server.script = [&](const Words& words) { return bulk(words.back()); };
    std::vector<Command> commands;
    for (int i = 0; i < 3; ++i) commands.push_back(Command("k", {"SET", "k", value}));
    const auto replies = run(line().exchange(std::move(commands), in(10s)));
    ASSERT_TRUE(replies) << replies.error().what;
    EXPECT_TRUE(replies->size() == 3 && replies->back().text == value);
}

TEST_F(PipelineTest, ADeadlineClosesItForEverybody) {
    server.silent = true;
    const auto patient = begin_gets({"patient"}, 1s);
    const auto hasty = begin_gets({"hasty"}, 50ms);
    ASSERT_TRUE(until([&] { return server.commands().size() == 2; }));
    pass(49ms);
    EXPECT_EQ(texts(hasty), "pending");
    pass(1ms);
    EXPECT_EQ(texts(hasty), "error: Redis at there: no reply in time");
    EXPECT_EQ(texts(patient), "error: Redis at there: closed, because another command got no reply in time");
    EXPECT_FALSE(line().is_open());
    EXPECT_EQ((**patient).error().blame, Blame::remote_store);
    EXPECT_TRUE((**patient).error().retryable);
    // Late, to nobody.
    server.say();
    io.poll();
    EXPECT_EQ(texts(begin_gets({"next"})), "pending");
    EXPECT_TRUE(until([&] { return server.open() == 0; }));
}

TEST_F(PipelineTest, ADeadlineThatWasMetHarmsNobody) {
    for (int i = 0; i < 20; ++i) {
        const auto one = begin_gets({"k"}, 20ms);
        ASSERT_TRUE(until([&] { return one->has_value(); }));
        EXPECT_EQ(texts(one), "k");
        pass(15ms);
    }
    const auto later = begin_gets({"later"}, 1s);
    server.silent = true;
    const auto more = begin_gets({"more"}, 2s);
    pass(500ms);
    server.say();
    ASSERT_TRUE(until([&] { return more->has_value(); }));
    EXPECT_EQ(texts(later) + texts(more), "latermore");
}

TEST_F(PipelineTest, WithoutTimeLeftNothingIsSentAndNothingClosed) {
    const auto late = begin_gets({"late"}, 0ms);
    ASSERT_TRUE(until([&] { return late->has_value(); }));
    EXPECT_EQ(texts(late), "error: Redis at there: no time left to ask");
    EXPECT_TRUE(line().is_open());
    EXPECT_TRUE(server.commands().empty());
}

TEST_F(PipelineTest, ACallerThatGoesAwayClosesIt) {
    server.silent = true;
    asio::cancellation_signal leave;
    auto gone = std::make_shared<std::optional<Replies>>();
    asio::co_spawn(io, line().exchange(gets({"gone"}), in(1s)),
                   asio::bind_cancellation_slot(
                       leave.slot(), [gone](const std::exception_ptr&, Replies r) { gone->emplace(std::move(r)); }));
    const auto other = begin_gets({"other"}, 1s);
    ASSERT_TRUE(until([&] { return server.commands().size() == 2; }));
    leave.emit(asio::cancellation_type::terminal);
    EXPECT_FALSE(line().is_open());
    EXPECT_EQ(texts(other), "pending") << "nobody is resumed from inside a signal";
    ASSERT_TRUE(until([&] { return other->has_value(); }));
    EXPECT_EQ(texts(other), "error: Redis at there: closed, because a caller went away");
    ASSERT_TRUE(until([&] { return gone->has_value(); }));
    EXPECT_EQ((**gone).error().fault, Fault::cancelled);
    EXPECT_FALSE(line().was_lost());
}

/// redis-py #2665: a caller that is cancelled leaves a reply behind, and the next one takes it.
TEST_F(PipelineTest, AThousandCallersGoAwayAndNobodyGetsAnothersReply) {
    std::mt19937 random(4711);
    std::size_t answered = 0, failed = 0;
    for (int round = 0; round < 1000; ++round) {
        if (pipeline && !pipeline->is_open()) pipeline.reset();
        Pipeline& shared = line();
        asio::cancellation_signal leave;
        std::vector<std::pair<std::string, Pending<Replies>>> others;
        const int before = static_cast<int>(random() % 4);
        for (int i = 0; i < before; ++i) {
            const std::string key = std::to_string(round) + "-" + std::to_string(i);
            others.emplace_back(key, begin_gets({key}, 1s));
        }
        asio::co_spawn(io, shared.exchange(gets({"leaving"}), in(1s)),
                       asio::bind_cancellation_slot(leave.slot(), [](const std::exception_ptr&, Replies) {}));
        for (int steps = static_cast<int>(random() % 12); steps > 0; --steps) {
            io.restart();
            io.poll_one();
        }
        leave.emit(asio::cancellation_type::terminal);
        for (int i = 0; i < 3; ++i) {
            if (pipeline && !pipeline->is_open()) pipeline.reset();
            const std::string key = std::to_string(round) + "+" + std::to_string(i);
            others.emplace_back(key, begin_gets({key}, 1s));
        }
        for (const auto& [key, reply] : others) {
            ASSERT_TRUE(until([&] { return reply->has_value(); }));
            if (**reply) {
                ASSERT_EQ(texts(reply), key);
                ++answered;
            } else {
                ++failed;
            }
        }
    }
    EXPECT_GT(answered, 3000U);
    EXPECT_GT(failed, 100U);
}

TEST_F(PipelineTest, CutsInTheMiddleOfAReplyFailEverybody) {
    const std::string bytes = bulk("value of x") + bulk("value of y");
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        pipeline.reset();
        server.script = [](const Words&) { return std::string(); };
        const auto x = begin_gets({"x"}), y = begin_gets({"y"});
        const std::size_t asked = server.commands().size();
        ASSERT_TRUE(until([&] { return server.commands().size() == asked + 2; }));
        server.blurt(bytes.substr(0, cut));
        settle();
        server.cut();
        ASSERT_TRUE(until([&] { return y->has_value() && x->has_value(); }));
        EXPECT_EQ(texts(x),
                  cut < bulk("value of x").size() ? "error: Redis at there: closed by the server" : "value of x");
        EXPECT_EQ(texts(y), "error: Redis at there: closed by the server");
    }
}

TEST_F(PipelineTest, WhatSpeaksNoRespIsNamed) {
    server.script = [](const Words&) { return std::string("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"); };
    auto reply = begin_gets({"k"});
    ASSERT_TRUE(until([&] { return reply->has_value(); }));
    EXPECT_EQ(texts(reply), "error: Redis at there: it does not speak Redis; it says \"HTTP/1.1 400 Bad Request\"");

    pipeline.reset();
    server.script = [](const Words&) { return std::string("\x15\x03\x03\x00\x02\x02\x46", 7); };
    reply = begin_gets({"k"});
    ASSERT_TRUE(until([&] { return reply->has_value(); }));
    EXPECT_EQ(texts(reply), "error: Redis at there: it speaks TLS: the URL begins with rediss://");
}

TEST_F(PipelineTest, WhatNobodyAskedForClosesIt) {
    const auto one = begin_gets({"k"});
    ASSERT_TRUE(until([&] { return one->has_value(); }));
    server.blurt("+hello\r\n");
    EXPECT_TRUE(until([&] { return !line().is_open(); }));
    EXPECT_TRUE(line().was_lost());
    const auto next = begin_gets({"k"});
    ASSERT_TRUE(until([&] { return next->has_value(); }));
    EXPECT_EQ(texts(next), "error: Redis at there: it said something that nobody had asked: hello");
}

TEST_F(PipelineTest, AReplyTooLongClosesIt) {
    line({.reply_bytes_max = 10'000});
    server.script = [](const Words& words) { return bulk(std::string(words.back() == "long" ? 20'000 : 9'000, 'x')); };
    const auto fits = begin_gets({"fits"}), too_long = begin_gets({"long"}), behind = begin_gets({"behind"});
    ASSERT_TRUE(until([&] { return behind->has_value(); }));
    EXPECT_EQ(texts(fits).size(), 9'000U);
    EXPECT_EQ(texts(too_long), "error: Redis at there: an answer that is no RESP: a reply of more than 10000 bytes");
    EXPECT_FALSE(**behind);
}

TEST_F(PipelineTest, PendingCommandsAndBytesAreBounded) {
    line({.pending_max = 4, .pending_bytes_max = 1000});
    server.silent = true;
    const auto four = begin_gets({"1", "2", "3", "4"});
    const auto fifth = begin_gets({"5"});
    ASSERT_TRUE(until([&] { return fifth->has_value(); }));
    EXPECT_EQ(texts(fifth), "error: Redis at there: more than 4 commands wait for a reply");
    server.say();
    ASSERT_TRUE(until([&] { return four->has_value(); }));
    EXPECT_EQ(texts(four), "1 2 3 4") << "a refusal closes nothing";
    const auto large = begin(line().exchange({Command("k", {"SET", "k", std::string(1000, 'x')})}, in(1s)));
    ASSERT_TRUE(until([&] { return large->has_value(); }));
    EXPECT_EQ(texts(large), "error: Redis at there: more than 1000 bytes wait to be sent");
}

TEST_F(PipelineTest, AServerThatExplainsItselfIsQuoted) {
    server.script = [](const Words&) { return std::string(); };
    const auto two = begin_gets({"a", "b"});
    ASSERT_TRUE(until([&] { return server.commands().size() == 2; }));
    server.blurt("-ERR max number of clients reached\r\n");
    settle();
    server.cut();
    ASSERT_TRUE(until([&] { return two->has_value(); }));
    EXPECT_EQ(texts(two), "error: Redis at there: closed by the server: ERR max number of clients reached");
}

TEST_F(PipelineTest, CallersMayAskAgainAndCloseFromWhereTheyAreResumed) {
    const auto chain = begin([](Pipeline& shared, Instant deadline) -> asio::awaitable<int> {
        int answered = 0;
        for (int i = 0; i < 50; ++i) {
            std::vector<Command> commands = gets({std::to_string(i)});
            const auto replies = co_await shared.exchange(std::move(commands), deadline);
            answered += replies && replies->front().text == std::to_string(i) ? 1 : 0;
        }
        shared.close();
        co_return answered;
    }(line(), in(1s)));
    const auto others = begin_gets({"x"});
    ASSERT_TRUE(until([&] { return chain->has_value(); }));
    EXPECT_EQ(**chain, 50);
    EXPECT_EQ(texts(others), "x");
    EXPECT_FALSE(line().is_open());
    EXPECT_FALSE(line().was_lost());
}

TEST_F(PipelineTest, AnIoContextMayGoWhileCallersWait) {
    auto loop = std::make_unique<asio::io_context>();
    auto elsewhere = std::make_unique<ScriptedRedis>(*loop);
    elsewhere->silent = true;
    bool resumed = false;
    asio::co_spawn(
        *loop,
        [](std::uint16_t port, Instant deadline) -> asio::awaitable<void> {
            net::Resolver resolver("127.0.0.1", std::to_string(port));
            std::string host = "127.0.0.1";
            auto stream = co_await net::open_tcp(resolver, nullptr, std::move(host), deadline);
            const auto executor = co_await asio::this_coro::executor;
            // Held by the very coroutine that waits on it.
            const auto own = Pipeline::start(std::move(*stream), executor, "Redis", {});
            auto commands = gets({"k"});
            (void)co_await own->exchange(std::move(commands), deadline);
        }(elsewhere->port(), in(1s)),
        [&](const std::exception_ptr&) { resumed = true; });
    while (elsewhere->commands().empty()) loop->run_one();
    elsewhere->stop();
    elsewhere.reset();
    loop.reset();
    EXPECT_FALSE(resumed);
}

}  // namespace
}  // namespace etage::redis
