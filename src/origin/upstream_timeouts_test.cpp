#include "origin/upstream.hpp"

#include "origin/upstream_fixture.hpp"

namespace etage::origin {
namespace {

using Timeouts = UpstreamFixture;

/// Answers with `bytes`, then is silent.
ScriptedOrigin::Play send_and_hang(std::string bytes, bool& closed) {
    return [bytes = std::move(bytes), &closed](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(bytes);
        closed = co_await c.closed();
    };
}

TEST_F(Timeouts, SlowFirstByte) {
    bool closed = false;
    origin.play(send_and_hang("", closed));
    const auto result = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() == 1; }));
    pass(29'999ms);
    EXPECT_FALSE(*result);
    pass(1ms);
    ASSERT_TRUE(*result);
    expect_failure(**result, Fault::origin_timeout, origin.url(), "no answer within 30 s");
    EXPECT_FALSE((*result)->error->retryable);
    EXPECT_TRUE(until([&] { return closed; }));  // and never kept
    EXPECT_EQ(retries(), 0U);
}

TEST_F(Timeouts, SlowButInTime) {
    bool release = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        while (!release) {
            net::Timer tick(c.socket().get_executor(), base::TimerClock::now() + 1s);
            co_await tick.async_wait(net::quietly);
        }
        co_await c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    const auto result = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() == 1; }));
    pass(28s);
    release = true;
    pass(1s);
    ASSERT_TRUE(until([&] { return result->has_value(); }));
    EXPECT_EQ((*result)->content, "ok");
}

TEST_F(Timeouts, SlowBetweenBytesOfTheHead) {
    bool closed = false;
    origin.play(send_and_hang("HTTP/1.1 200 O", closed));
    const auto result = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() == 1; }));
    pass(10s);
    pass(4s);
    EXPECT_FALSE(*result);
    pass(1s);
    ASSERT_TRUE(*result);
    expect_failure(**result, Fault::origin_timeout, origin.url(), "head");
}

TEST_F(Timeouts, HeadThatDripsForEver) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send("HTTP/1.1 200 OK\r\nX: ");
        for (;;) {
            net::Timer tick(c.socket().get_executor(), base::TimerClock::now() + 1s);
            co_await tick.async_wait(net::quietly);
            co_await c.send("x");
        }
    });
    const auto result = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() == 1; }));
    int seconds = 0;
    for (; !*result && seconds < 60; ++seconds) pass(1s);
    EXPECT_GE(seconds, 29);
    EXPECT_LE(seconds, 32);
    ASSERT_TRUE(*result);
    expect_failure(**result, Fault::origin_timeout, origin.url());
}

TEST_F(Timeouts, SlowBetweenBytesOfTheContent) {
    bool closed = false;
    origin.play(send_and_hang("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", closed));
    auto answer = fetch();
    ASSERT_TRUE(answer) << answer.error().what;
    ASSERT_TRUE(answer->body);
    EXPECT_EQ(run(answer->body->read()), "hello");
    pass(60s);  // whoever reads may take its time
    std::optional<Result<std::string_view>> piece;
    asio::co_spawn(io, answer->body->read(),
                   [&](const std::exception_ptr&, Result<std::string_view> p) { piece = std::move(p); });
    pass(14s);
    EXPECT_FALSE(piece);
    pass(1s);
    ASSERT_TRUE(piece);
    ASSERT_FALSE(*piece);
    EXPECT_EQ(piece->error().fault, Fault::origin_timeout);
    EXPECT_EQ(piece->error().what, origin.url() + ": nothing more came within 15 s after 5 bytes of content");
    EXPECT_TRUE(until([&] { return closed; }));
}

/// A head, then `times` pieces, one every `pause`.
ScriptedOrigin::Play drip(std::string head, std::string piece, int times, Duration pause) {
    return [=](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(head);
        for (int i = 0; i < times; ++i) {
            net::Timer tick(c.socket().get_executor(), base::TimerClock::now() + pause);
            co_await tick.async_wait(net::quietly);
            co_await c.send(piece);
        }
    };
}

TEST_F(Timeouts, SteadyDripOfAStreamIsFine) {
    origin.play(drip("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 10, 10s));
    const auto result = begin();
    int seconds = 0;
    for (; seconds < 99; ++seconds) pass(1s);
    EXPECT_FALSE(*result) << "it goes on";
}

TEST_F(Timeouts, ContentOfAnAnnouncedLengthMayBeSlow) {
    origin.play(drip("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", std::string(2000, 'x'), 10, 14s));
    const auto result = begin();
    for (int i = 0; i < 200 && !*result; ++i) pass(1s);
    ASSERT_TRUE(*result);
    EXPECT_FALSE((*result)->error);
    EXPECT_EQ((*result)->content, std::string(20000, 'x'));
}

TEST_F(Timeouts, ContentOfAnAnnouncedLengthMayNotDrip) {  // hostile RSP-37, OIN-05
    origin.play(drip("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "x", 100, 1s));
    const auto result = begin();
    int seconds = 0;
    for (; !*result && seconds < 60; ++seconds) pass(1s);
    EXPECT_GE(seconds, 14);
    EXPECT_LE(seconds, 18);
    ASSERT_TRUE(*result);
    expect_failure(**result, Fault::origin_timeout, origin.url(), "too little came");
}

TEST_F(Timeouts, SilentEndpointIsPassedOverForAWhile) {
    bool closed = false;
    ScriptedOrigin second(io);
    origin.play(send_and_hang("", closed));
    second.answer(std::vector<std::string>(8, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    open({origin.url(), second.url()});
    const auto result = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() == 1; }));
    pass(30s);
    ASSERT_TRUE(*result);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.requests().size(), 1U);
}

/// A listener whose queue is full drops the SYN: nothing answers.
TEST_F(Timeouts, Connecting) {
    asio::ip::tcp::acceptor full(io, asio::ip::tcp::v4());
    full.bind({asio::ip::address_v4::loopback(), 0});
    full.listen(0);
    std::vector<asio::ip::tcp::socket> queue;
    queue.reserve(4);
    for (int i = 0; i < 4; ++i)
        queue.emplace_back(io).async_connect(full.local_endpoint(), [](const asio::error_code&) {});
    io.poll();

    const auto url = "http://127.0.0.1:" + std::to_string(full.local_endpoint().port());
    open({url});
    const auto result = begin();
    pass(2999ms);
    EXPECT_FALSE(*result);
    pass(1ms);
    ASSERT_TRUE(*result);
    expect_failure(**result, Fault::origin_timeout, url, "no connection within 3 s");
    EXPECT_TRUE((*result)->error->retryable);
}

}  // namespace
}  // namespace etage::origin
