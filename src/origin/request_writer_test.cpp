#include "origin/request_writer.hpp"

#include "origin/upstream_fixture.hpp"

namespace etage::origin {
namespace {

using http::FieldId;
using http::Method;

std::string head_of(const flow::OriginRequest& r) {
    std::string out;
    append_request_head(out, r, "127.0.0.1:8000");
    return out;
}

TEST(RequestWriter, LineHostFieldsInOrder) {
    auto r = request(Method::get, "/posts?limit=5");
    r.fields.add("Accept", "*/*");
    r.fields.add("X-One", "1");
    r.fields.add("x-one", "2");
    EXPECT_EQ(head_of(r),
              "GET /posts?limit=5 HTTP/1.1\r\nHost: api.example\r\nAccept: */*\r\nX-One: 1\r\nx-one: 2\r\n\r\n");
}

TEST(RequestWriter, UnknownMethodsGoAsTheyCame) {
    auto r = request(Method::other);
    r.method_text = "BREW";
    EXPECT_TRUE(head_of(r).starts_with("BREW / HTTP/1.1\r\n"));
}

TEST(RequestWriter, HostIsTheEndpointWhenTheRequestHasNone) {
    auto r = request();
    r.authority.clear();
    EXPECT_EQ(head_of(r), "GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n");
}

TEST(RequestWriterRfc9112, Section6_3_FramingIsMadeFromThePartsOnly) {
    auto r = request(Method::post);
    r.fields.add(FieldId::content_length, "99");
    r.fields.add(FieldId::transfer_encoding, "gzip, chunked");
    r.fields.add(FieldId::host, "evil.example");
    r.fields.add(FieldId::connection, "close");
    r.fields.add(FieldId::expect, "100-continue");
    r.body = std::make_shared<PieceSource>(std::vector<std::string>{});
    r.content_length = 5;
    EXPECT_EQ(head_of(r), "POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5\r\n\r\n");
    r.content_length.reset();
    EXPECT_EQ(head_of(r), "POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(RequestWriterRfc9110, Section8_6_NoContentIsSaidWhereContentIsUsual) {
    for (const Method m : {Method::post, Method::put, Method::patch})
        EXPECT_NE(head_of(request(m)).find("\r\nContent-Length: 0\r\n"), std::string::npos);
    for (const Method m : {Method::get, Method::head, Method::delete_, Method::options})
        EXPECT_EQ(head_of(request(m)).find("Content-Length"), std::string::npos);
}

using Upload = UpstreamFixture;

flow::OriginRequest upload(std::vector<std::string> pieces, std::optional<std::uint64_t> length) {
    auto r = request(Method::post);
    r.body = std::make_shared<PieceSource>(std::move(pieces));
    r.content_length = length;
    return r;
}

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(Upload, OfKnownLength) {
    origin.answer({ok, ok});
    EXPECT_EQ(get(upload({"hello ", "wor", "ld"}, 11)).content, "ok");
    EXPECT_EQ(origin.requests().at(0), "POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 11\r\n\r\nhello world");
    EXPECT_EQ(get(upload({}, 0)).content, "ok");
    EXPECT_EQ(origin.connections(), 1);  // both were whole: the connection was used again
}

TEST_F(Upload, Chunked) {
    origin.answer({ok, ok});
    EXPECT_EQ(get(upload({"hello ", std::string(300, 'x')}, {})).content, "ok");
    EXPECT_EQ(origin.requests().at(0),
              "POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n12c\r\n" +
                  std::string(300, 'x') + "\r\n0\r\n\r\n");
    EXPECT_EQ(get(upload({}, {})).content, "ok");
    EXPECT_EQ(origin.connections(), 1);
}

TEST_F(Upload, LargerThanEveryBufferIsHeldBackByASlowReader) {
    const std::string piece(256 * 1024, 'p');
    for (const auto length : {std::optional<std::uint64_t>(32 * piece.size()), std::optional<std::uint64_t>()}) {
        origin.answer({ok});  // reads 4 KiB at a time
        const auto seen = get(upload(std::vector<std::string>(32, piece), length));
        EXPECT_FALSE(seen.error) << seen.error->what;
        EXPECT_EQ(seen.content, "ok");
        EXPECT_GT(origin.requests().back().size(), 32 * piece.size());
    }
}

TEST_F(Upload, EarlyAnswerEndsTheUploadAndTheConnection) {
    const std::string piece(256 * 1024, 'p');
    auto r = upload(std::vector<std::string>(256, piece), 256 * piece.size());
    const auto source = std::static_pointer_cast<PieceSource>(r.body);
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.take_head();
        co_await c.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!");
        co_await asio::post(net::quietly);
        while (!co_await c.closed()) {
        }  // reads nothing of it that counts
    });
    const auto seen = get(std::move(r));
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.status, 413);
    EXPECT_EQ(seen.content, "no!");
    EXPECT_LT(source->taken(), 256U);

    origin.answer({ok});
    EXPECT_EQ(get().content, "ok");
    EXPECT_EQ(origin.connections(), 2);
}

TEST_F(Upload, EarlyAnswerOfAnOriginThatDoesNotReadIsNoticed) {
    const std::string piece(1024 * 1024, 'p');
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.take_head();
        // Answers only once the upload is stuck, and never reads it.
        for (int i = 0; i < 200; ++i) co_await asio::post(net::quietly);
        co_await c.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        net::Timer never(c.socket().get_executor(), Instant::max());
        co_await never.async_wait(net::quietly);
    });
    const auto seen = get(upload(std::vector<std::string>(64, piece), 64 * piece.size()));
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.status, 401);
}

TEST_F(Upload, InterimResponseDoesNotEndIt) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.send("HTTP/1.1 100 Continue\r\n\r\n");
        co_await c.request();
        co_await c.send(ok);
    });
    const std::string piece(512 * 1024, 'p');
    const auto seen = get(upload(std::vector<std::string>(16, piece), {}));
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.content, "ok");
}

TEST_F(Upload, AnswerBeforeAResetIsStillRead) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.take_head();
        co_await c.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        c.close();
    });
    const auto seen = get(upload(std::vector<std::string>(64, std::string(64 * 1024, 'p')), {}));
    // The reset may overtake the answer in the kernel; then it says so, and never hangs.
    if (seen.error)
        EXPECT_EQ(seen.error->fault, Fault::origin_incomplete);
    else
        EXPECT_EQ(seen.status, 403);
}

TEST_F(Upload, FailureOfTheClientIsPassedOnAndTheConnectionClosed) {
    bool closed = false;
    origin.play([&](Conversation& c) -> asio::awaitable<void> {
        co_await c.take_head();
        while (!co_await c.closed()) {
        }
        closed = true;
    });
    auto r = request(Method::post);
    r.body = std::make_shared<PieceSource>(std::vector<std::string>{"half"},
                                           Error{Blame::client, Fault::request_timeout, false, "the client is gone"});
    const auto seen = get(std::move(r));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->blame, Blame::client);
    EXPECT_EQ(seen.error->what, "the client is gone");
    EXPECT_TRUE(until([&] { return closed; }));
}

TEST_F(Upload, ContentOfAnotherLengthThanAnnouncedIsTheClientsFault) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        while (!co_await c.closed()) {
        }
    });
    for (const auto& pieces : {std::vector<std::string>{"hello", "!"}, std::vector<std::string>{"hell"}}) {
        const auto seen = get(upload(pieces, 5));
        ASSERT_TRUE(seen.error);
        EXPECT_EQ(seen.error->blame, Blame::client);
        EXPECT_EQ(seen.error->fault, Fault::bad_request);
    }
    EXPECT_TRUE(origin.requests().empty());
}

TEST_F(Upload, NotTakenInTimeIsATimeout) {
    origin.play([](Conversation& c) -> asio::awaitable<void> {
        co_await c.take_head();
        net::Timer never(c.socket().get_executor(), Instant::max());
        co_await never.async_wait(net::quietly);
    });
    const auto r = upload(std::vector<std::string>(64, std::string(1024 * 1024, 'p')), {});
    const auto source = std::static_pointer_cast<PieceSource>(r.body);
    const auto result = begin(r);
    ASSERT_TRUE(until([&] { return source->taken() > 0; }));
    for (std::size_t before = 0; before != source->taken();) {  // until it is stuck
        before = source->taken();
        pass(0s);
    }
    pass(14s);
    EXPECT_FALSE(*result);
    pass(1s);
    ASSERT_TRUE(*result);
    expect_failure(**result, Fault::origin_timeout, origin.url(), "not taken within 15 s");
}

}  // namespace
}  // namespace etage::origin
