#include "origin/upstream.hpp"

#include "origin/upstream_fixture.hpp"

#include <algorithm>
#include <latch>
#include <thread>

namespace etage::origin {
namespace {

using http::Method;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers the first request of a connection and is gone.
ScriptedOrigin::Play answer_and_close(std::string bytes) {
    return [bytes = std::move(bytes)](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(bytes);
        c.close();
    };
}

/// Answers the first request, takes the second and closes without a word: the close crosses the request on its way.
ScriptedOrigin::Play answer_then_swallow(std::string bytes) {
    return [bytes = std::move(bytes)](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(bytes);
        co_await c.request();
        c.close();
    };
}

// ---- keeping connections

using Keeping = UpstreamFixture;

TEST_F(Keeping, ConnectionsAreUsedAgain) {
    origin.answer({ok, ok, ok});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 1);
    EXPECT_EQ(origin.requests().size(), 3U);
}

TEST_F(Keeping, NotWhenTheOriginSaysClose) {
    origin.play(answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
    origin.play(answer_and_close("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    origin.answer({ok});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 3);
    EXPECT_EQ(retries(), 0U);
}

TEST_F(Keeping, NotAfterSurplusBytes) {
    origin.answer({ok + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 3);
}

TEST_F(Keeping, NotAfterSurplusBytesThatCameLater) {
    bool poisoned = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(ok);
        co_await asio::post(net::quietly);
        co_await c.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
        poisoned = true;
        co_await c.closed();
    });
    origin.answer({ok});
    EXPECT_EQ(get().content, "ok");
    ASSERT_TRUE(until([&] { return poisoned; }));
    EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 2);
    EXPECT_EQ(retries(), 0U);
}

TEST_F(Keeping, NotAfterContentWhereThereIsNone) {
    origin.answer({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
    EXPECT_EQ(get(request(Method::head)).content, "");
    EXPECT_EQ(get(request(Method::head)).content, "");
    EXPECT_EQ(origin.connections(), 2);
}

TEST_F(Keeping, ClosedOnesAreNoticedBeforeTheyAreUsed) {
    bool closed = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(ok);
        co_await asio::post(net::quietly);
        c.close();
        closed = true;
    });
    origin.answer({ok});
    EXPECT_EQ(get().content, "ok");
    ASSERT_TRUE(until([&] { return closed; }));
    EXPECT_EQ(get(request(Method::post)).content, "ok");
    EXPECT_EQ(origin.connections(), 2);
    EXPECT_EQ(retries(), 0U);
}

TEST_F(Keeping, BodyReadToItsEndReturnsTheConnectionAndAnAbandonedOneClosesIt) {
    const std::string large = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'c');
    bool closed = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            co_await c.request();
            co_await c.send(large);
        }
        closed = co_await c.closed();
    });
    EXPECT_EQ(get().content.size(), 200'000U);
    {
        auto answer = fetch();  // all of the content, but not asked for the end
        ASSERT_TRUE(answer);
        for (std::size_t n = 0; n < 200'000;) n += run(answer->body->read())->size();
    }
    {
        auto answer = fetch();
        ASSERT_TRUE(answer);
        EXPECT_FALSE(run(answer->body->read())->empty());
    }
    EXPECT_TRUE(until([&] { return closed; }));
    EXPECT_EQ(origin.connections(), 1);
}

TEST_F(Keeping, UnusedOnesAreClosedAfterTheIdleTimeout) {
    bool closed = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(ok);
        closed = co_await c.closed();
    });
    EXPECT_EQ(get().content, "ok");
    pass(29s);
    EXPECT_FALSE(closed);
    pass(1s);
    EXPECT_TRUE(until([&] { return closed; }));
}

TEST_F(Keeping, NoMoreThanTheMaximum) {
    options.idle_max = 2;
    int open_connections = 0;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        ++open_connections;
        co_await c.request();
        while (open_connections < 4) co_await asio::post(net::quietly);
        co_await c.send(ok);
        co_await c.closed();
        --open_connections;
    });
    std::vector<std::shared_ptr<std::optional<Seen>>> results;
    for (int i = 0; i < 4; ++i) results.push_back(begin());
    ASSERT_TRUE(until([&] { return std::ranges::all_of(results, [](const auto& r) { return r->has_value(); }); }));
    EXPECT_TRUE(until([&] { return open_connections == 2; }));
}

TEST_F(Keeping, UpstreamThatGoesClosesThem) {
    bool closed = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(ok);
        closed = co_await c.closed();
    });
    EXPECT_EQ(get().content, "ok");
    upstream.reset();
    EXPECT_TRUE(until([&] { return closed; }));
}

TEST_F(Keeping, UpstreamMayGoWhileAFetchIsUnderWay) {
    bool release = false, closed = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        while (!release) co_await asio::post(net::quietly);
        co_await c.send(ok);
        closed = co_await c.closed();
    });
    const auto result = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() == 1; }));
    upstream.reset();
    release = true;
    ASSERT_TRUE(until([&] { return result->has_value(); }));
    EXPECT_EQ((*result)->content, "ok");
    EXPECT_TRUE(until([&] { return closed; }));
}

// ---- once more

using OnceMore = UpstreamFixture;

TEST_F(OnceMore, DeadKeptConnectionIsReplacedOnce) {
    origin.play(answer_then_swallow(ok));
    origin.answer({ok});
    EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 2);
    EXPECT_EQ(origin.requests().size(), 3U);
    EXPECT_EQ(retries(), 1U);
}

TEST_F(OnceMore, NotTwice) {
    origin.play(answer_then_swallow(ok));
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        c.close();
    });
    EXPECT_EQ(get().content, "ok");
    expect_failure(get(), Fault::origin_incomplete, origin.url(), "closed without an answer");
    EXPECT_EQ(origin.requests().size(), 3U);
    EXPECT_EQ(retries(), 1U);
}

TEST_F(OnceMore, TheNewConnectionIsNotAnotherKeptOne) {
    // Two kept connections, both about to swallow the next request.
    int waiting = 0;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        ++waiting;
        while (waiting < 2) co_await asio::post(net::quietly);
        co_await c.send(ok);
        co_await c.request();
        c.close();
    });
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        ++waiting;
        co_await c.send(ok);
        co_await c.request();
        c.close();
    });
    origin.answer({ok});
    const auto a = begin(), b = begin();
    ASSERT_TRUE(until([&] { return a->has_value() && b->has_value(); }));
    EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 3);
    EXPECT_EQ(retries(), 1U);
}

TEST_F(OnceMore, NotOnANewConnection) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        c.close();
    });
    expect_failure(get(), Fault::origin_incomplete, origin.url(), "closed without an answer");
    EXPECT_EQ(origin.requests().size(), 1U);
}

TEST_F(OnceMore, NotAfterTheFirstByteOfAnAnswer) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(ok);
        co_await c.request();
        co_await c.send("H");
        c.close();
    });
    EXPECT_EQ(get().content, "ok");
    expect_failure(get(), Fault::origin_incomplete, origin.url(), "within the head");
    EXPECT_EQ(origin.requests().size(), 2U);
}

TEST_F(OnceMore, NotAfterAnInterimResponse) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(ok);
        co_await c.request();
        co_await c.send("HTTP/1.1 102 Processing\r\n\r\n");
        c.close();
    });
    EXPECT_EQ(get().content, "ok");
    expect_failure(get(), Fault::origin_incomplete, origin.url());
    EXPECT_EQ(origin.requests().size(), 2U);
}

TEST_F(OnceMore, Section9_2_2_NotForPost) {
    origin.play(answer_then_swallow(ok));
    EXPECT_EQ(get().content, "ok");
    const auto seen = get(request(Method::post));
    expect_failure(seen, Fault::origin_incomplete, origin.url(), "closed without an answer");
    EXPECT_FALSE(seen.error->retryable);
    EXPECT_EQ(origin.requests().size(), 2U);
    EXPECT_EQ(retries(), 0U);
}

TEST_F(OnceMore, NotWhenThereIsContent) {
    origin.play(answer_then_swallow(ok));
    EXPECT_EQ(get().content, "ok");
    auto put = request(Method::put);
    put.body = std::make_shared<PieceSource>(std::vector<std::string>{"x"});
    put.content_length = 1;
    expect_failure(get(std::move(put)), Fault::origin_incomplete, origin.url());
    EXPECT_EQ(origin.requests().size(), 2U);
}

TEST_F(OnceMore, UnrepeatableRequestsTakeOnlyConnectionsInRecentUse) {
    origin.answer({ok, ok, ok});
    EXPECT_EQ(get(request(Method::post)).content, "ok");
    pass(1s);
    EXPECT_EQ(get(request(Method::post)).content, "ok");
    EXPECT_EQ(origin.connections(), 1);
    pass(2s);
    EXPECT_EQ(get(request(Method::post)).content, "ok");
    EXPECT_EQ(origin.connections(), 2);
    pass(2s);
    EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 2);
}

// ---- several endpoints

class Balancing : public UpstreamFixture {
protected:
    ScriptedOrigin second{io};
    void both() { open({origin.url(), second.url()}); }
};

TEST_F(Balancing, RequestsAreShared) {
    origin.answer({ok, ok, ok});
    second.answer({ok, ok, ok});
    both();
    for (int i = 0; i < 6; ++i) EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.requests().size(), 3U);
    EXPECT_EQ(second.requests().size(), 3U);
}

TEST_F(Balancing, TheLessLoadedIsChosen) {
    bool release = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        while (!release) co_await asio::post(net::quietly);
        co_await c.send(ok);
    });
    second.answer({ok, ok, ok, ok});
    both();
    const auto slow = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() + second.requests().size() == 1; }));
    ASSERT_EQ(origin.requests().size(), 1U);  // turns begin with the first
    for (int i = 0; i < 4; ++i) EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(second.requests().size(), 4U);
    release = true;
    ASSERT_TRUE(until([&] { return slow->has_value(); }));
    EXPECT_EQ(upstream->status(clock.now().mono)[0].in_flight, 0U);
}

TEST_F(Balancing, OneThatCannotBeReachedIsReplacedAndPassedOver) {
    origin.stop();
    second.answer(std::vector<std::string>(8, ok));
    both();
    for (int i = 0; i < 4; ++i) {
        auto post = request(Method::post);  // nothing was sent to the dead one
        EXPECT_EQ(get(std::move(post)).content, "ok");
    }
    EXPECT_EQ(second.requests().size(), 4U);
    const auto status = upstream->status(clock.now().mono);
    EXPECT_FALSE(status[0].available);
    EXPECT_TRUE(status[1].available);
    EXPECT_EQ(status[1].url, second.url());
    pass(1s);
    EXPECT_TRUE(upstream->status(clock.now().mono)[0].available);
}

TEST_F(Balancing, AllUnreachable) {
    origin.stop();
    second.stop();
    both();
    for (int i = 0; i < 2; ++i) {
        const auto seen = get();
        ASSERT_TRUE(seen.error);
        EXPECT_EQ(seen.error->fault, Fault::origin_unreachable);
        EXPECT_TRUE(seen.error->retryable);
    }
}

TEST_F(Balancing, OneThatHangsUpIsPassedOver) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        c.close();
    });
    second.answer(std::vector<std::string>(8, ok));
    both();
    int failures = 0;
    for (int i = 0; i < 4; ++i) failures += get().error ? 1 : 0;
    EXPECT_EQ(failures, 1);
}

// ---- bounds and faults

using Bounds = UpstreamFixture;

TEST_F(Bounds, RefusedIsUnreachable) {
    origin.stop();
    const auto seen = get();
    expect_failure(seen, Fault::origin_unreachable, origin.url(), "refused");
    EXPECT_TRUE(seen.error->retryable);
}

TEST_F(Bounds, ConnectionsInUseAreBounded) {
    options.connections_max = 2;
    int now = 0, most = 0;
    bool release = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        while (!(co_await c.request()).empty()) {
            most = std::max(most, ++now);
            while (!release) co_await asio::post(net::quietly);
            --now;
            co_await c.send(ok);
        }
    });
    std::vector<std::shared_ptr<std::optional<Seen>>> results;
    for (int i = 0; i < 10; ++i) results.push_back(begin());
    ASSERT_TRUE(until([&] { return now == 2; }));
    release = true;
    ASSERT_TRUE(until([&] { return std::ranges::all_of(results, [](const auto& r) { return r->has_value(); }); }));
    for (const auto& r : results) EXPECT_EQ((*r)->content, "ok");
    EXPECT_EQ(most, 2);
    EXPECT_EQ(origin.connections(), 2);
}

TEST_F(Bounds, BodyHoldsItsConnectionUntilItIsRead) {
    options.connections_max = 1;
    const std::string large = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'c');
    origin.answer({large, ok});
    auto answer = fetch();
    ASSERT_TRUE(answer);
    const auto next = begin();
    pass(1s);
    EXPECT_FALSE(*next);
    while (!run(answer->body->read())->empty()) {
    }
    ASSERT_TRUE(until([&] { return next->has_value(); }));
    EXPECT_EQ((*next)->content, "ok");
    EXPECT_EQ(origin.connections(), 1);
}

TEST_F(Bounds, WaitingForAConnectionIsBoundedToo) {
    options.connections_max = 1;
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.closed();
    });
    const auto first = begin();
    ASSERT_TRUE(until([&] { return origin.requests().size() == 1; }));
    const auto second = begin();
    pass(2999ms);
    EXPECT_FALSE(*second);
    pass(1ms);
    ASSERT_TRUE(*second);
    ASSERT_TRUE((*second)->error);
    EXPECT_EQ((*second)->error->blame, Blame::us);
    EXPECT_EQ((*second)->error->fault, Fault::overloaded);
    EXPECT_TRUE((*second)->error->retryable);
    EXPECT_FALSE(*first);
}

TEST_F(Bounds, UrlsAreCheckedAtTheStart) {
    const std::vector<std::vector<std::string>> bad = {
        {}, {"ftp://x"}, {"http://a", "nonsense"}, {"https://a"}, std::vector<std::string>(65, "http://a")};
    for (const auto& urls : bad) {
        const auto made = Upstream::make(urls, options, metrics);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().blame, Blame::us);
        EXPECT_FALSE(made.error().what.empty());
    }
}

// ---- threads

/// Four threads, one upstream: every answer is whole, nothing is lost, the bound holds.
TEST(UpstreamThreads, OneUpstreamForAll) {
    constexpr int threads = 4, fetchers = 4, rounds = 50;
    asio::io_context server_io;
    ScriptedOrigin origin(server_io);
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        while (true) {
            const std::string r = co_await c.request();
            if (r.empty()) co_return;
            const std::string target = r.substr(4, r.find(' ', 4) - 4);
            co_await c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(target.size()) + "\r\n\r\n" +
                            target);
        }
    });
    const auto url = origin.url();
    std::thread server([&] { server_io.run(); });

    base::Metrics metrics;
    std::atomic<int> good{0};
    std::latch finished(threads * fetchers);
    std::vector<std::unique_ptr<asio::io_context>> ios;
    for (int t = 0; t < threads; ++t) ios.push_back(std::make_unique<asio::io_context>());
    UpstreamOptions options;
    options.connections_max = 6;
    auto upstream = std::move(*Upstream::make({url}, options, metrics));
    auto work = [&](int id) -> asio::awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            const std::string target = "/" + std::to_string(id) + "/" + std::to_string(i);
            auto r = request(Method::get, target);
            const auto answer = co_await upstream->fetch(std::move(r));
            if (answer && answer->content == target) ++good;
        }
        finished.count_down();
    };
    for (int f = 0; f < threads * fetchers; ++f)
        asio::co_spawn(*ios[static_cast<std::size_t>(f % threads)], work(f), asio::detached);
    std::vector<std::thread> runners;
    for (auto& io : ios) runners.emplace_back([&io] { io->run(); });
    // The pools' timers keep the contexts busy: the upstream goes when the work is done.
    finished.wait();
    upstream.reset();
    for (auto& runner : runners) runner.join();
    EXPECT_EQ(good.load(), threads * fetchers * rounds);
    EXPECT_EQ(metrics.sum(base::Counter::origin_retries), 0U);
    server_io.stop();
    server.join();
}

}  // namespace
}  // namespace etage::origin
