#include "probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etage::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Records requests; answers each with the same, or fails those whose text holds `deaf_to`.
class Server {
public:
    explicit Server(HttpAnswer answer) : answer_(std::move(answer)) {}

    ProbeSend send() {
        return [this](const HttpCall& call) -> std::expected<HttpAnswer, HttpFailure> {
            requests.push_back(call.request);
            if (!deaf_to.empty() && call.request.contains(deaf_to))
                return std::unexpected(HttpFailure{HttpFailure::Kind::silent, "no answer in time"});
            return answer_;
        };
    }

    std::vector<std::string> requests;
    std::string deaf_to;

private:
    HttpAnswer answer_;
};

HttpAnswer answer(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    HttpAnswer out;
    out.status = 200;
    out.content = "hello";
    out.framing = http::BodyKind::length;
    for (const auto& [name, value] : fields) out.fields.add(name, value);
    return out;
}

ProbeTarget target(std::string_view url, const std::vector<std::string>& headers = {}) {
    auto parsed = parse_probe_target(url, headers);
    EXPECT_TRUE(parsed) << parsed.error();
    return parsed ? std::move(*parsed) : ProbeTarget{};
}

TEST(ProbeTarget, TakesAUrlApart) {
    const ProbeTarget one = target("http://api.test:8080/posts?limit=3#part");
    EXPECT_EQ(one.host, "api.test");
    EXPECT_EQ(one.port, "8080");
    EXPECT_EQ(one.authority, "api.test:8080");
    EXPECT_EQ(one.target, "/posts?limit=3");
    EXPECT_EQ(target("api.test").target, "/");
    EXPECT_EQ(target("api.test").port, "80");
    EXPECT_EQ(target("http://[::1]:81?a=b").target, "/?a=b");
    EXPECT_EQ(target("http://[::1]:81").host, "::1");
}

TEST(ProbeTarget, WhatCannotBeAskedIsSaid) {
    const auto wrong = [](std::string_view url, const std::vector<std::string>& headers = {}) {
        const auto parsed = parse_probe_target(url, headers);
        return parsed ? "(accepted)" : parsed.error();
    };
    EXPECT_THAT(wrong("https://api.test/"), HasSubstr("https is not in this version"));
    EXPECT_THAT(wrong("ftp://api.test/"), Not(HasSubstr("(accepted)")));
    EXPECT_THAT(wrong("http:///posts"), Not(HasSubstr("(accepted)")));
    EXPECT_THAT(wrong("http://user:secret@api.test/"), Not(HasSubstr("(accepted)")));
    EXPECT_THAT(wrong("http://a/with space"), HasSubstr("percent-encode"));
    EXPECT_THAT(wrong("http://a/\r\nX: y"), HasSubstr("percent-encode"));
    EXPECT_THAT(wrong("http://a/", {"no colon"}), HasSubstr("'Name: value'"));
    EXPECT_THAT(wrong("http://a/", {"X: a\r\nY: b"}), HasSubstr("characters"));
    EXPECT_THAT(wrong("http://a/", {"Accept-Encoding: br"}), HasSubstr("sends its own"));
    EXPECT_THAT(wrong("http://a/", {"if-none-match: \"x\""}), HasSubstr("sends its own"));
}

TEST(Probe, AsksFiveTimes) {
    Server server(answer({{"ETag", "\"x\""}, {"Last-Modified", "Wed, 25 Nov 2026 06:00:00 GMT"}}));
    const auto probed = probe(target("http://a.test/p"), server.send());
    ASSERT_TRUE(probed) << probed.error();
    EXPECT_EQ(probed->requests, 5U);
    ASSERT_EQ(server.requests.size(), 5U);
    for (const std::string& request : server.requests) {
        EXPECT_THAT(request, HasSubstr("\r\nHost: a.test\r\n"));
        EXPECT_THAT(request, HasSubstr("\r\nConnection: close\r\n"));
        EXPECT_TRUE(request.ends_with("\r\n\r\n"));
    }
    EXPECT_THAT(server.requests[0], StartsWith("GET /p HTTP/1.1\r\n"));
    EXPECT_EQ(server.requests[0], server.requests[1]);
    EXPECT_THAT(server.requests[2], HasSubstr("\r\nIf-None-Match: \"x\"\r\n"));
    EXPECT_THAT(server.requests[3], HasSubstr("\r\nAccept-Encoding: gzip\r\n"));
    EXPECT_THAT(server.requests[4], StartsWith("HEAD /p HTTP/1.1\r\n"));
    EXPECT_TRUE(probed->seen.again && probed->seen.conditional && probed->seen.gzip && probed->seen.head);
    EXPECT_FALSE(probed->seen.anonymous);
    EXPECT_NE(probed->seen.first.received, WallTime{});
}

TEST(Probe, WithoutAnEtagTheDateIsSentBack) {
    Server server(answer({{"ETag", "unquoted"}, {"Last-Modified", "Wed, 25 Nov 2026 06:00:00 GMT"}}));
    ASSERT_TRUE(probe(target("a.test"), server.send()));
    EXPECT_THAT(server.requests[2], HasSubstr("If-Modified-Since: Wed, 25 Nov 2026 06:00:00 GMT\r\n"));
    EXPECT_THAT(server.requests[2], Not(HasSubstr("If-None-Match")));
}

TEST(Probe, WithoutAValidatorNothingIsSentBack) {
    Server server(answer({}));
    const auto probed = probe(target("a.test"), server.send());
    ASSERT_TRUE(probed);
    EXPECT_EQ(probed->requests, 4U);
    EXPECT_FALSE(probed->seen.conditional);
}

TEST(Probe, CredentialsAreLeftOutOnce) {
    Server server(answer({}));
    const auto probed =
        probe(target("a.test", {"Authorization: Bearer s3cret", "Cookie: sid=1", "X-Other: stays", "Host: b.test"}),
              server.send());
    ASSERT_TRUE(probed);
    EXPECT_THAT(server.requests.front(), HasSubstr("Authorization: Bearer s3cret\r\n"));
    EXPECT_THAT(server.requests.front(), HasSubstr("\r\nHost: b.test\r\n"));
    EXPECT_THAT(server.requests.front(), Not(HasSubstr("a.test")));
    EXPECT_TRUE(probed->seen.anonymous);
    EXPECT_THAT(server.requests.back(), Not(HasSubstr("s3cret")));
    EXPECT_THAT(server.requests.back(), Not(HasSubstr("sid")));
    EXPECT_THAT(server.requests.back(), HasSubstr("X-Other: stays\r\n"));
}

TEST(Probe, NoFirstAnswerIsAnErrorAndNoLaterOneIsTold) {
    Server server(answer({}));
    server.deaf_to = "GET";
    const auto none = probe(target("http://a.test/p"), server.send());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error(), "http://a.test/p: no answer in time");
    EXPECT_EQ(server.requests.size(), 1U);

    server.deaf_to = "HEAD";
    const auto some = probe(target("http://a.test/p"), server.send());
    ASSERT_TRUE(some);
    EXPECT_THAT(some->seen.unanswered, ElementsAre(std::pair<std::string, std::string>("HEAD", "no answer in time")));
    EXPECT_FALSE(some->seen.head);
}

}  // namespace
}  // namespace etage::cli
