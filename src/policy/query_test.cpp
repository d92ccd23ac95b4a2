#include "policy/query.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

namespace etage::policy {
namespace {

using Mode = KeyPolicy::Query;

std::string ruled(std::string_view query, Mode mode = Mode::all, std::vector<std::string> names = {}) {
    KeyPolicy rule;
    rule.query_mode = mode;
    rule.query = std::move(names);
    const RuledQuery parameters(query, rule);
    std::string out;
    parameters.for_each_piece([&](std::string_view piece) { out += piece; });
    EXPECT_EQ(out.size(), parameters.bytes());
    EXPECT_EQ(out.empty(), parameters.empty());
    return out;
}

TEST(RuledQuery, SortsByNameAndKeepsTheOrderOfTheSameName) {
    EXPECT_EQ(ruled("b=2&a=1"), "a=1&b=2");
    EXPECT_EQ(ruled("q=evil&a=1&q=ok"), "a=1&q=evil&q=ok");
    EXPECT_EQ(ruled("q=ok&a=1&q=evil"), "a=1&q=ok&q=evil");
    EXPECT_EQ(ruled("b&a=&c"), "a=&b&c");
    EXPECT_EQ(ruled(""), "");
}

TEST(RuledQuery, TextStaysAsReceived) {
    EXPECT_EQ(ruled("x=%7e+%zz&a==&a=1=2"), "a==&a=1=2&x=%7e+%zz");
    EXPECT_EQ(ruled("&&a=1&&b=2&"), "a=1&b=2");
    EXPECT_EQ(ruled("=1&a"), "=1&a");
}

TEST(RuledQuery, AllowKeepsTheListed) {
    EXPECT_EQ(ruled("b=2&utm=x&a=1", Mode::allow, {"a", "b"}), "a=1&b=2");
    EXPECT_EQ(ruled("utm=x", Mode::allow, {"a"}), "");
    EXPECT_EQ(ruled("a=1", Mode::allow, {}), "");
    EXPECT_EQ(ruled("A=1", Mode::allow, {"a"}), "");
}

TEST(RuledQuery, IgnoreDropsTheListed) {
    EXPECT_EQ(ruled("b=2&utm=x&a=1", Mode::ignore, {"utm"}), "a=1&b=2");
    EXPECT_EQ(ruled("b=2&a=1", Mode::ignore, {}), "a=1&b=2");
}

TEST(RuledQuery, NamesAreComparedAsAnOriginReadsThem) {
    EXPECT_EQ(ruled("%75tm_content=evil&q=ok", Mode::ignore, {"utm_content"}), "q=ok");
    EXPECT_EQ(ruled("%71=1", Mode::allow, {"q"}), "%71=1");
    EXPECT_EQ(ruled("a+b=1", Mode::allow, {"a b"}), "a+b=1");
    EXPECT_EQ(ruled("%62=2&a=1"), "a=1&%62=2");
    EXPECT_EQ(ruled("%zz=1", Mode::allow, {"%zz"}), "%zz=1");
}

TEST(RuledQuery, AValueCannotSmuggleAParameterIn) {  // WCP-25, WCP-26
    EXPECT_EQ(ruled("q=ok&utm_content=1;q=evil", Mode::allow, {"q"}), "q=ok");
    EXPECT_EQ(ruled("utm_content=1%26q=evil&q=ok", Mode::allow, {"q"}), "q=ok");
}

TEST(RuledQuery, MoreThanFitStayInOrder) {
    std::string query, kept;
    for (std::size_t i = 0; i <= sorted_parameters_max; ++i) {
        query += (i == 0 ? "z" : "&z") + std::to_string(100 - i) + "=1&drop=1";
        kept += (i == 0 ? "z" : "&z") + std::to_string(100 - i) + "=1";
    }
    EXPECT_EQ(ruled(query, Mode::ignore, {"drop"}), kept);
}

TEST(RuledQuery, ExactlyAsManyAsFitAreSorted) {
    std::string query;
    for (std::size_t i = 0; i < sorted_parameters_max; ++i)
        query += (i == 0 ? "" : "&") + std::string(i % 2 ? "b" : "a");
    const auto sorted = ruled(query);
    EXPECT_TRUE(sorted.starts_with("a&a"));
    EXPECT_TRUE(sorted.ends_with("b&b"));
}

TEST(CompareNames, DecodesWithoutCopying) {
    EXPECT_TRUE(same_name("%61%62", "ab"));
    EXPECT_TRUE(same_name("a%20b", "a+b"));
    EXPECT_FALSE(same_name("a", "ab"));
    EXPECT_FALSE(same_name("%2", "%"));
    EXPECT_LT(compare_names("a", "b"), 0);
    EXPECT_GT(compare_names("%63", "b"), 0);
    EXPECT_LT(compare_names("a", "%61b"), 0);
    EXPECT_GT(compare_names("%C3%A9", "z"), 0);  // bytes, not signed characters
}

TEST(RuledQuery, EverySpellingOfTheSameParametersIsTheSameQuery) {
    EXPECT_TRUE(rc::check([] {
        auto names = *rc::gen::container<std::vector<char>>(rc::gen::inRange('a', 'z'));
        std::ranges::sort(names);
        names.erase(std::ranges::unique(names).begin(), names.end());
        const auto join = [&] {
            std::string query;
            for (const char name : names) query += (query.empty() ? "" : "&") + std::string(1, name) + "=1";
            return query;
        };
        const std::string sorted = join();
        std::ranges::reverse(names);
        RC_ASSERT(ruled(join()) == sorted);
    }));
}

}  // namespace
}  // namespace etage::policy
