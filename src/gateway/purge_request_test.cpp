#include "gateway/purge_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace etage::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string complaint(std::string_view json) {
    const auto request = parse_purge_request(json);
    return request ? "(accepted)" : request.error();
}

TEST(PurgeRequest, EverythingItMayName) {
    const auto request =
        parse_purge_request(R"({"tags": ["posts", "é"], "keys": ["k"], "urls": ["http://h/p?q"], "prefixes": ["/a"],
                                                 "hosts": ["h"], "all": false, "soft": true, "wait": "all"})");
    ASSERT_TRUE(request) << request.error();
    EXPECT_THAT(request->tags, ElementsAre("posts", "é"));
    EXPECT_THAT(request->keys, ElementsAre("k"));
    EXPECT_THAT(request->urls, ElementsAre("http://h/p?q"));
    EXPECT_THAT(request->prefixes, ElementsAre("/a"));
    EXPECT_THAT(request->hosts, ElementsAre("h"));
    EXPECT_FALSE(request->all);
    EXPECT_TRUE(request->soft);
    EXPECT_EQ(request->wait, PurgeRequest::Wait::all);
}

TEST(PurgeRequest, AllIsEnough) {
    const auto request = parse_purge_request(R"({"all": true})");
    ASSERT_TRUE(request) << request.error();
    EXPECT_TRUE(request->all);
    EXPECT_FALSE(request->soft);
    EXPECT_EQ(request->wait, PurgeRequest::Wait::local);
}

TEST(PurgeRequest, UnknownMembersNameTheNearest) {
    EXPECT_EQ(complaint(R"({"tag": ["posts"]})"), "unknown member \"tag\"; did you mean \"tags\"?");
    EXPECT_EQ(complaint(R"({"all": true, "sotf": true})"), "unknown member \"sotf\"; did you mean \"soft\"?");
}

TEST(PurgeRequest, NothingNamedIsRefused) {
    for (const char* json : {"{}", R"({"tags": []})", R"({"all": false})", R"({"soft": true})"})
        EXPECT_THAT(complaint(json), HasSubstr("nothing is named")) << json;
}

TEST(PurgeRequest, WrongTypesAreRefused) {
    for (const char* json :
         {"", "nonsense", "[]", "null", "\"posts\"", R"({"tags": "posts"})", R"({"tags": [1]})", R"({"tags": [""]})",
          R"({"all": 1})", R"({"all": "true"})", R"({"all": true, "wait": "some"})", R"({"all": true} x)",
          "{\"all\": true", "{\"tags\": [\"\xff\"]}", R"({"all": true, "wait": true})"})
        EXPECT_NE(complaint(json), "(accepted)") << json;
}

TEST(PurgeRequest, HasABound) {
    std::string json = "{\"tags\": [\"t\"";
    for (std::size_t i = 0; i < purge_items_max; ++i) json += ",\"t\"";
    EXPECT_THAT(complaint(json + "]}"), HasSubstr("at most 10000 things"));
}

TEST(PurgeRequest, DepthDoesNotExhaustTheStack) {
    const std::string deep(200'000, '[');
    EXPECT_EQ(complaint(deep), "the body is not JSON");
    EXPECT_EQ(complaint("{\"tags\":" + deep + std::string(deep.size(), ']') + "}"),
              "\"tags\" holds something that is not a string");
}

TEST(PurgeRequest, AnyBytesAreAnswered) {
    rc::check("anything is a request or a complaint", [](const std::string& text) {
        const auto request = parse_purge_request(text);
        RC_ASSERT(request.has_value() || !request.error().empty());
    });
}

TEST(PurgeReceipt, ThePositionIsText) {
    EXPECT_EQ(purge_receipt_json({1'834'029'384'756'199'423, 2, 3}),
              "{\"seq\":\"1834029384756199423\",\"instances\":{\"confirmed\":2,\"live\":3}}\n");
}

TEST(PurgeRequest, InTheWordsOfTheLog) {
    PurgeRequest request;
    request.tags = {"posts"};
    request.hosts = {"Example.COM:80"};
    request.prefixes = {"/%7Ea/"};
    request.urls = {"http://Example.com/a?b=1"};
    request.all = request.soft = true;
    const auto what = invalidation_of(request);
    ASSERT_TRUE(what);
    using Kind = flow::Target::Kind;
    const std::vector<flow::Target> expected{{Kind::tag, "posts"},
                                             {Kind::host, "example.com"},
                                             {Kind::prefix, "/~a/"},
                                             {Kind::url, "http://example.com/a?b=1"},
                                             {Kind::everything, ""}};
    EXPECT_EQ(what->targets, expected);
    EXPECT_EQ(what->softness, coherence::Softness::soft);
}

/// What the log would not understand would invalidate everything, everywhere.
TEST(PurgeRequest, WhatNamesNothingIsRefused) {
    const auto refused = [](std::vector<std::string> PurgeRequest::* list, std::string text) {
        PurgeRequest request;
        (request.*list).push_back(std::move(text));
        const auto what = invalidation_of(request);
        return !what && what.error().fault == Fault::bad_request;
    };
    EXPECT_TRUE(refused(&PurgeRequest::prefixes, "posts"));
    EXPECT_TRUE(refused(&PurgeRequest::prefixes, "/posts?a=1"));
    EXPECT_TRUE(refused(&PurgeRequest::hosts, "http://example.com"));
    EXPECT_TRUE(refused(&PurgeRequest::hosts, "example.com:http"));
    EXPECT_TRUE(refused(&PurgeRequest::urls, "posts"));
    EXPECT_TRUE(refused(&PurgeRequest::urls, "ftp://example.com/posts"));
    EXPECT_FALSE(refused(&PurgeRequest::prefixes, "/posts"));
}

TEST(PurgeRequest, IsToldInWords) {
    PurgeRequest request;
    request.tags = {"posts", "post:7"};
    request.keys = {"k"};
    request.urls = {"/posts/7"};
    request.prefixes = {"/a"};
    request.hosts = {"h"};
    EXPECT_EQ(words_of(request), "tag posts, tag post:7, key k, url /posts/7, prefix /a, host h");
    request.all = true;
    EXPECT_THAT(words_of(request), testing::StartsWith("everything, tag posts"));
}

TEST(PurgeRequest, IsToldInNoMoreThanALineTakes) {
    PurgeRequest request;
    request.tags.assign(purge_items_max, std::string(100, 'x'));
    EXPECT_LT(words_of(request).size(), 2300U);
}

}  // namespace
}  // namespace etage::gateway
