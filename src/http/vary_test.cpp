#include "http/vary.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <regex>

#include <string>
#include <utility>
#include <vector>

namespace etage::http {
namespace {

using Names = std::vector<std::string>;

VaryNames vary(const std::vector<std::string>& values, bool codings_are_ours = false) {
    Fields fields;
    for (const std::string& value : values) fields.add(FieldId::vary, value);
    return parse_vary(fields, codings_are_ours);
}

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string key(const std::string& vary_value, const Lines& request) {
    Fields fields;
    for (const auto& [name, value] : request) fields.add(name, value);
    std::string out;
    append_secondary_key(out, vary({vary_value}), fields);
    return out;
}

TEST(VaryRfc9110, Section12_5_5_NamesAreLowerCaseSortedAndUnique) {
    EXPECT_EQ(vary({}), VaryNames{});
    EXPECT_EQ(vary({"", " , ,"}), VaryNames{});
    EXPECT_EQ(vary({"accept-language , X-Foo"}).names, (Names{"accept-language", "x-foo"}));
    EXPECT_EQ(vary({"X-Foo", "Accept,x-foo,ACCEPT"}).names, (Names{"accept", "x-foo"}));
    EXPECT_EQ(vary({"b, a"}), vary({"A", "B"}));
    EXPECT_FALSE(vary({"a, b"}).star);
}

TEST(VaryRfc9111, Section4_1_AStarMatchesNothing) {
    for (const char* value : {"*", "*, *", "*, foo", "foo, *", ", *", "foo,*,bar"})
        EXPECT_TRUE(vary({value}).star) << value;
    EXPECT_TRUE(vary({"foo", "*"}).star);
    EXPECT_EQ(vary({"foo, *"}).names, (Names{"foo"}));
}

TEST(VaryRfc9111, Section4_1_WhatIsNoFieldNameMatchesNothing) {
    for (const char* value : {"foo bar", "foo;bar", "\"foo\"", "foo, b\"ar, Cookie", "(x)", "a:b", "caf\xc3\xa9"})
        EXPECT_TRUE(vary({value}).star) << value;
    EXPECT_FALSE(vary({"**"}).star) << "a token, if an odd one";
}

TEST(VaryTest, AcceptEncodingGoesWhenTheCodingsAreOurs) {
    EXPECT_EQ(vary({"Accept-Encoding, Cookie"}).names, (Names{"accept-encoding", "cookie"}));
    EXPECT_EQ(vary({"Accept-Encoding, Cookie"}, true).names, (Names{"cookie"}));
    EXPECT_EQ(vary({"ACCEPT-ENCODING"}, true), VaryNames{});
    EXPECT_TRUE(vary({"Accept-Encoding, *"}, true).star);
}

TEST(SecondaryKeyRfc9111, Section4_1_ValuesSelect) {
    EXPECT_EQ(key("", {{"X-Foo", "1"}}), "");
    EXPECT_EQ(key("X-Foo", {{"X-Foo", "1"}}), "1:1");
    EXPECT_EQ(key("X-Foo", {{"x-foo", "1"}, {"X-Bar", "2"}}), "1:1");
    EXPECT_EQ(key("X-Foo, X-Bar", {{"X-Foo", "12"}, {"X-Bar", "345"}}), "3:3452:12");
    EXPECT_NE(key("X-Foo", {{"X-Foo", "a"}}), key("X-Foo", {{"X-Foo", "A"}}));
    EXPECT_EQ(key("Origin", {{"Origin", "https://a.example"}}), "17:https://a.example");
    std::string out = "primary";
    append_secondary_key(out, vary({"cookie"}), Fields{});
    EXPECT_EQ(out, "primary-") << "what was there stays";
}

TEST(SecondaryKeyRfc9111, Section4_1_AbsentMatchesOnlyAbsent) {
    EXPECT_EQ(key("X-Foo", {}), "-");
    EXPECT_EQ(key("X-Foo", {{"X-Foo", ""}}), "0:");
    EXPECT_EQ(key("Accept", {}), "-");
    EXPECT_EQ(key("Accept", {{"Accept", ""}}), "0:");
    EXPECT_EQ(key("Accept-Encoding", {}), "-");
    EXPECT_NE(key("Accept-Encoding", {}), key("Accept-Encoding", {{"Accept-Encoding", "identity"}}));
    EXPECT_EQ(key("A, B", {{"A", "-"}}), "1:--");
}

TEST(SecondaryKeyRfc9111, Section4_1_LinesAreJoined) {
    EXPECT_EQ(key("X-Foo", {{"X-Foo", "1"}, {"x-foo", "2"}}), key("X-Foo", {{"X-Foo", "1, 2"}}));
    EXPECT_NE(key("X-Foo", {{"X-Foo", "1"}, {"X-Foo", "2"}}), key("X-Foo", {{"X-Foo", "2"}, {"X-Foo", "1"}}));
    EXPECT_EQ(key("Accept", {{"Accept", "a/b"}, {"Accept", ""}, {"Accept", "c/d"}}), "7:a/b,c/d");
}

TEST(SecondaryKeyRfc9111, Section4_1_WhitespaceIsRemovedWhereTheFieldMayBeAList) {
    EXPECT_EQ(key("Accept", {{"Accept", "text/html , a/b;x=\"1, 2\",,c/d"}}), "26:text/html,a/b;x=\"1, 2\",c/d");
    EXPECT_EQ(key("Accept", {{"Accept", "a/b, c/d"}}), key("Accept", {{"Accept", "a/b,c/d"}}));
    EXPECT_NE(key("User-Agent", {{"User-Agent", "X (KHTML, like Y)"}}),
              key("User-Agent", {{"User-Agent", "X (KHTML,like Y)"}}));
    EXPECT_EQ(key("X-Foo", {{"X-Foo", "1, 2"}}), key("X-Foo", {{"X-Foo", "1,2"}}));
}

TEST(SecondaryKeyRfc9111, Section4_1_LanguagesHaveNoCase) {
    EXPECT_EQ(key("Accept-Language", {{"Accept-Language", "en-GB, DE;q=0.5"}}),
              key("Accept-Language", {{"Accept-Language", "EN-gb,de;Q=0.5"}}));
    EXPECT_NE(key("Accept-Language", {{"Accept-Language", "en"}}), key("Accept-Language", {{"Accept-Language", "de"}}));
}

TEST(SecondaryKeyRfc9111, Section4_1_CodingsAreASetByPreference) {
    const auto codings = [](const std::string& value) {
        const std::string text = key("Accept-Encoding", {{"Accept-Encoding", value}});
        return text.substr(text.find(':') + 1);
    };
    EXPECT_EQ(codings("gzip, deflate, br"), "br,gzip>identity");
    EXPECT_EQ(codings("br, GZIP ,dcb"), "br,gzip>identity");
    EXPECT_EQ(codings("gzip;q=0.5, br"), "br>gzip>identity");
    EXPECT_EQ(codings("gzip, br;q=0.5, zstd;q=0.5"), "gzip>zstd,br>identity");
    EXPECT_EQ(codings("*"), "zstd,br,gzip,identity");
    EXPECT_EQ(codings("gzip, identity"), "gzip,identity");
    EXPECT_EQ(codings("gzip, identity;q=0"), "gzip");
    EXPECT_EQ(codings("gzip;q=0"), "identity");
    EXPECT_EQ(codings(""), "identity");
    EXPECT_EQ(codings("identity;q=0"), "");
    EXPECT_EQ(key("Accept-Encoding", {{"Accept-Encoding", "gzip"}, {"Accept-Encoding", "br"}}),
              key("Accept-Encoding", {{"Accept-Encoding", "br, gzip"}}));
}

TEST(SecondaryKeyRfc9110, Section12_5_4_LanguagesByWeightTheirOrderMeansNothing) {
    const auto languages = [](const std::string& value) {
        const std::string text = key("Accept-Language", {{"Accept-Language", value}});
        return text.substr(text.find(':') + 1);
    };
    EXPECT_EQ(languages("en, de"), "de,en");
    EXPECT_EQ(languages("DE , eN"), "de,en");
    EXPECT_EQ(languages("de;q=0.5, en"), "en,de;q=0.500");
    EXPECT_EQ(languages("en;q=1.0, de;q=0.50"), "en,de;q=0.500");
    EXPECT_NE(languages("de;q=0.5, en"), languages("en;q=0.5, de"));
    EXPECT_EQ(languages("de;x=1, en"), "de;x=1,en");  // no weight: as it came
    std::string many = "a0";
    for (int i = 40; i > 0; --i) many += ",a" + std::to_string(i);
    EXPECT_EQ(languages(many), many);
}

TEST(SecondaryKeyRfc9110, Section5_6_1_WhitespaceAroundCommasMeansNothing) {
    EXPECT_EQ(key("Foo", {{"Foo", "1,2"}}), key("Foo", {{"Foo", " 1, 2 "}}));
    EXPECT_EQ(key("Foo", {{"Foo", "1,2"}}), key("Foo", {{"Foo", "1"}, {"Foo", "2"}}));
    EXPECT_NE(key("Foo", {{"Foo", "\"1, 2\""}}), key("Foo", {{"Foo", "\"1,2\""}}));
    EXPECT_NE(key("Foo", {{"Foo", "1 2"}}), key("Foo", {{"Foo", "12"}}));
    EXPECT_NE(key("Foo", {{"Foo", "1,,2"}}), key("Foo", {{"Foo", "1,2"}}));
}

TEST(PreferredLanguageRfc9110, Section12_5_4_TheOneWithTheHighestWeight) {
    const auto preferred = [](const char* value) {
        Fields fields;
        fields.add("Accept-Language", value);
        return std::string(preferred_language(fields).value_or(""));
    };
    EXPECT_EQ(preferred("fr;q=0.5, de;q=1.0"), "de");
    EXPECT_EQ(preferred("de"), "de");
    for (const char* none : {"en, de", "*", "de;q=0.5, fr;q=0.5", "de;q=x", "de;q=0", ""})
        EXPECT_EQ(preferred(none), "") << none;
    EXPECT_FALSE(preferred_language(Fields{}));
}

TEST(SecondaryKey, SameButLanguage) {
    Fields none;
    none.add("Vary", "Accept-Language, Foo");
    const VaryNames vary = parse_vary(none);
    const auto of = [](const char* language, const char* foo) {
        return key("Accept-Language, Foo", {{"Accept-Language", language}, {"Foo", foo}});
    };
    EXPECT_TRUE(same_but_language(of("en", "1"), of("de, fr", "1"), vary));
    EXPECT_FALSE(same_but_language(of("en", "1"), of("en", "2"), vary));
    EXPECT_TRUE(same_but_language(key("Accept-Language, Foo", {{"Foo", "1"}}), of("de", "1"), vary));
    EXPECT_FALSE(same_but_language(key("Accept-Language, Foo", {}), of("de", "1"), vary));
}

Lines arbitrary_request() {
    return *rc::gen::container<Lines>(
        rc::gen::pair(rc::gen::element<std::string>("A", "B", "accept", "Accept-Language"),
                      rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab1:-, ")))));
}

/// RFC 9110 §5.6.1: whitespace around the commas of a list means nothing.
std::string unspaced(const std::string& text) {
    static const std::regex at_commas("[ \\t]*,[ \\t]*");
    static const std::regex at_ends("^[ \\t]+|[ \\t]+$");
    return std::regex_replace(std::regex_replace(text, at_commas, ","), at_ends, "");
}

/// The values as a strict reader of RFC 9111 would compare them: absent, or the joined lines.
std::vector<std::string> selected(const Lines& request, const Names& names) {
    std::vector<std::string> out;
    Fields fields;
    for (const auto& [name, value] : request) fields.add(name, value);
    for (const std::string& name : names) {
        const auto value = joined(fields, std::string_view(name));
        out.push_back(value ? "=" + unspaced(*value) : "absent");
    }
    return out;
}

TEST(SecondaryKeyProperty, EqualTextsExactlyForEqualValues) {
    ASSERT_TRUE(rc::check([] {
        const Lines one = arbitrary_request();
        const Lines other = *rc::gen::arbitrary<bool>() ? one : arbitrary_request();
        RC_ASSERT((key("A, B", one) == key("A, B", other)) ==
                  (selected(one, {"a", "b"}) == selected(other, {"a", "b"})));
    }));
}

TEST(SecondaryKeyProperty, ANormalisedValueIsNormal) {
    ASSERT_TRUE(rc::check([] {
        for (const char* name : {"Accept", "Accept-Language"}) {
            const std::string once = key(name, arbitrary_request());
            if (once == "-") continue;
            const std::string value = once.substr(once.find(':') + 1);
            RC_ASSERT(key(name, {{name, value}}) == once);
        }
    }));
}

}  // namespace
}  // namespace etage::http
