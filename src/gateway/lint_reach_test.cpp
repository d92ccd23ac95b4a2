#include "gateway/lint_reach.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace etage::gateway {
namespace {

PathPattern pattern(std::string_view text) {
    const auto parsed = policy::parse_pattern(text);
    EXPECT_TRUE(parsed) << text;
    return parsed ? parsed->segments : PathPattern{};
}

bool covers(std::initializer_list<std::string_view> earlier, std::string_view later) {
    std::vector<PathPattern> patterns;
    for (const auto text : earlier) patterns.push_back(pattern(text));
    std::vector<const PathPattern*> pointers;
    for (const auto& each : patterns) pointers.push_back(&each);
    return covered(pattern(later), pointers);
}

TEST(LintReach, WhatOnePatternTakes) {
    EXPECT_TRUE(covers({"/**"}, "/posts/{id}"));
    EXPECT_TRUE(covers({"/posts/{id}"}, "/posts/7"));
    EXPECT_TRUE(covers({"/posts/*"}, "/posts/{id}"));
    EXPECT_TRUE(covers({"/posts/**"}, "/posts"));
    EXPECT_TRUE(covers({"/**/c"}, "/a/**/b/c"));
    EXPECT_FALSE(covers({"/posts/{id}"}, "/posts/")) << "no segment is empty";
    EXPECT_FALSE(covers({"/posts/7"}, "/posts/{id}"));
    EXPECT_FALSE(covers({"/posts/*"}, "/posts/**"));
    EXPECT_FALSE(covers({"/*/**"}, "/**"));
    EXPECT_FALSE(covers({}, "/"));
}

TEST(LintReach, WhatSeveralTakeTogether) {
    EXPECT_TRUE(covers({"/a", "/a/*/**", "/a//**"}, "/a/**"));
    EXPECT_FALSE(covers({"/a", "/a/*"}, "/a/**"));
    EXPECT_TRUE(covers({"/a/x", "/a/*"}, "/a/{id}"));
}

TEST(LintReach, Overlaps) {
    EXPECT_TRUE(overlap(pattern("/posts/{id}"), pattern("/*/7")));
    EXPECT_TRUE(overlap(pattern("/**/c"), pattern("/a/**")));
    EXPECT_FALSE(overlap(pattern("/posts"), pattern("/posts/{id}")));
    EXPECT_FALSE(overlap(pattern("/a/{id}"), pattern("/b/{id}")));
}

TEST(LintReach, AtOrBelow) {
    EXPECT_TRUE(at_or_below(pattern("/posts"), pattern("/posts")));
    EXPECT_TRUE(at_or_below(pattern("/posts"), pattern("/posts/{id}")));
    EXPECT_TRUE(at_or_below(pattern("/{what}"), pattern("/posts/{id}/comments")));
    EXPECT_FALSE(at_or_below(pattern("/posts/{id}"), pattern("/posts")));
    EXPECT_FALSE(at_or_below(pattern("/posts"), pattern("/postscript")));
}

/// Small patterns over small paths, where everything can be tried.
rc::Gen<std::string> any_pattern() {
    return rc::gen::map(rc::gen::resize(4, rc::gen::container<std::vector<std::string>>(
                                               rc::gen::element<std::string>("a", "b", "*", "**"))),
                        [](const std::vector<std::string>& segments) {
                            std::string text;
                            for (const auto& segment : segments) text += "/" + segment;
                            return text.empty() ? std::string("/") : text;
                        });
}

std::vector<std::string> all_paths() {
    std::vector<std::string> out;
    std::vector<std::string> level = {""};
    for (int depth = 0; depth < 5; ++depth) {
        std::vector<std::string> next;
        for (const auto& path : level)
            for (const char* segment : {"", "a", "b", "c"}) next.push_back(path + "/" + segment);
        out.insert(out.end(), next.begin(), next.end());
        level = std::move(next);
    }
    return out;
}

bool matches(const PathPattern& segments, const std::string& path) {
    policy::Captures captures{};
    return policy::PathSegments(path).match(segments, captures);
}

TEST(LintReach, SaysWhatTryingEveryPathSays) {
    const auto paths = all_paths();
    EXPECT_TRUE(rc::check([&] {
        const PathPattern a = pattern(*any_pattern());
        const PathPattern b = pattern(*any_pattern());
        const PathPattern c = pattern(*any_pattern());
        const PathPattern* const others[] = {&b, &c};
        // Five segments are deep enough: four letters of pattern on either side, and one that only `**` takes.
        const bool covered_by_trying = std::ranges::none_of(
            paths, [&](const auto& path) { return matches(a, path) && !matches(b, path) && !matches(c, path); });
        const bool overlap_by_trying =
            std::ranges::any_of(paths, [&](const auto& path) { return matches(a, path) && matches(b, path); });
        if (covered(a, others)) RC_ASSERT(covered_by_trying);
        if (overlap_by_trying) RC_ASSERT(overlap(a, b));
        if (a.size() + b.size() <= 5) RC_ASSERT(overlap(a, b) == overlap_by_trying);
    }));
}

}  // namespace
}  // namespace etage::gateway
