// What an origin encoded unasked, from outside.

#include "flow/walk_fixture.hpp"

#include "codec/coding.hpp"

namespace etage::flow::testing {
namespace {

using codec::Format;

std::string gzipped(const std::string& text) {
    return codec::encode(Format::gzip, text, codec::Effort::fast).value_or("");
}

class Encoded : public ::testing::Test {
protected:
    Encoded() {
        say.fields = {{"Cache-Control", "max-age=60"}, {"Content-Type", "text/plain"},
                      {"Content-Encoding", "gzip"},    {"ETag", "\"1\""},
                      {"Content-Digest", "of-gzip"},   {"Vary", "Accept-Encoding"}};
        say.body = coded;
        house.origin.script = [this](const Seen&) { return say; };
    }
    Reply get(const std::string& accept, std::vector<std::string> more = {}) {
        more.push_back("Accept-Encoding: " + accept);
        const Reply reply = house.get("GET /a", more);
        house.finish_compressing();
        return reply;
    }

    TestHouse house;
    std::string text = lines(300);
    std::string coded = gzipped(text);
    Say say;
};

TEST_F(Encoded, BothFormsLieInOneEntryUnderTagsOfTheirOwn) {
    const Reply plain = get("identity");
    EXPECT_EQ(plain.body, text);
    EXPECT_EQ(plain["etag"], "\"1-i\"");
    EXPECT_EQ(plain["content-length"], std::to_string(text.size()));
    EXPECT_EQ(plain["accept-ranges"], "bytes");
    EXPECT_FALSE(plain.fields.contains("content-encoding"));
    EXPECT_FALSE(plain.fields.contains("content-digest"));
    const Reply gzip = get("gzip");
    EXPECT_TRUE(gzip.verdict.hit);
    EXPECT_EQ(gzip.body, coded) << "as the origin sent it";
    EXPECT_EQ(gzip["etag"], "\"1\"");
    EXPECT_EQ(gzip["content-encoding"], "gzip");
    EXPECT_EQ(gzip["content-digest"], "of-gzip");
    EXPECT_EQ(gzip["content-length"], std::to_string(coded.size()));
    for (const Reply& reply : {plain, gzip}) EXPECT_EQ(reply["vary"], "Accept-Encoding");
    EXPECT_EQ(house.get("GET /a").body, text) << "nothing said: what everybody can read";
    EXPECT_EQ(house.origin.seen.size(), 1U);
    EXPECT_EQ(house.store.usage().entries, 1U);
    EXPECT_EQ(house.metrics.sum(base::Counter::decodings), 1U);
}

TEST_F(Encoded, OtherCodingsAreMadeOfTheContentAndTheOriginsIsKept) {
    get("gzip");
    get("br");
    const Reply br = get("br");
    EXPECT_EQ(br["content-encoding"], "br");
    EXPECT_EQ(br["etag"], "\"1-b\"");
    EXPECT_FALSE(br.fields.contains("content-digest"));
    EXPECT_EQ(codec::decode(Format::brotli, br.body, {1 << 20, 1000}).value_or(""), text);
    for (int i = 0; i < 40; ++i) get("gzip");
    EXPECT_EQ(get("gzip").body, coded);
    EXPECT_EQ(get("gzip")["etag"], "\"1\"");
}

TEST_F(Encoded, Rfc9110_Section13_1_2_AnyFormsTagGets304) {
    get("gzip");
    for (const char* tag : {"\"1\"", "\"1-i\"", "\"1-b\"", "W/\"1\""})
        for (const char* accept : {"gzip", "identity"})
            EXPECT_EQ(get(accept, {std::string("If-None-Match: ") + tag}).status, 304) << tag << accept;
    EXPECT_EQ(get("gzip", {"If-None-Match: \"2\""}).status, 200);
}

TEST_F(Encoded, Rfc9110_Section14_RangesAreOfTheContent) {
    get("gzip");
    const Reply part = get("gzip", {"Range: bytes=5-9"});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, text.substr(5, 5));
    EXPECT_EQ(part["etag"], "\"1-i\"");
    EXPECT_EQ(get("gzip", {"Range: bytes=5-9", "If-Range: \"1-i\""}).status, 206);
    EXPECT_EQ(get("gzip", {"Range: bytes=5-9", "If-Range: \"1\""}).status, 200) << "those were other bytes";
}

TEST_F(Encoded, Rfc9111_Section4_3_1_TheOriginIsAskedAboutItsOwnTag) {
    say.fields[0].second = "max-age=1";
    get("identity");
    house.pass(2s);
    house.origin.script = [](const Seen&) {
        Say fresh;
        fresh.status = 304;
        fresh.fields = {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}};
        return fresh;
    };
    EXPECT_EQ(get("identity").body, text);
    EXPECT_EQ(http::find(house.origin.seen[1].fields, "if-none-match"), "\"1\"");
    const Reply gzip = get("gzip");
    EXPECT_TRUE(gzip.verdict.hit);
    EXPECT_EQ(gzip.body, coded);
    EXPECT_EQ(gzip["etag"], "\"1\"");
}

TEST_F(Encoded, Rfc9111_Section4_3_5_HeadSpeaksOfWhatTheOriginSent) {
    say.fields[0].second = "max-age=1";
    get("identity");
    house.pass(2s);
    house.origin.script = [this](const Seen&) {
        Say head = say;
        head.fields[0].second = "max-age=60";
        head.sized = true;
        return head;
    };
    EXPECT_EQ(house.get("HEAD /a").status, 200);
    EXPECT_TRUE(get("identity").verdict.hit);
}

TEST_F(Encoded, WithoutATagOfTheOriginsOursAreAsEver) {
    say.fields.erase(say.fields.begin() + 3);
    const std::string tag = get("identity")["etag"];
    EXPECT_EQ(tag.size(), 34U);
    EXPECT_EQ(get("gzip")["etag"], tag.substr(0, 33) + "-g\"");
}

TEST_F(Encoded, NoTransformMeansNoDecoding) {
    say.fields[0].second = "max-age=60, no-transform";
    const Reply plain = get("identity");
    EXPECT_EQ(plain.body, coded);
    EXPECT_EQ(plain["content-encoding"], "gzip");
    EXPECT_EQ(plain["etag"], "\"1\"");
}

TEST_F(Encoded, Rfc9111_Section5_2_1_6_WhoWantsNothingTransformedGetsWhatWasSent) {
    EXPECT_EQ(get("identity").body, text);
    const Reply reply = get("gzip, br", {"Cache-Control: no-transform"});
    EXPECT_TRUE(reply.verdict.hit);
    EXPECT_EQ(reply.body, coded);
    EXPECT_EQ(reply["etag"], "\"1\"");
}

TEST_F(Encoded, WhatIsNotKnownIsKeptAsItIs) {
    say.fields[2].second = "deflate";
    EXPECT_EQ(get("identity").body, coded);
    EXPECT_EQ(get("identity")["content-encoding"], "deflate");
    EXPECT_TRUE(get("identity").verdict.hit);
}

TEST_F(Encoded, Rfc9110_Section14_APartOfEncodedBytesPassesAsItIsAndIsNotKept) {
    house.origin.script = [this](const Seen& seen) {
        Say part = say;
        if (!http::contains(seen.fields, http::FieldId::range)) return part;
        part.status = 206;
        part.fields.emplace_back("Content-Range", "bytes 0-9/" + std::to_string(coded.size()));
        part.body = coded.substr(0, 10);
        return part;
    };
    const Reply part = get("identity", {"Range: bytes=0-9"});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, coded.substr(0, 10));
    EXPECT_EQ(part["content-encoding"], "gzip");
    EXPECT_EQ(part["etag"], "\"1\"");
    EXPECT_EQ(get("identity").body, text);
    EXPECT_EQ(get("gzip").body, coded);
}

TEST_F(Encoded, AnEmptyContentIsNoneInAnyCoding) {
    say.body = "";
    const Reply reply = get("identity");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply["content-length"], "0");
    EXPECT_FALSE(reply.body_failed);
}

// ---- too much, or damaged: one coding only

TEST_F(Encoded, WhatIsTooMuchToKeepIsDecodedForEachWhoNeedsIt) {
    text = lines(700'000);  // more than an entry may be
    coded = gzipped(text);
    say.body = coded;
    const Reply first = get("identity");
    EXPECT_EQ(first.body.size(), text.size());
    Reply second = get("identity");
    EXPECT_TRUE(second.verdict.hit);
    EXPECT_EQ(second.body, text);
    EXPECT_EQ(second["etag"], "W/\"1\"");
    EXPECT_EQ(second["vary"], "Accept-Encoding");
    for (const char* gone : {"content-encoding", "content-length", "content-digest", "accept-ranges"})
        EXPECT_FALSE(second.fields.contains(gone)) << gone;
    EXPECT_EQ(get("identity", {"If-None-Match: W/\"1\""}).status, 304);
    Reply head = house.get("HEAD /a", {"Accept-Encoding: identity"});
    EXPECT_TRUE(head.verdict.hit);
    for (const char* of_its_moment : {"age", "cache-status"}) {
        head.fields.erase(of_its_moment);
        second.fields.erase(of_its_moment);
    }
    EXPECT_EQ(head.fields, second.fields);
    const Reply gzip = get("gzip");
    EXPECT_EQ(gzip.body, coded);
    EXPECT_EQ(gzip["etag"], "\"1\"");
    EXPECT_EQ(house.get("GET /a").body, coded) << "RFC 9110 §12.5.3: any coding will do";
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

TEST_F(Encoded, ABombIsCutAndCounted) {
    say.body = gzipped(std::string(std::size_t{512} << 20, 'x'));
    const Reply reply = get("identity");
    EXPECT_TRUE(reply.body_failed);
    EXPECT_LE(reply.body.size(), say.body.size() * 300);
    EXPECT_EQ(house.metrics.sum(base::Counter::decode_failures), 1U);
    EXPECT_EQ(get("gzip").body, say.body) << "who asked for it";
}

TEST_F(Encoded, DamageIsCutForWhoNeedsItDecodedAndPassedToWhoDoesNot) {
    say.body = coded.substr(0, coded.size() - 9);
    EXPECT_TRUE(get("identity").body_failed);
    EXPECT_TRUE(get("identity").body_failed);
    EXPECT_EQ(get("gzip").body, say.body);
    EXPECT_EQ(house.metrics.sum(base::Counter::decode_failures), 2U);
}

TEST_F(Encoded, AStaleOneIsDecodedAsWell) {
    text = lines(700'000);
    say.body = gzipped(text);
    say.fields[0].second = "max-age=1, stale-while-revalidate=60, stale-if-error=60";
    get("gzip");
    house.pass(2s);
    const Reply stale = get("identity");
    EXPECT_EQ(stale.verdict.detail, Detail::stale_while_revalidate);
    EXPECT_EQ(stale.body, text);
}

// ---- streams

TEST_F(Encoded, AStreamIsDecodedOnItsWay) {
    say.stream = true;
    say.fields[0].second = "no-store";
    const Reply plain = get("identity");
    EXPECT_EQ(plain.body, text);
    EXPECT_EQ(plain["etag"], "W/\"1\"");
    EXPECT_FALSE(plain.fields.contains("content-encoding"));
    EXPECT_FALSE(plain.fields.contains("content-digest"));
    EXPECT_EQ(get("gzip").body, coded);
    const Reply br = get("br");
    EXPECT_EQ(br["content-encoding"], "br");
    EXPECT_EQ(codec::decode(Format::brotli, br.body, {1 << 20, 1000}).value_or(""), text);
    EXPECT_EQ(house.get("GET /a").body, coded) << "RFC 9110 §12.5.3: any coding will do";
    say.cut = true;
    EXPECT_TRUE(get("identity").body_failed);
    EXPECT_TRUE(get("br").body_failed);
}

TEST_F(Encoded, WhoReadsAlongGetsWhatHeTakes) {
    say.stream = true;
    const auto gzip = house.ask("GET /a", {"Accept-Encoding: gzip"});
    house.pass(3ms);
    const auto plain = house.ask("GET /a", {"Accept-Encoding: identity"});
    while (!gzip->done || !plain->done) house.pass(1ms);
    EXPECT_EQ(gzip->body, coded);
    EXPECT_EQ(gzip->fields["etag"], "\"1\"");
    EXPECT_EQ(plain->body, text);
    EXPECT_EQ(plain->fields["etag"], "W/\"1\"");
    house.finish_compressing();
    house.settle();
    EXPECT_EQ(get("identity", {"If-None-Match: W/\"1\""}).status, 304);
    EXPECT_EQ(get("identity")["etag"], "\"1-i\"");
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

}  // namespace
}  // namespace etage::flow::testing
