#include <etage/params.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace etage {
namespace {

Request asking(std::string query) { return Request({.query = std::move(query)}); }
Request at(std::string value) { return Request({.path_parameters = {{"id", std::move(value)}}}); }

/// What was refused, as "detail|value|bound".
template <class P>
std::string refusal(const P& parameter, const Request& request) {
    try {
        parameter.read(request);
    } catch (const Problem& problem) {
        EXPECT_EQ(problem.status(), 422);
        EXPECT_EQ(problem.members()[0].value, parameter.name());
        return problem.detail() + "|" + problem.members()[1].value + "|" + problem.members()[2].value;
    }
    return "accepted";
}

const auto limit = query<int>("limit").range(1, 100).or_else(20);

TEST(Params, ANumberWithinItsBounds) {
    EXPECT_EQ(limit.read(asking("limit=1")), 1);
    EXPECT_EQ(limit.read(asking("offset=7&limit=100")), 100);
    EXPECT_EQ(limit.read(asking("")), 20);
}

TEST(Params, ANumberBeyondItsBoundsIsNamedWithThem) {
    EXPECT_EQ(refusal(limit, asking("limit=0")), "limit must be between 1 and 100, got 0|0|1..100");
    EXPECT_EQ(refusal(limit, asking("limit=101")), "limit must be between 1 and 100, got 101|101|1..100");
    EXPECT_EQ(refusal(query<int>("offset").at_least(0), asking("offset=-1")),
              "offset must be at least 0, got -1|-1|0..");
    EXPECT_EQ(refusal(query<int>("n").at_most(9), asking("n=10")), "n must be at most 9, got 10|10|..9");
}

TEST(Params, WhatIsNoNumberIsNamed) {
    for (const char* text : {"abc", "1.5", "+1", "0x10", "1 "}) {
        const std::string given = text;
        const auto encoded = given == "+1" ? "%2B1" : given == "1 " ? "1%20" : given;
        EXPECT_EQ(refusal(limit, asking("limit=" + encoded)),
                  "limit must be a whole number between 1 and 100, got \"" + given + "\"|" + given + "|1..100");
    }
    EXPECT_EQ(refusal(limit, asking("limit=")), "limit must be a whole number between 1 and 100, got \"\"||1..100");
}

TEST(Params, ANumberThatNoTypeHoldsIsBeyondTheBounds) {
    EXPECT_EQ(refusal(limit, asking("limit=99999999999999999999")),
              "limit must be between 1 and 100, got 99999999999999999999|99999999999999999999|1..100");
    EXPECT_EQ(refusal(path<std::int64_t>("id").at_least(1), at("9223372036854775808")),
              "id must be between 1 and 9223372036854775807, got 9223372036854775808|9223372036854775808|"
              "1..9223372036854775807");
}

TEST(Params, GivenTwiceIsRefused) {
    EXPECT_EQ(refusal(limit, asking("limit=1&limit=2")), "limit must be given once, got it 2 times|2|once");
}

TEST(Params, BadEncodingIsRefused) {
    EXPECT_EQ(refusal(limit, asking("limit=%4")), "limit must be valid percent-encoding, got \"\"||1..100");
    EXPECT_EQ(refusal(query<std::string>("q"), asking("q=%ff")), "q must be valid UTF-8, got \"\xff\"|\xff|");
}

TEST(Params, RequiredMeansGiven) {
    EXPECT_EQ(refusal(query<int>("n").range(1, 2), asking("")), "n is required, and not given||1..2");
}

TEST(Params, OptionalIsNothingWhenAbsent) {
    const auto category = query<std::optional<std::string>>("category").length(1, 4);
    EXPECT_EQ(category.read(asking("")), std::nullopt);
    EXPECT_EQ(category.read(asking("category=tech")), "tech");
    EXPECT_EQ(category.read(asking("category=%C3%A4%C3%A4%C3%A4%C3%A4")), "ääää");
    EXPECT_EQ(refusal(category, asking("category=")),
              "category must have between 1 and 4 characters, got \"\"||1..4 characters");
    EXPECT_EQ(refusal(category, asking("category=techs")),
              "category must have between 1 and 4 characters, got \"techs\"|techs|1..4 characters");
}

TEST(Params, OneOfNamesTheChoices) {
    const auto category = query<std::string>("category").one_of({"tech", "life"});
    EXPECT_EQ(category.read(asking("category=life")), "life");
    EXPECT_EQ(refusal(category, asking("category=Life")),
              "category must be one of tech, life, got \"Life\"|Life|tech|life");
    EXPECT_EQ(refusal(query<int>("n").one_of({1, 2}), asking("n=3")), "n must be one of 1, 2, got \"3\"|3|1|2");
}

TEST(Params, Booleans) {
    const auto async = query<bool>("async").or_else(false);
    EXPECT_TRUE(async.read(asking("async=1")));
    EXPECT_TRUE(async.read(asking("async=true")));
    EXPECT_FALSE(async.read(asking("async=false")));
    EXPECT_FALSE(async.read(asking("")));
    EXPECT_EQ(refusal(async, asking("async=yes")), "async must be true or false, got \"yes\"|yes|");
}

TEST(Params, FractionsAreFinite) {
    const auto price = query<double>("price").at_least(0);
    EXPECT_DOUBLE_EQ(price.read(asking("price=0.25")), 0.25);
    EXPECT_NE(refusal(price, asking("price=nan")), "accepted");
    EXPECT_NE(refusal(price, asking("price=inf")), "accepted");
}

TEST(Params, FromPathAndHeader) {
    EXPECT_EQ(path<int>("id").read(at("7")), 7);
    EXPECT_EQ(path<std::string>("id").read(at("a%2Fb")), "a/b");
    EXPECT_EQ(header<int>("X-Depth").read(Request({.headers = {{"x-depth", "3"}}})), 3);
}

RC_GTEST_PROP(Params, EveryIntegerComesBackAsItself, (std::int64_t value)) {
    RC_ASSERT(path<std::int64_t>("id").read(at(std::to_string(value))) == value);
}

RC_GTEST_PROP(Params, NoTextBreaksTheReader, (std::string text)) {
    const Request request = asking("limit=" + text);
    try {
        const int value = limit.read(request);
        RC_ASSERT(value >= 1);
        RC_ASSERT(value <= 100);
    } catch (const Problem& problem) {
        RC_ASSERT(problem.status() == 422);
    }
}

TEST(ParamsUtf8, CountsCharactersAndRefusesWhatIsNone) {
    EXPECT_EQ(detail::utf8_characters(""), 0U);
    EXPECT_EQ(detail::utf8_characters("aä€😀"), 4U);
    for (const char* bad : {"\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
        EXPECT_FALSE(detail::utf8_characters(bad)) << bad;
}

}  // namespace
}  // namespace etage
