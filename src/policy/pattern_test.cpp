#include "policy/pattern.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace etage::policy {
namespace {

Pattern pattern(std::string_view text) {
    auto parsed = parse_pattern(text);
    EXPECT_TRUE(parsed.has_value()) << text << ": " << parsed.error().what;
    return parsed ? std::move(*parsed) : Pattern{};
}

std::string complaint(std::string_view text) {
    const auto parsed = parse_pattern(text);
    return parsed ? "" : parsed.error().what;
}

bool matches(std::string_view text, std::string_view path) {
    Captures captures{};
    return PathSegments(path).match(pattern(text).segments, captures);
}

std::vector<std::string> captured(std::string_view text, std::string_view path) {
    const Pattern parsed = pattern(text);
    Captures captures{};
    if (!PathSegments(path).match(parsed.segments, captures)) return {"no match"};
    return {captures.begin(), captures.begin() + static_cast<std::ptrdiff_t>(parsed.capture_names.size())};
}

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

using Texts = std::vector<std::string>;

TEST(Pattern, MethodsAreAListOrAny) {
    const auto some = pattern("POST|PUT /posts/**").methods;
    EXPECT_TRUE(some.matches(http::Method::post));
    EXPECT_TRUE(some.matches(http::Method::put));
    EXPECT_FALSE(some.matches(http::Method::get));
    EXPECT_TRUE(pattern("/static/**").methods.matches(http::Method::delete_));
    EXPECT_TRUE(pattern("/static/**").methods.matches(http::Method::other));
}

TEST(Pattern, HeadIsMatchedWhereGetIs) {
    EXPECT_TRUE(pattern("GET /").methods.matches(http::Method::head));
    EXPECT_FALSE(pattern("POST /").methods.matches(http::Method::head));
    EXPECT_FALSE(pattern("HEAD /").methods.matches(http::Method::get));
}

TEST(Pattern, LiteralsMatchThemselvesOnly) {
    EXPECT_TRUE(matches("/posts", "/posts"));
    EXPECT_FALSE(matches("/posts", "/Posts"));
    EXPECT_FALSE(matches("/posts", "/post"));
    EXPECT_FALSE(matches("/posts", "/posts/1"));
    EXPECT_FALSE(matches("/posts/1", "/posts"));
    EXPECT_TRUE(matches("/", "/"));
    EXPECT_FALSE(matches("/", "/x"));
}

TEST(Pattern, ATrailingSlashCounts) {
    EXPECT_FALSE(matches("/posts", "/posts/"));
    EXPECT_FALSE(matches("/posts/", "/posts"));
    EXPECT_TRUE(matches("/posts/", "/posts/"));
    EXPECT_FALSE(matches("/a/b", "/a//b"));
}

TEST(Pattern, OneSegmentIsNeverEmpty) {
    EXPECT_TRUE(matches("/posts/*", "/posts/7"));
    EXPECT_FALSE(matches("/posts/*", "/posts/"));
    EXPECT_FALSE(matches("/posts/{id}", "/posts/"));
    EXPECT_FALSE(matches("/posts/*", "/posts/7/comments"));
}

TEST(Pattern, AnyNumberOfSegmentsIncludesNone) {
    for (const char* path : {"/", "/a", "/a/", "/a/b/c", "//"}) EXPECT_TRUE(matches("/**", path)) << path;
    for (const char* path : {"/posts", "/posts/", "/posts/1", "/posts/1/2"})
        EXPECT_TRUE(matches("/posts/**", path)) << path;
    EXPECT_FALSE(matches("/posts/**", "/postscript"));
}

TEST(Pattern, AnyMayStandInTheMiddleAndSeveralTimes) {
    EXPECT_TRUE(matches("/a/**/z", "/a/z"));
    EXPECT_TRUE(matches("/a/**/z", "/a/b/z"));
    EXPECT_TRUE(matches("/a/**/z", "/a/z/b/z"));
    EXPECT_FALSE(matches("/a/**/z", "/a/z/b"));
    EXPECT_TRUE(matches("/**/b/*/**/d", "/a/b/b/c/x/d"));
    EXPECT_FALSE(matches("/**/b/*/**/d", "/a/b/d"));
    EXPECT_TRUE(matches("/**/**", "/"));
}

TEST(Pattern, CapturesFollowTheirNames) {
    EXPECT_EQ(captured("/posts/{id}/comments/{comment}", "/posts/7/comments/c9"), (Texts{"7", "c9"}));
    EXPECT_EQ(pattern("/{b}/x/{a}").capture_names, (Texts{"b", "a"}));
    EXPECT_EQ(captured("/**/users/{id}/**", "/x/users/y/users/z"), (Texts{"y"}));
    EXPECT_EQ(captured("/**/{last}", "/a/b/c"), (Texts{"c"}));
    EXPECT_EQ(captured("/{first}/**/x/{last}", "/f/x/1/x/2"), (Texts{"f", "2"}));
}

TEST(Pattern, BacktrackingIsBoundedBySegments) {
    std::string path, text;
    for (int i = 0; i < 2000; ++i) path += "/a";
    for (int i = 0; i < 30; ++i) text += "/**/a";
    EXPECT_FALSE(matches(text + "/b", path));  // exponential for who tries every way
    EXPECT_TRUE(matches(text, path));
}

TEST(Pattern, LongPathsHaveRoomElsewhere) {
    for (int count = 30; count < 36; ++count) {
        std::string path;
        for (int i = 0; i < count; ++i) path += "/s" + std::to_string(i);
        EXPECT_EQ(captured("/**/s" + std::to_string(count - 2) + "/{last}", path),
                  Texts{"s" + std::to_string(count - 1)});
        EXPECT_EQ(captured("/{first}/**", path + "/"), Texts{"s0"});
    }
}

TEST(PatternRfc3986, Section6_2_2_EquivalentPathsMatchTheSame) {
    EXPECT_TRUE(matches("/~joe", "/%7Ejoe"));
    EXPECT_TRUE(matches("/%7ejoe", "/~joe"));
    EXPECT_TRUE(matches("/a%2fb", "/a%2Fb"));
    EXPECT_FALSE(matches("/a/b", "/a%2Fb"));
    EXPECT_TRUE(matches("/posts", "/x/../posts"));
    EXPECT_TRUE(matches("/posts", "/./posts"));
    EXPECT_TRUE(matches("/posts/", "/posts/x/.."));
    EXPECT_TRUE(matches("/posts/", "/posts/."));
    EXPECT_TRUE(matches("/posts", "/x/%2e%2E/posts"));
}

TEST(Pattern, LiteralsBeyondAsciiMeanTheirEscapes) { EXPECT_TRUE(matches("/café", "/caf%c3%a9")); }

TEST(Pattern, CapturesAreAsReceived) {
    EXPECT_EQ(captured("/p/{id}", "/p/%7E%2f"), Texts{"%7E%2f"});
    EXPECT_EQ(captured("/p/{id}", "/x/y/../../p/%31"), Texts{"%31"});
    EXPECT_EQ(captured("/{a}/{b}", "/q/./r"), (Texts{"q", "r"}));
    const std::string path = "/p/%41";
    Captures captures{};
    const PathSegments segments(path);
    ASSERT_TRUE(segments.match(pattern("/p/{id}").segments, captures));
    EXPECT_EQ(captures[0].data(), path.data() + 3);  // borrowed from the path, not from a copy
}

TEST(Pattern, WhatCannotBeNormalisedMatchesNothing) {
    for (const char* path : {"/..", "/a/../..", "/%", "/%zz", "/%00", "/a/..%2fb", "*", "", "x/y"}) {
        EXPECT_FALSE(PathSegments(path).valid()) << path;
        EXPECT_FALSE(matches("/**", path)) << path;
    }
}

TEST(Pattern, ErrorsSayWhatToWrite) {
    EXPECT_TRUE(mentions(complaint("GTE /x"), "did you mean GET?"));
    EXPECT_TRUE(mentions(complaint("get /x"), "did you mean GET?"));
    EXPECT_TRUE(mentions(complaint("FROBNICATE /x"), "leave the method out"));
    EXPECT_TRUE(mentions(complaint("GET| /x"), "method is missing"));
    EXPECT_TRUE(mentions(complaint("GET posts"), "\"GET /posts\""));
    EXPECT_TRUE(mentions(complaint("posts"), "begin with /"));
    EXPECT_TRUE(mentions(complaint(""), "begin with /"));
    EXPECT_TRUE(mentions(complaint("GET "), "begin with /"));
    EXPECT_TRUE(mentions(complaint("/{id}/x/{id}"), "appears twice"));
    EXPECT_TRUE(mentions(complaint("/file-{id}"), "mixes text and wildcards"));
    EXPECT_TRUE(mentions(complaint("/*.js"), "mixes"));
    EXPECT_TRUE(mentions(complaint("/{}"), "mixes"));
    EXPECT_TRUE(mentions(complaint("/***"), "mixes"));
    EXPECT_TRUE(mentions(complaint("/posts?id=1"), "key.query"));
    EXPECT_TRUE(mentions(complaint("/a/../b"), "never match"));
    EXPECT_TRUE(mentions(complaint("/a/./b"), "never match"));
    EXPECT_TRUE(mentions(complaint("/%zz"), "never match"));
}

TEST(Pattern, NamedSegmentsAreBounded) {
    std::string text;
    for (std::size_t i = 0; i < captures_max; ++i) text += "/{n" + std::to_string(i) + "}";
    EXPECT_EQ(complaint(text), "");
    EXPECT_TRUE(mentions(complaint(text + "/{more}"), "write *"));
}

/// Every way to give the wildcards their segments, tried one by one.
bool matches_naively(const std::vector<Segment>& pattern, std::size_t p, const Texts& path, std::size_t at) {
    if (p == pattern.size()) return at == path.size();
    if (pattern[p].kind == Segment::Kind::any)
        return matches_naively(pattern, p + 1, path, at) ||
               (at < path.size() && matches_naively(pattern, p, path, at + 1));
    if (at == path.size()) return false;
    const bool fits = pattern[p].kind == Segment::Kind::literal ? pattern[p].text == path[at] : !path[at].empty();
    return fits && matches_naively(pattern, p + 1, path, at + 1);
}

TEST(Pattern, MatchesLikeTheNaiveWay) {
    EXPECT_TRUE(rc::check([] {
        const auto several = [](std::size_t least, std::size_t below, int kinds_below) {
            const auto count = *rc::gen::inRange(least, below);
            return *rc::gen::container<std::vector<int>>(count, rc::gen::inRange(0, kinds_below));
        };
        const auto kinds = several(0, 7, 5);
        const auto letters = several(1, 10, 3);
        std::vector<Segment> segments;
        for (const int kind : kinds) {
            if (kind < 2)
                segments.push_back({Segment::Kind::literal, std::string(1, static_cast<char>('a' + kind))});
            else if (kind == 2)
                segments.push_back({Segment::Kind::one, {}});
            else
                segments.push_back({Segment::Kind::any, {}});
        }
        std::string path;
        Texts parts;
        for (const int letter : letters) {
            parts.push_back(letter == 2 ? "" : std::string(1, static_cast<char>('a' + letter)));
            path += "/" + parts.back();
        }
        Captures captures{};
        RC_ASSERT(PathSegments(path).match(segments, captures) == matches_naively(segments, 0, parts, 0));
    }));
}

}  // namespace
}  // namespace etage::policy
