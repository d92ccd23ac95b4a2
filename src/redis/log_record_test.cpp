#include "redis/log_record.hpp"

#include "flow/tags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <optional>

namespace etage::redis {
namespace {

using coherence::Softness;
using flow::Invalidation;
using flow::Target;
using Kind = Target::Kind;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

LogRecord read(std::vector<std::string_view> fields) { return read_record(fields); }
LogRecord read_texts(const std::vector<std::string>& fields) {
    return read_record(std::vector<std::string_view>(fields.begin(), fields.end()));
}

void expect_everything(const LogRecord& record) {
    EXPECT_THAT(record.what.targets, ElementsAre(Target{Kind::everything, ""}));
    EXPECT_EQ(record.what.softness, Softness::hard);
    EXPECT_NE(record.trouble, "");
}

TEST(LogRecord, ReadsEveryField) {
    const auto record = read({"tag",    "posts",
                              "tag",    "post:7",
                              "key",    "v1:posts:00ff",
                              "url",    "http://api.test/posts?a=1",
                              "prefix", "/posts",
                              "host",   "api.test",
                              "group",  "http://api.test news",
                              "all",    "1",
                              "soft",   "1",
                              "by",     "0123456789abcdef"});
    EXPECT_EQ(record.trouble, "");
    EXPECT_EQ(record.by, "0123456789abcdef");
    EXPECT_EQ(record.what.softness, Softness::soft);
    EXPECT_THAT(record.what.targets,
                ElementsAre(Target{Kind::tag, "posts"}, Target{Kind::tag, "post:7"}, Target{Kind::key, "v1:posts:00ff"},
                            Target{Kind::url, "http://api.test/posts?a=1"}, Target{Kind::prefix, "/posts"},
                            Target{Kind::host, "api.test"}, Target{Kind::group, "http://api.test news"},
                            Target{Kind::everything, ""}));
}

TEST(LogRecord, WrittenFormsAreNormalised) {
    EXPECT_THAT(read({"url", "HTTP://API.test:80/a/../posts?b=2&a=1"}).what.targets,
                Contains(Target{Kind::url, "http://api.test/posts?a=1&b=2"}));
    EXPECT_THAT(read({"prefix", "http://API.test"}).what.targets, Contains(Target{Kind::prefix, "http://api.test/"}));
    EXPECT_THAT(read({"prefix", "/a/./b"}).what.targets, Contains(Target{Kind::prefix, "/a/b"}));
    EXPECT_THAT(read({"host", "API.Test:80"}).what.targets, ElementsAre(Target{Kind::host, "api.test"}));
    EXPECT_THAT(read({"host", "[::1]:8080"}).what.targets, ElementsAre(Target{Kind::host, "[::1]:8080"}));
    EXPECT_THAT(read({"host", "api.test:"}).what.targets, ElementsAre(Target{Kind::host, "api.test"}));
    EXPECT_THAT(read({"url", "http://api.test?a=1#b"}).what.targets,
                Contains(Target{Kind::url, "http://api.test/?a=1"}));
}

/// inet_pton would read up to the NUL and not see what comes behind.
TEST(LogRecord, AHostWithANulIsNone) {
    expect_everything(read({"host", std::string_view("[::1\0x]", 7)}));
    expect_everything(read({"host", std::string_view("a\0", 2)}));
}

TEST(LogRecord, WhatIsNotUnderstoodInvalidatesEverything) {
    const std::vector<std::vector<std::string_view>> wrong = {
        {"tags", "posts"},         {"Tag", "posts"},     {"tag", ""},
        {"url", "posts"},          {"url", ""},          {"prefix", "posts"},
        {"prefix", "/a?b=1"},      {"host", "a/b"},      {"soft", "yes"},
        {"tag", "posts", "soft"},  {"by", "me"},         {},
        {"tag", "posts", "x", ""}, {"soft", "1"},        {"url", "/a", "ttl", "5"},
        {"host", "a:b"},           {"host", "a::"},      {"host", "me@a"},
        {"host", "a:99999"},       {"host", "[::1"},     {"url", "http://a:b/"},
        {"url", "ftp://a/"},       {"url", "http:///a"},
    };
    for (const auto& fields : wrong) {
        SCOPED_TRACE(testing::PrintToString(fields));
        expect_everything(read(fields));
    }
    auto soft = read({"soft", "1", "tagg", "x"});
    expect_everything(soft);
}

TEST(LogRecord, MarksHaveNoTargets) {
    for (const char* name : {"genesis", "ratchet", "step"}) {
        const auto record = read({"by", "me", name, "1"});
        EXPECT_EQ(record.trouble, "");
        EXPECT_THAT(record.what.targets, IsEmpty());
    }
}

TEST(LogRecord, AnInvalidationWithoutTargetsIsStillARecord) {
    EXPECT_THAT(record_fields({}, ""), ElementsAre("step", "1"));
}

TEST(LogRecord, PiecesHoldAllTargetsInOrder) {
    Invalidation large;
    large.softness = Softness::soft;
    for (int i = 0; i < 100; ++i) large.targets.push_back({Kind::tag, std::string(50, 'x') + std::to_string(i)});
    const auto pieces = in_pieces(large, 1000);
    EXPECT_GT(pieces.size(), 5U);
    std::vector<Target> together;
    for (const auto& piece : pieces) {
        EXPECT_EQ(piece.softness, Softness::soft);
        together.insert(together.end(), piece.targets.begin(), piece.targets.end());
    }
    EXPECT_EQ(together, large.targets);
    EXPECT_THAT(in_pieces({{{Kind::tag, std::string(5000, 'x')}}, Softness::hard}, 1000), SizeIs(1));
    EXPECT_THAT(in_pieces({}), SizeIs(1)) << "a mark";
}

/// A target as instances write it: normalised already.
rc::Gen<Target> any_target() {
    const auto text = rc::gen::nonEmpty(rc::gen::string<std::string>());
    const auto url = rc::gen::map(rc::gen::string<std::string>(),
                                  [](const std::string& path) { return flow::uri_of("/" + path).value_or("/"); });
    return rc::gen::oneOf(
        rc::gen::map(text, [](std::string t) { return Target{Kind::tag, std::move(t)}; }),
        rc::gen::map(text, [](std::string t) { return Target{Kind::key, std::move(t)}; }),
        rc::gen::map(text, [](std::string t) { return Target{Kind::group, std::move(t)}; }),
        rc::gen::map(url, [](std::string t) { return Target{Kind::url, std::move(t)}; }),
        rc::gen::map(url, [](std::string t) { return Target{Kind::prefix, t.substr(0, t.find('?'))}; }),
        rc::gen::element(Target{Kind::host, "api.test"}, Target{Kind::host, "[::1]:99"}, Target{Kind::everything, ""}));
}

RC_GTEST_PROP(LogRecordProperty, WhatIsWrittenIsReadBack, (bool soft, const std::string& by)) {
    const Invalidation written{*rc::gen::nonEmpty(rc::gen::container<std::vector<Target>>(any_target())),
                               soft ? Softness::soft : Softness::hard};
    const auto record = read_texts(record_fields(written, by));
    RC_ASSERT(record.trouble == "");
    RC_ASSERT(record.by == by);
    RC_ASSERT(record.what.softness == written.softness);
    RC_ASSERT(record.what.targets == written.targets);
}

RC_GTEST_PROP(LogRecordProperty, AnythingMeansSomething, (const std::vector<std::string>& fields)) {
    const auto record = read_texts(fields);
    RC_ASSERT(!record.what.targets.empty());  // marks are too rare to be made by chance
}

}  // namespace
}  // namespace etage::redis
