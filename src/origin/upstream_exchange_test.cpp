#include "origin/upstream_exchange.hpp"

#include "http/h1_writer.hpp"
#include "origin/upstream_fixture.hpp"

#include <rapidcheck.h>

namespace etage::origin {
namespace {

using http::FieldId;
using http::Method;

using Answers = UpstreamFixture;

/// A play that answers one request with `bytes` and closes.
ScriptedOrigin::Play once(std::string bytes) {
    return [bytes = std::move(bytes)](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send(bytes);
    };
}

TEST_F(Answers, SmallOneComesCompleteWithoutBody) {
    origin.answer({"HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello"});
    const auto answer = fetch();
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->reason, "Fine");
    EXPECT_EQ(answer->body, nullptr);
    EXPECT_EQ(answer->content, "hello");
    EXPECT_EQ(answer->content_length, 5U);
    EXPECT_EQ(http::find(answer->fields, FieldId::etag), "\"a\"");
    EXPECT_EQ(origin.requests().at(0), "GET / HTTP/1.1\r\nHost: api.example\r\n\r\n");
}

TEST_F(Answers, Section7_6_1_HopByHopFieldsAreRemoved) {
    origin.answer(
        {"HTTP/1.1 200 OK\r\nConnection: x-private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nX-Public: 2\r\n"
         "Content-Length: 0\r\n\r\n"});
    const auto seen = get();
    ASSERT_FALSE(seen.error);
    EXPECT_EQ(seen.fields.size(), 1U);
    EXPECT_EQ(http::find(seen.fields, "x-public"), "2");
    EXPECT_EQ(seen.content_length, 0U);
}

TEST_F(Answers, LargeOneIsStreamed) {
    const std::string content(300'000, 'c');
    origin.answer({"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + content, "HTTP/1.1 204 No Content\r\n\r\n"});
    const auto seen = get();
    EXPECT_FALSE(seen.error);
    EXPECT_TRUE(seen.streamed);
    EXPECT_EQ(seen.content_length, 300'000U);
    EXPECT_TRUE(seen.content == content);
    EXPECT_EQ(get().status, 204);
    EXPECT_EQ(origin.connections(), 1);
}

const std::string chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n";

TEST_F(Answers, Section7_1_Chunked) {
    origin.answer({chunked, chunked});
    const auto seen = get();
    ASSERT_FALSE(seen.error) << seen.error->what;
    EXPECT_EQ(seen.content, "hello world");
    EXPECT_EQ(seen.content_length, 11U);  // complete, so its length is known
    EXPECT_TRUE(seen.fields.empty());
    EXPECT_EQ(get().content, "hello world");
    EXPECT_EQ(origin.connections(), 1);
}

TEST_F(Answers, ChunkedAsItComes) {
    bool first_seen = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        while (!first_seen) co_await asio::post(net::quietly);
        co_await c.send("1\r\n!\r\n0\r\n\r\n");
    });
    const auto answer = fetch();
    ASSERT_TRUE(answer);
    ASSERT_TRUE(answer->body);
    EXPECT_FALSE(answer->content_length);
    EXPECT_EQ(run(answer->body->read()), "hello");
    first_seen = true;
    EXPECT_EQ(run(answer->body->read()), "!");
    EXPECT_EQ(run(answer->body->read()), "");
    EXPECT_EQ(run(answer->body->read()), "");
}

TEST_F(Answers, Section6_3_UntilClose) {
    origin.play(once("HTTP/1.1 200 OK\r\n\r\nas much as comes"));
    origin.play(once("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
    auto seen = get();
    EXPECT_FALSE(seen.error);
    EXPECT_FALSE(seen.content_length);
    EXPECT_EQ(seen.content, "as much as comes");
    seen = get();
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.content, "");
    EXPECT_EQ(origin.connections(), 2);
}

TEST_F(Answers, UntilCloseEndedByAResetIsIncomplete) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.send("HTTP/1.1 200 OK\r\n\r\nhalf");
        co_await asio::post(net::quietly);
        c.reset();
    });
    expect_failure(get(), Fault::origin_incomplete, origin.url());
}

TEST_F(Answers, Section6_3_NoContentAfterHead204And304) {
    origin.answer({"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
                   "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"a\"\r\n\r\n",
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"});
    const auto head = get(request(Method::head));
    EXPECT_EQ(head.content_length, 1000U);
    EXPECT_FALSE(head.streamed);
    const auto no_content = get();
    EXPECT_EQ(no_content.status, 204);
    EXPECT_FALSE(no_content.content_length);
    const auto not_modified = get();
    EXPECT_EQ(not_modified.status, 304);
    EXPECT_EQ(not_modified.content_length, 1000U);
    EXPECT_EQ(not_modified.content, "");
    const auto chunked_head = get(request(Method::head));
    EXPECT_FALSE(chunked_head.error);
    EXPECT_FALSE(chunked_head.content_length);
    EXPECT_EQ(origin.connections(), 1);
}

TEST_F(Answers, ByteByByteIsTheSame) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.request();
        co_await c.drip("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n");
        co_await c.drip(chunked);
        co_await c.request();
        co_await c.drip("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        co_await c.request();
        co_await c.drip("HTTP/1.1 404 Not Found\r\n\r\nuntil the end");
    });
    EXPECT_EQ(get().content, "hello world");
    EXPECT_EQ(get().content, "hello");
    EXPECT_EQ(get().content, "until the end");
    EXPECT_EQ(origin.connections(), 1);
}

TEST_F(Answers, CutAnywhereIsTheSame) {
    const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for (const std::string& whole : {length, chunked}) {
        ScriptedOrigin cutting(io);
        for (std::size_t cut = 1; cut < whole.size(); ++cut)
            cutting.play([&whole, cut](Conversation& c) -> asio::awaitable<void> {
                co_await c.request();
                co_await c.send(whole.substr(0, cut));
                co_await asio::post(net::quietly);
                co_await c.send(whole.substr(cut));
            });
        options.idle_max = 0;
        open({cutting.url()});
        for (std::size_t cut = 1; cut < whole.size(); ++cut) {
            const auto seen = get();
            ASSERT_FALSE(seen.error) << cut << seen.error->what;
            EXPECT_EQ(seen.content, &whole == &chunked ? "hello world" : seen.content);
            EXPECT_TRUE(seen.content.starts_with("hello"));
        }
    }
}

TEST_F(Answers, TruncatedAtEveryOffsetIsIncompleteAndNeverAskedTwice) {
    const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for (const std::string& whole : {length, chunked}) {
        ScriptedOrigin cutting(io);
        for (std::size_t cut = 0; cut < whole.size(); ++cut) cutting.play(once(whole.substr(0, cut)));
        open({cutting.url()});
        for (std::size_t cut = 0; cut < whole.size(); ++cut) {
            const auto seen = get();
            ASSERT_TRUE(seen.error) << cut;
            expect_failure(seen, Fault::origin_incomplete, cutting.url());
        }
        EXPECT_EQ(cutting.requests().size(), whole.size());
    }
    EXPECT_EQ(retries(), 0U);
}

TEST_F(Answers, AfterAFailureTheBodyRepeatsIt) {
    origin.play(once("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"));
    const auto answer = fetch();
    ASSERT_TRUE(answer);
    EXPECT_EQ(run(answer->body->read()), "hel");
    for (int i = 0; i < 2; ++i) {
        const auto piece = run(answer->body->read());
        ASSERT_FALSE(piece);
        EXPECT_EQ(piece.error().what, origin.url() + ": the connection ended after 3 bytes of content");
    }
}

TEST_F(Answers, WhatIsNotHttpIsRefused) {
    const std::vector<std::string> malformed = {
        "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",  // RFC 9112 §6.1
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",              // RFC 9112 §6.3
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    };
    for (const auto& bytes : malformed) origin.play(once(bytes));
    for (const auto& bytes : malformed) {
        SCOPED_TRACE(bytes);
        expect_failure(get(), Fault::origin_protocol, origin.url());
    }
    EXPECT_EQ(origin.connections(), static_cast<int>(malformed.size()));
}

TEST_F(Answers, ChunkFramingErrorInTheMiddle) {
    origin.play(once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX5\r\nworld\r\n0\r\n\r\n"));
    const auto seen = get();
    expect_failure(seen, Fault::origin_protocol, origin.url());
    EXPECT_TRUE(std::string("hello").starts_with(seen.content));
}

TEST_F(Answers, HeadLargerThanTheLimit) {
    origin.play(once("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n"));
    expect_failure(get(), Fault::origin_protocol, origin.url());
}

TEST_F(Answers, MalformedContentThatCameWithTheHeadIsNoAnswer) {
    for (const auto* content : {"0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
                                "5\r\nhello\r\n0\r\nX y\r\n\r\n"}) {
        origin.answer({std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + content});
        const auto answer = fetch();
        ASSERT_FALSE(answer) << content;
        EXPECT_EQ(answer.error().fault, Fault::origin_protocol);
    }
}

TEST_F(Answers, LongHeadOfSurrogateKeysFits) {
    const std::string keys(60'000, 'k');
    origin.play(once("HTTP/1.1 200 OK\r\nSurrogate-Key: " + keys + "\r\nContent-Length: 20000\r\n\r\n" +
                     std::string(20'000, 'c')));
    const auto seen = get();
    ASSERT_FALSE(seen.error) << seen.error->what;
    EXPECT_EQ(http::find(seen.fields, FieldId::surrogate_key), keys);
    EXPECT_EQ(seen.content.size(), 20'000U);
}

TEST_F(Answers, Section15_2_InterimResponsesAreSkipped) {
    const std::string interims =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
    origin.answer({interims + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
    const auto seen = get();
    EXPECT_EQ(seen.status, 200);
    EXPECT_EQ(seen.content, "ok");
    EXPECT_EQ(seen.fields.size(), 0U);
}

TEST_F(Answers, InterimResponsesWithoutEndAreRefused) {
    std::string interims;
    for (int i = 0; i < 17; ++i) interims += "HTTP/1.1 103 Early Hints\r\n\r\n";
    origin.play(once(interims + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    expect_failure(get(), Fault::origin_protocol, origin.url(), "interim");
}

TEST_F(Answers, UnusualStatusesPass) {
    const std::vector<int> statuses = {299, 418, 499, 599, 999};
    std::vector<std::string> answers;
    for (const int s : statuses) answers.push_back("HTTP/1.1 " + std::to_string(s) + " \r\nContent-Length: 0\r\n\r\n");
    origin.answer(answers);
    for (const int s : statuses) EXPECT_EQ(get().status, s);
}

/// Whatever the pieces: what arrives is what was sent.
TEST_F(Answers, AnyContentInAnyChunksArrivesWhole) {
    rc::check([&](const std::vector<std::string>& pieces) {
        std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", content;
        for (const auto& piece : pieces) {
            if (piece.empty()) continue;
            std::array<char, 20> line{};
            bytes += http::chunk_head(line, piece.size());
            bytes += piece + "\r\n";
            content += piece;
        }
        bytes += http::last_chunk;
        ScriptedOrigin any(io);
        any.play(once(bytes));
        open({any.url()});
        const auto seen = get();
        RC_ASSERT(!seen.error);
        RC_ASSERT(seen.content == content);
        upstream.reset();
    });
}

}  // namespace
}  // namespace etage::origin
