#include "http/etag.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <string>
#include <vector>

namespace etage::http {
namespace {

Fields lines(FieldId id, const std::vector<std::string>& values) {
    Fields out;
    out.add(FieldId::etag, "*");
    for (const std::string& value : values) out.add(id, value);
    return out;
}

bool none_match_hits(const std::vector<std::string>& values, std::string_view etag = "\"abc\"") {
    return if_none_match_hits(lines(FieldId::if_none_match, values), etag);
}

bool match_hits(const std::vector<std::string>& values, std::string_view etag = "\"abc\"") {
    return if_match_hits(lines(FieldId::if_match, values), etag);
}

TEST(EntityTagRfc9110, Section8_8_3_StrongAndWeak) {
    const auto strong = parse_entity_tag("\"xyzzy\"");
    ASSERT_TRUE(strong);
    EXPECT_FALSE(strong->weak);
    EXPECT_EQ(strong->opaque, "xyzzy");
    const auto weak = parse_entity_tag("W/\"xyzzy\"");
    ASSERT_TRUE(weak);
    EXPECT_TRUE(weak->weak);
    EXPECT_EQ(weak->opaque, "xyzzy");
}

TEST(EntityTagRfc9110, Section8_8_3_WhatATagMayHold) {
    for (const char* opaque : {"", "a,b", ",", "\\", "a\\", "!#$%&'()*+-./:;<=>?@[]^_`{|}~", "W/", "*", "\x80\xff"}) {
        const std::string text = '"' + std::string(opaque) + '"';
        const auto tag = parse_entity_tag(text);
        ASSERT_TRUE(tag) << text;
        EXPECT_EQ(tag->opaque, opaque);
    }
    for (const char* text :
         {"",          "\"",        "W/",       "W/\"",    "W/\"a",       "abc",       "W/abc",  "w/\"abc\"",
          "W\"abc\"",  "W /\"a\"",  "W/ \"a\"", "\"a b\"", "\"a\tb\"",    "\"a\"b\"",  "\"a\" ", " \"a\"",
          "\"a\x7f\"", "\"a\x01\"", "'a'",      "*",       "\"a\",\"b\"", "\"a\\\"b\""})
        EXPECT_FALSE(parse_entity_tag(text)) << text;
    EXPECT_FALSE(parse_entity_tag(std::string_view("\"a\0b\"", 5)));
}

TEST(EntityTagRfc9110, Section8_8_3_2_TheTableOfComparisons) {
    struct Row {
        const char* a;
        const char* b;
        bool strong;
        bool weak;
    };
    for (const Row& row : {Row{"W/\"1\"", "W/\"1\"", false, true}, Row{"W/\"1\"", "W/\"2\"", false, false},
                           Row{"W/\"1\"", "\"1\"", false, true}, Row{"\"1\"", "\"1\"", true, true}}) {
        const auto a = *parse_entity_tag(row.a);
        const auto b = *parse_entity_tag(row.b);
        EXPECT_EQ(strongly_equal(a, b), row.strong) << row.a << ' ' << row.b;
        EXPECT_EQ(strongly_equal(b, a), row.strong) << row.a << ' ' << row.b;
        EXPECT_EQ(weakly_equal(a, b), row.weak) << row.a << ' ' << row.b;
    }
}

TEST(EntityTagTest, OfContentIsHalfItsSha256) {
    EXPECT_EQ(make_strong_etag(""), "\"e3b0c44298fc1c149afbf4c8996fb924\"");
    EXPECT_EQ(make_strong_etag("abc"), "\"ba7816bf8f01cfea414140de5dae2223\"");
    EXPECT_NE(make_strong_etag(std::string_view("a\0", 2)), make_strong_etag("a"));
    EXPECT_TRUE(parse_entity_tag(make_strong_etag("x")));
}

TEST(EntityTagTest, EachCodingHasItsOwnTag) {
    EXPECT_EQ(etag_for_coding("\"abc\"", Coding::identity), "\"abc\"");
    EXPECT_EQ(etag_for_coding("\"abc\"", Coding::gzip), "\"abc-g\"");
    EXPECT_EQ(etag_for_coding("\"abc\"", Coding::br), "\"abc-b\"");
    EXPECT_EQ(etag_for_coding("\"abc\"", Coding::zstd), "\"abc-z\"");
    EXPECT_EQ(etag_for_coding("W/\"abc\"", Coding::gzip), "W/\"abc-g\"");
    EXPECT_EQ(etag_for_coding("\"\"", Coding::gzip), "\"-g\"");
    for (const char* malformed : {"", "abc", "\"", "W/\"", "\"a b\""})
        EXPECT_EQ(etag_for_coding(malformed, Coding::gzip), malformed);
}

TEST(EntityTagTest, DecodedContentHasATagOfItsOwnThatNamesTheSame) {
    EXPECT_EQ(etag_for_decoded("\"abc\""), "\"abc-i\"");
    EXPECT_EQ(etag_for_decoded("W/\"abc\""), "W/\"abc-i\"");
    EXPECT_EQ(etag_for_decoded("abc"), "abc");
    EXPECT_TRUE(none_match_hits({"\"abc-i\""}));
    EXPECT_FALSE(none_match_hits({"\"abc\""}, "\"abc-i\""));
}

TEST(EntityTagRfc9110, Section8_8_1_WeakenedItIsWeaklyTheSame) {
    EXPECT_EQ(weakened("\"abc\""), "W/\"abc\"");
    EXPECT_EQ(weakened("W/\"abc\""), "W/\"abc\"");
    for (const char* malformed : {"", "abc", "\"", "W/", "\"a b\""}) EXPECT_EQ(weakened(malformed), "");
    EXPECT_TRUE(none_match_hits({weakened("\"abc\"")}));
}

TEST(EntityTagTest, AnOriginIsToldOfItsOwnTagsBesideOurs) {
    const auto told = [](FieldId id, const char* asked) {
        Fields request;
        request.add(id, asked);
        add_original_tags(request);
        return std::string(find(request, id).value_or(""));
    };
    EXPECT_EQ(told(FieldId::if_match, "\"a-g\""), "\"a-g\", \"a\"");
    EXPECT_EQ(told(FieldId::if_none_match, "\"x\", W/\"a-Z\", \"b-i\""), "\"x\", W/\"a-Z\", \"b-i\", W/\"a\", \"b\"");
    for (const char* other : {"*", "\"a\"", "\"a-x\"", "\"g\"", "a-g", ""})
        EXPECT_EQ(told(FieldId::if_match, other), other);
    EXPECT_EQ(told(FieldId::if_range, "\"a-g\""), "\"a-g\"");
}

TEST(IfNoneMatchRfc9110, Section13_1_2_ComparesWeakly) {
    EXPECT_TRUE(none_match_hits({"\"abc\""}));
    EXPECT_TRUE(none_match_hits({"W/\"abc\""}));
    EXPECT_TRUE(none_match_hits({"\"abc\""}, "W/\"abc\""));
    EXPECT_TRUE(none_match_hits({"W/\"abc\""}, "W/\"abc\""));
    EXPECT_FALSE(none_match_hits({"\"abd\""}));
    EXPECT_FALSE(none_match_hits({"\"ABC\""}));
    EXPECT_FALSE(none_match_hits({"\"\""}));
    EXPECT_FALSE(none_match_hits({""}));
    EXPECT_FALSE(none_match_hits({}));
}

TEST(IfNoneMatchRfc9110, Section13_1_2_ListsAndLines) {
    EXPECT_TRUE(none_match_hits({"\"x\", \"abc\""}));
    EXPECT_TRUE(none_match_hits({"\"x\",W/\"y\" ,\t\"abc\" "}));
    EXPECT_TRUE(none_match_hits({", ,\"abc\",,"}));
    EXPECT_TRUE(none_match_hits({"\"x\"", "\"y\", \"abc\""}));
    EXPECT_FALSE(none_match_hits({"\"x\"", "\"y\", \"z\""}));
    EXPECT_TRUE(none_match_hits({"\"x\", \"a,b\", \"c\""}, "\"a,b\""));
    EXPECT_FALSE(none_match_hits({"\"x,\"", "\",abc\", \"abc,\""}));
    EXPECT_FALSE(none_match_hits({"\"x, abc\""}));
    EXPECT_TRUE(none_match_hits({"\"a\\\", \"abc\""})) << "a backslash escapes nothing in a tag";
}

TEST(IfNoneMatchRfc9110, Section13_1_2_TheStarStandsAlone) {
    EXPECT_TRUE(none_match_hits({"*"}));
    EXPECT_TRUE(none_match_hits({"*"}, ""));
    EXPECT_FALSE(none_match_hits({"\"*\""}));
    EXPECT_FALSE(none_match_hits({"*, \"x\""}));
    EXPECT_FALSE(none_match_hits({"**"}));
}

TEST(IfNoneMatchRfc9110, Section13_1_2_MalformedElementsAreSkipped) {
    for (const char* element : {"abc", "\"abc", "abc\"", "'abc'", "w/\"abc\"", "\"abc\"x", "\"abc\" \"x\"", "x\"abc\"",
                                "\"a bc\"", "W/abc", "W/", "W/\"", "\""}) {
        EXPECT_FALSE(none_match_hits({element})) << element;
        EXPECT_TRUE(none_match_hits({element, "\"abc\""})) << element;
        EXPECT_TRUE(none_match_hits({std::string("\"abc\", ") + element})) << element;
    }
    for (const char* element : {"abc", "'x'", "\"a b\"", "W/x", "\"x\"y"})
        EXPECT_TRUE(none_match_hits({std::string(element) + ", \"abc\""})) << element;
    EXPECT_TRUE(none_match_hits({"\"x, \"abc\""})) << "the open quote ends at its comma";
}

TEST(IfNoneMatchTest, AnyCodingsTagNamesTheContent) {
    for (const char* asked :
         {"\"abc-g\"", "\"abc-b\"", "\"abc-z\"", "\"abc-G\"", "\"abc-B\"", "W/\"abc-g\"", "\"x\", \"abc-z\""}) {
        EXPECT_TRUE(none_match_hits({asked})) << asked;
        EXPECT_TRUE(none_match_hits({asked}, "W/\"abc\"")) << asked;
    }
    for (const char* asked : {"\"abc-x\"", "\"abc-\"", "\"abcg\"", "\"abc-gg\"", "\"abc-g-g\"", "\"abc-X\"",
                              "\"ABC-g\"", "\"ab-g\"", "\"-g\""})
        EXPECT_FALSE(none_match_hits({asked})) << asked;
    EXPECT_FALSE(none_match_hits({"\"abc\""}, "\"abc-g\"")) << "an origin's own tag may end so";
}

TEST(IfNoneMatchTest, AMalformedStoredTagIsNamedByNobody) {
    for (const char* stored : {"", "abc", "\"a b\"", "\"abc"}) {
        EXPECT_FALSE(none_match_hits({"abc"}, stored));
        EXPECT_FALSE(none_match_hits({"\"abc\""}, stored));
        EXPECT_FALSE(none_match_hits({stored}, stored));
    }
}

TEST(IfMatchRfc9110, Section13_1_1_ComparesStrongly) {
    EXPECT_TRUE(match_hits({"\"abc\""}));
    EXPECT_TRUE(match_hits({"\"x\", \"abc\""}));
    EXPECT_TRUE(match_hits({"\"abc-g\""}));
    EXPECT_TRUE(match_hits({"*"}));
    EXPECT_FALSE(match_hits({"W/\"abc\""}));
    EXPECT_FALSE(match_hits({"\"abc\""}, "W/\"abc\""));
    EXPECT_FALSE(match_hits({"W/\"abc\""}, "W/\"abc\""));
    EXPECT_FALSE(match_hits({"\"abd\""}));
    EXPECT_FALSE(match_hits({}));
    EXPECT_FALSE(if_match_hits(lines(FieldId::if_none_match, {"\"abc\""}), "\"abc\""));
}

std::string arbitrary_opaque() {
    return *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab-gbz,\\/W!\x80")));
}

TEST(EntityTagProperty, EveryCodingOfEveryTagInEveryListIsFound) {
    ASSERT_TRUE(rc::check([] {
        const bool weak = *rc::gen::arbitrary<bool>();
        const std::string etag = (weak ? "W/\"" : "\"") + arbitrary_opaque() + '"';
        const Coding coding = *rc::gen::elementOf(codings_by_size);
        const std::string before = *rc::gen::arbitrary<bool>() ? '"' + arbitrary_opaque() + "\" , " : "";
        const std::string after = *rc::gen::arbitrary<bool>() ? ",W/\"" + arbitrary_opaque() + '"' : "";
        RC_ASSERT(none_match_hits({before + etag_for_coding(etag, coding) + after}, etag));
    }));
}

TEST(EntityTagProperty, DifferentCodingsHaveDifferentTags) {
    ASSERT_TRUE(rc::check([] {
        const std::string etag = '"' + arbitrary_opaque() + '"';
        std::set<std::string> tags;
        for (const Coding coding : codings_by_size) tags.insert(etag_for_coding(etag, coding));
        RC_ASSERT(tags.size() == coding_count);
    }));
}

TEST(EntityTagProperty, AHitIsNeverStrongerThanWeak) {
    ASSERT_TRUE(rc::check([] {
        const std::string value = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("\"\"\"ab, ,W/-g*")));
        const std::string etag = "\"ab\"";
        if (match_hits({value}, etag)) RC_ASSERT(none_match_hits({value}, etag));
        if (none_match_hits({value}, etag)) RC_ASSERT(value == "*" || value.find("\"ab") != std::string::npos);
    }));
}

}  // namespace
}  // namespace etage::http
