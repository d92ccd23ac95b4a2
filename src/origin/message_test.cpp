#include <etage/message.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace etage {
namespace {

/// What the header asks of a JSON type, and no more.
struct Tiny {
    std::string text;
    static Tiny parse(const std::string& from) {
        if (from.front() != '{') throw std::runtime_error("expected '{'");
        return {from};
    }
    std::string dump() const { return text; }
};

Request request(Request::Parts parts) { return Request(std::move(parts)); }

TEST(Request, HeaderNamesAreComparedWithoutCase) {
    const auto r = request({.headers = {{"X-One", "1"}, {"x-one", "2"}}});
    EXPECT_EQ(r.header("x-ONE"), "1");
    EXPECT_FALSE(r.header("x-two"));
}

TEST(Request, QueryParametersAreDecoded) {
    const auto r = request({.query = "q=a+b%2Bc&empty=&flag&q=second&na%6De=x"});
    EXPECT_EQ(r.query("q"), "a b+c");
    EXPECT_EQ(r.query("empty"), "");
    EXPECT_EQ(r.query("flag"), "");
    EXPECT_EQ(r.query("name"), "x");
    EXPECT_FALSE(r.query("absent"));
    EXPECT_EQ(r.query_values("q").values, (std::vector<std::string>{"a b+c", "second"}));
}

TEST(Request, WhatDoesNotDecodeIsAbsentAndSaysSo) {
    const auto r = request({.query = "q=%zz"});
    EXPECT_FALSE(r.query("q"));
    EXPECT_TRUE(r.query_values("q").undecodable);
}

TEST(Request, PathParametersAreDecodedAndKeepTheirPlus) {
    const auto r = request({.path_parameters = {{"name", "a+b%20c"}}});
    EXPECT_EQ(r.path("name"), "a+b c");
    EXPECT_FALSE(r.path("id"));
}

TEST(Request, JsonParsesTheContent) {
    EXPECT_EQ(request({.body = "{}"}).json<Tiny>().text, "{}");
    for (const char* body : {"", "nonsense"}) {
        try {
            request({.body = body}).json<Tiny>();
            FAIL() << body;
        } catch (const Problem& problem) {
            EXPECT_EQ(problem.status(), 400);
            EXPECT_NE(problem.detail().find("JSON"), std::string::npos);
        }
    }
}

TEST(Request, IdentityIsWhatTheClientClaims) {
    EXPECT_FALSE(request({}).identity());
    EXPECT_EQ(request({.identity = "Bearer me"}).identity(), "Bearer me");
}

TEST(Response, JsonIsWhatDumpSays) {
    const auto r = Response::json(Tiny{"{\"a\":1}"}, 202);
    EXPECT_EQ(r.status(), 202);
    EXPECT_EQ(r.body(), "{\"a\":1}");
    ASSERT_EQ(r.headers().size(), 1U);
    EXPECT_EQ(r.headers()[0].name, "Content-Type");
    EXPECT_EQ(r.headers()[0].value, "application/json");
}

TEST(Response, IsWrittenInOneExpression) {
    const Response r =
        Response::text("hello").tag("post:7").tag("posts").invalidate("post:8").cache_control("public, max-age=60");
    EXPECT_EQ(r.tags(), (std::vector<std::string>{"post:7", "posts"}));
    EXPECT_EQ(r.invalidates(), (std::vector<std::string>{"post:8"}));
    EXPECT_EQ(r.headers().back().value, "public, max-age=60");
}

TEST(Response, HeaderReplacesAndAddHeaderAdds) {
    Response r;
    r.header("X-A", "1").header("x-a", "2").add_header("Link", "<a>").add_header("Link", "<b>");
    ASSERT_EQ(r.headers().size(), 3U);
    EXPECT_EQ(r.headers()[0].value, "2");
}

TEST(Response, RefusesAFieldThatWouldSplitTheMessage) {
    EXPECT_THROW(Response().header("X-A", "1\r\nSet-Cookie: a=b"), std::invalid_argument);
    EXPECT_THROW(Response().header("X A", "1"), std::invalid_argument);
    EXPECT_THROW(Response().add_header("", "1"), std::invalid_argument);
    EXPECT_THROW(Response::created("/posts/\n7"), std::invalid_argument);
}

TEST(ResponseRfc9457, Section3_2_ExtensionMembersStandBesideTheOthers) {
    const auto r =
        Response::problem(Problem::unprocessable("limit", "0", "1..100", "limit must be between 1 and 100, got 0"));
    EXPECT_EQ(r.status(), 422);
    EXPECT_EQ(r.headers()[0].value, "application/problem+json");
    EXPECT_EQ(r.body(),
              "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
              "\"detail\":\"limit must be between 1 and 100, got 0\","
              "\"parameter\":\"limit\",\"value\":\"0\",\"bound\":\"1..100\"}\n");
}

TEST(ResponseRfc9457, ADetailWithBracesIsNotCut) {
    const auto r = Response::problem(400, "", "} and \" and \xff");
    EXPECT_EQ(r.body(),
              "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"} and \\\" and "
              "\xEF\xBF\xBD\"}\n");
}

TEST(Problem, ALongValueIsShortenedBetweenCharacters) {
    const std::string value = std::string(127, 'a') + "ä" + std::string(500, 'b');
    const auto problem = Problem::unprocessable("q", value, "", "");
    EXPECT_EQ(problem.members()[1].value, std::string(127, 'a') + "…");
}

}  // namespace
}  // namespace etage
