// Ranges of what is there (RFC 9110 §14), from outside.

#include "flow/walk_fixture.hpp"

namespace etage::flow::testing {
namespace {

constexpr const char* modified = "Thu, 01 Jan 2026 00:00:00 GMT";

class Ranges : public ::testing::Test {
protected:
    Ranges() {
        house.origin.script = [this](const Seen&) {
            Say say;
            say.fields = {{"Cache-Control", "max-age=60"}, {"Content-Type", "text/plain"}, {"X-A", "1"}};
            if (!etag.empty()) say.fields.emplace_back("ETag", etag);
            say.fields.emplace_back("Last-Modified", modified);
            say.body = text;
            return say;
        };
    }

    Reply asked(const std::string& range, std::vector<std::string> more = {}, const std::string& line = "GET /a") {
        if (house.origin.seen.empty()) house.get("GET /a");
        more.push_back("Range: " + range);
        return house.get(line, more);
    }

    TestHouse house;
    std::string etag = "\"1\"";
    std::string text = "0123456789A";
};

TEST_F(Ranges, Rfc9110_Section14_1_2_OneRangeOfAStoredResponse) {
    for (const auto& [range, body, field] :
         {std::tuple{"bytes=0-1", "01", "bytes 0-1/11"}, std::tuple{"bytes=1-", "123456789A", "bytes 1-10/11"},
          std::tuple{"bytes=-1", "A", "bytes 10-10/11"}, std::tuple{"bytes=9-99", "9A", "bytes 9-10/11"}}) {
        const Reply reply = asked(range);
        EXPECT_EQ(reply.status, 206) << range;
        EXPECT_EQ(reply.body, body);
        EXPECT_EQ(reply["content-range"], field);
        EXPECT_EQ(reply["content-length"], std::to_string(reply.body.size()));
        EXPECT_EQ(reply["etag"], "\"1\"");
        EXPECT_EQ(reply["x-a"], "1");
        EXPECT_EQ(reply["cache-status"], "etage; hit; ttl=60");
    }
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

TEST_F(Ranges, Rfc9110_Section14_6_SeveralRanges) {
    const Reply reply = asked("bytes=0-1,5-6");
    EXPECT_EQ(reply.status, 206);
    const std::string type = reply["content-type"];
    ASSERT_TRUE(type.starts_with("multipart/byteranges; boundary=")) << type;
    const std::string boundary = "--" + type.substr(type.find('=') + 1);
    EXPECT_EQ(reply["content-length"], std::to_string(reply.body.size()));
    EXPECT_EQ(reply["content-range"], "");
    for (const char* part : {"Content-Range: bytes 0-1/11\r\n", "\r\n\r\n01\r\n", "Content-Range: bytes 5-6/11\r\n",
                             "\r\n\r\n56\r\n", "Content-Type: text/plain\r\n"})
        EXPECT_NE(reply.body.find(part), std::string::npos) << part;
    EXPECT_NE(reply.body.find(boundary + "--"), std::string::npos);
}

TEST_F(Ranges, Rfc9110_Section15_5_17_NothingOfItIsThere) {
    const Reply reply = asked("bytes=11-");
    EXPECT_EQ(reply.status, 416);
    EXPECT_EQ(reply["content-range"], "bytes */11");
}

TEST_F(Ranges, Rfc9110_Section14_2_WhatIsNoRangeIsAnsweredWhole) {
    for (const char* range : {"bytes=cow", "lines=1-2", "bytes=5-1", "bytes="}) {
        const Reply reply = asked(range);
        EXPECT_EQ(reply.status, 200) << range;
        EXPECT_EQ(reply.body, text);
    }
}

TEST_F(Ranges, Rfc9110_Section17_15_AFloodIsAnsweredWhole) {
    std::string flood = "bytes=0-";
    for (int i = 0; i < 1299; ++i) flood += ",0-";
    EXPECT_EQ(asked(flood).status, 200);
    EXPECT_EQ(asked("bytes=0-,0-,0-").status, 200);
}

TEST_F(Ranges, Rfc9110_Section14_2_HeadHasNoRanges) { EXPECT_EQ(asked("bytes=0-1", {}, "HEAD /a").status, 200); }

TEST_F(Ranges, Rfc9110_Section13_1_5_IfRange) {
    EXPECT_EQ(asked("bytes=0-1", {"If-Range: \"1\""}).status, 206);
    EXPECT_EQ(asked("bytes=0-1", {"If-Range: \"2\""}).status, 200);
    EXPECT_EQ(asked("bytes=0-1", {"If-Range: W/\"1\""}).status, 200);
    EXPECT_EQ(asked("bytes=0-1", {std::string("If-Range: ") + modified}).status, 206);
    EXPECT_EQ(asked("bytes=0-1", {"If-Range: Thu, 01 Jan 2026 00:00:01 GMT"}).status, 200);
}

TEST_F(Ranges, Rfc9110_Section13_2_2_PreconditionsComeFirst) {
    EXPECT_EQ(asked("bytes=0-1", {"If-None-Match: \"1\""}).status, 304);
    EXPECT_EQ(asked("bytes=0-1", {"If-Match: \"2\""}).status, 412);
    EXPECT_EQ(asked("bytes=0-1", {"If-Match: \"1\""}).status, 206);
}

TEST_F(Ranges, AreOfTheIdentityContentWhateverCodingIsWelcome) {
    text = std::string(2000, 'x');
    const Reply whole = house.get("GET /a", {"Accept-Encoding: gzip"});
    EXPECT_EQ(whole["content-encoding"], "gzip");
    const Reply part = asked("bytes=0-9", {"Accept-Encoding: gzip"});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part["content-encoding"], "");
    EXPECT_EQ(part.body, "xxxxxxxxxx");
    EXPECT_EQ(asked("bytes=0-9", {"Accept-Encoding: gzip", "If-Range: " + whole["etag"]}).status, 200);
    EXPECT_EQ(asked("bytes=0-9", {"Accept-Encoding: gzip, identity;q=0"}).status, 200);
}

TEST_F(Ranges, WhoHasAnotherCodingIsNotToldToCutThat) {  // Chromium: its copy is coded, its range is not
    text = std::string(2000, 'x');
    const Reply coded = house.get("GET /a", {"Accept-Encoding: zstd"});
    EXPECT_EQ(coded["etag"], "\"1-z\"");
    const Reply part = asked("bytes=0-9", {"Accept-Encoding: identity", "If-None-Match: \"1-z\""});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "xxxxxxxxxx");
    EXPECT_EQ(asked("bytes=0-9", {"If-None-Match: \"1\""}).status, 304);
}

TEST_F(Ranges, AMissIsAnsweredInPartToo) {
    const Reply first = house.get("GET /a", {"Range: bytes=0-1"});
    EXPECT_EQ(first.status, 206);
    EXPECT_EQ(first.body, "01");
    EXPECT_TRUE(first.verdict.stored);
}

}  // namespace
}  // namespace etage::flow::testing
