// Codings of what is there, from outside.

#include "flow/walk_fixture.hpp"

#include "codec/coding.hpp"

namespace etage::flow::testing {
namespace {

using codec::Format;

class Codings : public ::testing::Test {
protected:
    Codings() {
        for (int i = 0; i < 400; ++i) text += "line " + std::to_string(i * i) + " of a text\n";
        house.origin.script = [this](const Seen&) {
            Say say;
            say.fields = {{"Cache-Control", "max-age=60"}, {"Content-Type", "text/plain"}, {"ETag", "\"1\""}};
            say.body = text;
            return say;
        };
    }

    Reply get(const std::string& accept) {
        const Reply reply = house.get("GET /a", {"Accept-Encoding: " + accept});
        house.finish_compressing();
        return reply;
    }
    std::string decoded(const Reply& reply) {
        const std::string coding = reply.fields.contains("content-encoding") ? reply.fields.at("content-encoding") : "";
        if (coding.empty()) return reply.body;
        const Format format = coding == "br" ? Format::brotli : coding == "zstd" ? Format::zstd : Format::gzip;
        return codec::decode(format, reply.body, {1 << 20, 1000}).value_or("not " + coding);
    }

    TestHouse house;
    std::string text;
};

TEST_F(Codings, TheOneThatWasAskedForIsMadeAndTheOthersWhenTheyAre) {
    EXPECT_EQ(get("br")["content-encoding"], "br");
    EXPECT_EQ(get("zstd")["content-encoding"], "");  // made behind this answer
    const Reply zstd = get("zstd");
    EXPECT_EQ(zstd["content-encoding"], "zstd");
    EXPECT_EQ(zstd["etag"], "\"1-z\"");
    EXPECT_EQ(get("gzip")["content-encoding"], "");
    for (const char* coding : {"gzip", "br", "zstd"}) {
        const Reply reply = get(coding);
        EXPECT_EQ(reply["content-encoding"], coding);
        EXPECT_EQ(reply["vary"], "Accept-Encoding");
        EXPECT_EQ(reply["content-length"], std::to_string(reply.body.size()));
        EXPECT_EQ(decoded(reply), text);
        EXPECT_TRUE(reply.verdict.hit);
    }
    EXPECT_EQ(house.origin.seen.size(), 1U);
    EXPECT_EQ(house.store.usage().entries, 1U);
}

TEST_F(Codings, WhatIsOftenSentIsMadeSmallerUnderAnotherTag) {
    const Reply first = get("br");
    Reply last;
    for (int i = 0; i < 40; ++i) last = get("br");
    EXPECT_LT(last.body.size(), first.body.size());
    EXPECT_EQ(first["etag"], "\"1-b\"");
    EXPECT_EQ(last["etag"], "\"1-B\"");
    EXPECT_EQ(decoded(last), text);
    const auto made = house.metrics.sum(base::Counter::compressions);
    for (int i = 0; i < 40; ++i) get("br");
    EXPECT_EQ(house.metrics.sum(base::Counter::compressions), made);
    for (const char* tag : {"\"1\"", "\"1-b\"", "\"1-B\"", "\"1-g\""})
        EXPECT_EQ(house.get("GET /a", {"Accept-Encoding: br", std::string("If-None-Match: ") + tag}).status, 304)
            << tag;
}

TEST_F(Codings, Rfc9110_Section13_1_1_WhoWritesWithTheTagOfACodingWritesWithTheOrigins) {
    const Reply read = get("gzip");
    EXPECT_EQ(read["etag"], "\"1-g\"");
    house.get("PUT /a", {"If-Match: " + read["etag"]}, "content");
    EXPECT_EQ(http::find(house.origin.seen.back().fields, "if-match"), "\"1-g\", \"1\"");
}

TEST_F(Codings, Rfc9110_Section12_5_3_WeightsDecide) {
    get("gzip");
    get("br");
    EXPECT_EQ(get("br;q=0.5, gzip")["content-encoding"], "gzip");
    EXPECT_EQ(get("br, gzip;q=0.5")["content-encoding"], "br");
    EXPECT_EQ(get("identity;q=1, br;q=0.5")["content-encoding"], "");
    EXPECT_EQ(get("*;q=0")["content-encoding"], "");
}

TEST_F(Codings, AnotherFormOfAResponseKeepsItsFenceAndGoesWithIt) {
    get("gzip");
    house.get("GET /a", {"Accept-Encoding: br"});
    house.get("DELETE /a");
    house.finish_compressing();
    EXPECT_FALSE(house.get("GET /a", {"Accept-Encoding: br"}).verdict.hit);
}

}  // namespace
}  // namespace etage::flow::testing
