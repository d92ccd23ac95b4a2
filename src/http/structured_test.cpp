#include "http/structured.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace etage::http {
namespace {

using Strings = std::vector<std::string>;

std::string sf_string(std::string_view text) {
    std::string out;
    append_sf_string(out, text);
    return out;
}

TEST(StructuredRfc9651, Section4_1_6_WritesStrings) {
    EXPECT_EQ(sf_string(""), "\"\"");
    EXPECT_EQ(sf_string("a b"), "\"a b\"");
    EXPECT_EQ(sf_string("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(sf_string("a\r\nb\x7f\xc3\xa9"), "\"a??b???\"");
    std::string out = "x=";
    append_sf_string(out, "y");
    EXPECT_EQ(out, "x=\"y\"");
}

TEST(StructuredRfc9651, Section4_2_1_ListsOfStrings) {
    EXPECT_EQ(parse_sf_string_list(""), Strings{});
    EXPECT_EQ(parse_sf_string_list("   "), Strings{});
    EXPECT_EQ(parse_sf_string_list("\"a\""), Strings{"a"});
    EXPECT_EQ(parse_sf_string_list("  \"a\"  "), Strings{"a"});
    EXPECT_EQ(parse_sf_string_list("\"a\",\"b\""), (Strings{"a", "b"}));
    EXPECT_EQ(parse_sf_string_list("\"a\" \t,\t \"b\"\t"), (Strings{"a", "b"}));
    EXPECT_EQ(parse_sf_string_list("\"\", \"a,b\", \"a\""), (Strings{"", "a,b", "a"}));
}

TEST(StructuredRfc9651, Section4_2_1_OnePartThatDoesNotParseSpoilsTheField) {
    for (const char* text : {",",
                             "\"a\",",
                             "\"a\", ",
                             ",\"a\"",
                             "\"a\",,\"b\"",
                             "\"a\" \"b\"",
                             "\"a\"b",
                             "\"a\" ;x",
                             "\t\"a\"",
                             "a",
                             "\"a\", b",
                             "1",
                             "\"a\", 2",
                             "?1",
                             ":YQ==:",
                             "@1",
                             "%\"a\"",
                             "(\"a\")",
                             "\"a\", (\"b\" \"c\")",
                             "()",
                             "'a'",
                             "\"a\"\n",
                             "x=\"a\""})
        EXPECT_EQ(parse_sf_string_list(text), std::nullopt) << text;
}

TEST(StructuredRfc9651, Section4_2_5_Strings) {
    EXPECT_EQ(parse_sf_string_list("\"a\\\"b\\\\c\""), Strings{"a\"b\\c"});
    EXPECT_EQ(parse_sf_string_list("\" !~\""), Strings{" !~"});
    for (const char* text :
         {"\"", "\"a", "\"a\\", "\"a\\\"", "\"\\a\"", "\"\\n\"", "\"a\tb\"", "\"a\x01\"", "\"a\x7f\"", "\"\xc3\xa9\""})
        EXPECT_EQ(parse_sf_string_list(text), std::nullopt) << text;
    EXPECT_EQ(parse_sf_string_list(std::string_view("\"a\0b\"", 5)), std::nullopt);
    EXPECT_EQ(parse_sf_string_list(std::string_view("\"a\\\0b\"", 6)), std::nullopt);
    EXPECT_EQ(parse_sf_string_list(std::string_view("\"a\"\0", 4)), std::nullopt);
}

TEST(StructuredRfc9651, Section4_2_3_2_ParametersAreSkipped) {
    for (const char* parameters : {";a",
                                   ";a;b",
                                   "; a=1",
                                   ";  a=1;b=2",
                                   ";a=-1",
                                   ";a=0",
                                   ";a=123456789012345",
                                   ";a=-123456789012345",
                                   ";a=1.5",
                                   ";a=-0.125",
                                   ";a=123456789012.125",
                                   ";a=007",
                                   ";a=\"x, y\"",
                                   ";a=\"\\\"\"",
                                   ";a=tok",
                                   ";a=*t/o:k",
                                   ";a=T!#$%&'*+-.^_`|~:/9",
                                   ";a=::",
                                   ";a=:YQ==:",
                                   ";a=:YQ:",
                                   ";a=:YWI=:",
                                   ";a=:YWJj:",
                                   ";a=:+/+/:",
                                   ";a=?0",
                                   ";a=?1",
                                   ";a=@0",
                                   ";a=@-62135596800",
                                   ";a=@1659578233",
                                   ";a=%\"x\"",
                                   ";a=%\"\"",
                                   ";a=%\"f%c3%bc\"",
                                   ";a=%\"%f0%9f%98%80\"",
                                   ";a=%\"%ed%9f%bf\"",
                                   ";a=%\"%22\"",
                                   ";*a=1",
                                   ";a_-.*9=1",
                                   ";a=1;a=2",
                                   ";a=1;a"}) {
        EXPECT_EQ(parse_sf_string_list("\"a\"" + std::string(parameters)), Strings{"a"}) << parameters;
        EXPECT_EQ(parse_sf_string_list("\"a\"" + std::string(parameters) + " , \"b\""), (Strings{"a", "b"}))
            << parameters;
    }
}

TEST(StructuredRfc9651, Section4_2_3_MalformedParametersSpoilTheField) {
    for (const char* parameters : {";",
                                   "; ",
                                   ";;a",
                                   ";A",
                                   ";Ab",
                                   ";1",
                                   ";-a",
                                   ";_a",
                                   ";\ta",
                                   ";a=",
                                   ";a= 1",
                                   ";a =1",
                                   ";a=,",
                                   ";a=-",
                                   ";a=--1",
                                   ";a=+1",
                                   ";a=1.",
                                   ";a=.5",
                                   ";a=-.5",
                                   ";a=1.2345",
                                   ";a=1234567890123456",
                                   ";a=1234567890123.1",
                                   ";a=1.2.3",
                                   ";a=1e3",
                                   ";a=1a",
                                   ";a=\"",
                                   ";a=\"x",
                                   ";a=\"\\x\"",
                                   ";a=?",
                                   ";a=?2",
                                   ";a=?t",
                                   ";a=?10",
                                   ";a=:",
                                   ";a=:YQ==",
                                   ";a=:Y:",
                                   ";a=:YQ=:",
                                   ";a=:YQ===:",
                                   ";a=:=:",
                                   ";a=:Y=Q=:",
                                   ";a=:YWJj=:",
                                   ";a=:Y Q:",
                                   ";a=:Y-Q:",
                                   ";a=@",
                                   ";a=@x",
                                   ";a=@1.5",
                                   ";a=@+1",
                                   ";a=%",
                                   ";a=%x",
                                   ";a=%\"",
                                   ";a=%\"x",
                                   ";a=%\"%\"",
                                   ";a=%\"%4\"",
                                   ";a=%\"%C3%BC\"",
                                   ";a=%\"%c3\"",
                                   ";a=%\"%c3x\"",
                                   ";a=%\"%80\"",
                                   ";a=%\"%c0%80\"",
                                   ";a=%\"%e0%80%80\"",
                                   ";a=%\"%ed%a0%80\"",
                                   ";a=%\"%f0%80%80%80\"",
                                   ";a=%\"%f4%90%80%80\"",
                                   ";a=%\"%f5%80%80%80\"",
                                   ";a=%\"%ff\"",
                                   ";a=%\"\xc3\xbc\"",
                                   ";a=%\"\t\"",
                                   ";a=(1)",
                                   ";a=#",
                                   ";a b"})
        EXPECT_EQ(parse_sf_string_list("\"a\"" + std::string(parameters)), std::nullopt) << parameters;
}

TEST(StructuredProperty, WhatIsWrittenIsReadBack) {
    ASSERT_TRUE(rc::check([] {
        const auto printable = rc::gen::container<std::string>(
            rc::gen::map(rc::gen::inRange(0x20, 0x7F), [](int c) { return static_cast<char>(c); }));
        const auto strings = *rc::gen::container<Strings>(printable);
        std::string text;
        for (const std::string& s : strings) {
            if (!text.empty()) text += ", ";
            append_sf_string(text, s);
        }
        RC_ASSERT(parse_sf_string_list(text) == strings);
    }));
}

TEST(StructuredProperty, AnyBytesMakeAStringThatParses) {
    ASSERT_TRUE(rc::check([](const std::string& text) {
        const auto parsed = parse_sf_string_list(sf_string(text));
        RC_ASSERT(parsed.has_value());
        RC_ASSERT(parsed->size() == 1U);
        RC_ASSERT(parsed->front().size() == text.size());
    }));
}

}  // namespace
}  // namespace etage::http
