// Codings of what is not (yet) on the shelf, from outside.

#include "flow/walk_fixture.hpp"

#include "codec/stream.hpp"

namespace etage::flow::testing {
namespace {

using codec::Format;

std::string decoded(const Reply& reply) {
    const std::string coding = reply["content-encoding"];
    if (coding.empty()) return reply.body;
    const Format format = coding == "br" ? Format::brotli : coding == "zstd" ? Format::zstd : Format::gzip;
    return codec::decode(format, reply.body, {16 << 20, 1000}).value_or("not " + coding);
}

class Streams : public ::testing::Test {
protected:
    explicit Streams(std::vector<RoutePolicy> routes = {}) : house(std::move(routes)) {
        say.fields = {{"Cache-Control", "no-store"},
                      {"Content-Type", "text/plain"},
                      {"ETag", "\"1\""},
                      {"Accept-Ranges", "bytes"},
                      {"Content-Digest", "sha-256=:x:"}};
        say.body = text;
        say.stream = true;
        house.origin.script = [this](const Seen&) { return say; };
    }
    void cache_control(const std::string& value) { say.fields[0].second = value; }
    Reply get(const std::string& accept, std::vector<std::string> more = {}) {
        more.push_back("Accept-Encoding: " + accept);
        return house.get("GET /a", more);
    }

    TestHouse house;
    std::string text = lines(300);
    Say say;
};

TEST_F(Streams, WhatIsNotStoredIsEncodedOnItsWay) {
    for (const char* coding : {"gzip", "br", "zstd"}) {
        const Reply reply = get(coding);
        EXPECT_EQ(reply["content-encoding"], coding);
        EXPECT_EQ(decoded(reply), text);
        EXPECT_EQ(reply["etag"], "W/\"1\"");
        EXPECT_EQ(reply["vary"], "Accept-Encoding");
        EXPECT_EQ(reply["cache-status"].substr(0, 7), "etage; ");
        for (const char* gone : {"content-length", "accept-ranges", "content-digest"})
            EXPECT_FALSE(reply.fields.contains(gone)) << gone;
    }
    const Reply plain = get("identity");
    EXPECT_EQ(plain.body, text);
    EXPECT_EQ(plain["etag"], "\"1\"");
    EXPECT_EQ(plain["vary"], "Accept-Encoding");
    EXPECT_EQ(plain["content-digest"], "sha-256=:x:");
    EXPECT_EQ(house.metrics.sum(base::Counter::compressions), 3U);
    EXPECT_EQ(*house.walk->rooms().coded_streams, 0U);
}

TEST_F(Streams, Rfc9110_Section9_3_2_HeadSaysWhatGetWould) {
    for (const bool stream : {true, false}) {
        for (const int bytes : {0, 700, 9000}) {
            say.stream = stream;
            say.sized = true;
            say.body = text.substr(0, static_cast<std::size_t>(std::min(bytes, 700)));
            if (bytes > 700) say.body = lines(400);
            Reply get = this->get("gzip");
            Reply head = house.get("HEAD /a", {"Accept-Encoding: gzip"});
            EXPECT_EQ(head.body, "");
            EXPECT_EQ(get.fields.contains("content-encoding"), bytes > 0);
            for (const char* of_its_own : {"cache-status", "date"}) {
                get.fields.erase(of_its_own);
                head.fields.erase(of_its_own);
            }
            EXPECT_EQ(get.fields, head.fields) << stream << ' ' << bytes;
        }
    }
}

TEST_F(Streams, WhatIsSmallAndHereIsEncodedWholeAndSaysHowLongItIs) {
    say.stream = false;
    say.body = text.substr(0, 3000);
    const Reply reply = get("br");
    EXPECT_EQ(reply["content-encoding"], "br");
    EXPECT_EQ(reply["content-length"], std::to_string(reply.body.size()));
    EXPECT_EQ(reply["etag"], "W/\"1\"");
    EXPECT_EQ(decoded(reply), say.body);
    say.body = lines(20'000);
    const Reply large = get("br");
    EXPECT_FALSE(large.fields.contains("content-length"));
    EXPECT_EQ(decoded(large), say.body);
    say.body = "0123456789";
    EXPECT_EQ(get("br")["content-length"], "10");
}

TEST_F(Streams, AnyMethodAndAnyStatusWithContent) {
    say.status = 404;
    const Reply reply = house.get("POST /a", {"Accept-Encoding: gzip"}, "content");
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(reply["content-encoding"], "gzip");
    EXPECT_EQ(decoded(reply), text);
}

TEST_F(Streams, TheOriginMayHaveDoneIt) {
    say.fields.emplace_back("Content-Encoding", "deflate");
    const Reply reply = get("gzip, deflate");
    EXPECT_EQ(reply["content-encoding"], "deflate");
    EXPECT_EQ(reply.body, text);
    EXPECT_EQ(reply["etag"], "\"1\"");
}

TEST_F(Streams, EventsAreNotTouched) {
    say.fields[1].second = "text/event-stream";
    const Reply reply = get("gzip");
    EXPECT_EQ(reply.body, text);
    for (const char* added : {"content-encoding", "vary"}) EXPECT_FALSE(reply.fields.contains(added)) << added;
}

TEST_F(Streams, Rfc9111_Section5_2_2_6_NoTransformForbidsIt) {
    cache_control("no-store, no-transform");
    EXPECT_FALSE(get("gzip").fields.contains("content-encoding"));
    cache_control("no-store");
    EXPECT_FALSE(get("gzip", {"Cache-Control: no-transform"}).fields.contains("content-encoding"));
    EXPECT_EQ(get("gzip")["content-encoding"], "gzip");
}

TEST_F(Streams, WhatIsCutStaysCut) {
    say.cut = true;
    for (const char* coding : {"identity", "gzip", "br", "zstd"}) EXPECT_TRUE(get(coding).body_failed) << coding;
    cache_control("max-age=60");
    for (const char* coding : {"identity", "gzip", "br", "zstd"}) EXPECT_TRUE(get(coding).body_failed) << coding;
    EXPECT_EQ(house.store.usage().entries, 0U);
}

TEST_F(Streams, EachPieceOfUnknownLengthIsThereAtOnce) {
    say.body = "line1line2line3";  // pieces of five
    const auto reply = house.ask("GET /a", {"Accept-Encoding: gzip"});
    auto decoder = codec::StreamDecoder::make(Format::gzip, {1 << 20, 1000});
    std::string seen;
    std::size_t read = 0;
    for (const std::size_t arrived : {5U, 10U, 15U}) {
        while (seen.size() < arrived && !reply->done) {
            house.pass(1ms);
            ASSERT_TRUE(decoder.append(seen, std::string_view(reply->body).substr(read)));
            read = reply->body.size();
        }
        EXPECT_EQ(seen, say.body.substr(0, arrived));
    }
}

TEST_F(Streams, WhoReadsAlongIsEncodedForByHimself) {
    cache_control("max-age=60");
    say.body = text.substr(0, 500);
    const auto gzip = house.ask("GET /a", {"Accept-Encoding: gzip"});
    house.pass(10ms);
    const auto plain = house.ask("GET /a");
    const auto zstd = house.ask("GET /a", {"Accept-Encoding: zstd"});
    while (!gzip->done || !plain->done || !zstd->done) house.pass(1ms);
    EXPECT_EQ(gzip->fields["content-encoding"], "gzip");
    EXPECT_EQ(zstd->fields["content-encoding"], "zstd");
    for (const auto& reply : {gzip, plain, zstd}) {
        EXPECT_EQ(decoded(*reply), say.body);
        EXPECT_EQ(reply->fields["vary"], "Accept-Encoding");
    }
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

TEST_F(Streams, Rfc9110_Section13_1_2_TheWeakTagOfAStreamGets304FromTheEntry) {
    cache_control("max-age=60");
    const Reply arriving = get("gzip");
    EXPECT_EQ(arriving["etag"], "W/\"1\"");
    house.finish_compressing();
    house.settle();
    const Reply again = get("gzip", {"If-None-Match: " + arriving["etag"]});
    EXPECT_EQ(again.status, 304);
    EXPECT_TRUE(again.verdict.hit);
    EXPECT_EQ(get("gzip")["etag"], "\"1-g\"");
}

TEST_F(Streams, AConditionOnWhatArrivesIsAnsweredWithTheSameTag) {
    cache_control("max-age=60");
    house.ask("GET /a");
    house.pass(3ms);
    const Reply reply = get("gzip", {"If-None-Match: W/\"1\""});
    EXPECT_EQ(reply.status, 304);
    EXPECT_EQ(reply["etag"], "W/\"1\"");
    EXPECT_EQ(reply["vary"], "Accept-Encoding");
    EXPECT_FALSE(reply.fields.contains("content-encoding"));
    EXPECT_EQ(get("gzip", {"If-Match: \"2\""}).status, 412);
}

TEST_F(Streams, OneTooManyGoesOutAsItCame) {
    auto& taken = *house.walk->rooms().coded_streams;
    taken = house.walk->rooms().limits.coded_streams_max;
    const Reply reply = get("gzip");
    EXPECT_EQ(reply.body, text);
    EXPECT_EQ(reply["etag"], "\"1\"");
    EXPECT_EQ(reply["vary"], "Accept-Encoding");
    EXPECT_EQ(taken, house.walk->rooms().limits.coded_streams_max);
    taken = 0;
    EXPECT_EQ(get("gzip")["content-encoding"], "gzip");
}

RoutePolicy passing(bool compress) {
    RoutePolicy route;
    route.match = "/**";
    route.cache.pass = true;
    route.client.compress = compress;
    return route;
}

class Passing : public Streams {
protected:
    Passing() : Streams({passing(true)}) {}
};
class Uncompressed : public Streams {
protected:
    Uncompressed() : Streams({passing(false)}) {}
};

TEST_F(Passing, WhatPassesIsEncodedToo) {
    const Reply reply = get("gzip", {"Authorization: Bearer x", "Cookie: a=b"});
    EXPECT_EQ(reply["content-encoding"], "gzip");
    EXPECT_EQ(decoded(reply), text);
    EXPECT_EQ(http::find(house.origin.seen[0].fields, "accept-encoding"), "gzip");
}

TEST_F(Uncompressed, ARouteMaySayNo) {
    const Reply reply = get("gzip");
    EXPECT_FALSE(reply.fields.contains("content-encoding"));
    EXPECT_EQ(reply.body, text);
}

}  // namespace
}  // namespace etage::flow::testing
