#include "http/structured.hpp"

#include <gtest/gtest.h>

#include <string>

namespace etage::http {
namespace {

/// "key=value," for each member, or "failed".
std::string members(std::string_view text) {
    SfDictionary dictionary(text);
    std::string out;
    for (SfMember member; dictionary.next(member);) ((((out += member.key) += '=') += member.value) += ',');
    return dictionary.failed() ? "failed" : out;
}

TEST(SfDictionaryRfc9651, Section3_2_KeysAndItems) {
    EXPECT_EQ(members("max-age=3600"), "max-age=3600,");
    EXPECT_EQ(members("a=1, b=?0,\tc , d=tok/en:x"), "a=1,b=?0,c=?1,d=tok/en:x,");
    EXPECT_EQ(members("a=\"x, \\\"y\", b=1.5, c=-7, d=:YQ==:, e=@1659578233, f=%\"%c3%bc\""),
              "a=\"x, \\\"y\",b=1.5,c=-7,d=:YQ==:,e=@1659578233,f=%\"%c3%bc\",");
    EXPECT_EQ(members("*a._-*1=1"), "*a._-*1=1,");
}

TEST(SfDictionaryRfc9651, Section3_1_2_ParametersAreSkipped) {
    EXPECT_EQ(members("a=1;x;y=2, b;z, c=?0;w=\"q\""), "a=1,b=?1,c=?0,");
    EXPECT_EQ(members("a=1;X"), "failed");
    EXPECT_EQ(members("a=1;"), "failed");
}

TEST(SfDictionaryRfc9651, Section3_1_1_InnerListsAreTakenWhole) {
    EXPECT_EQ(members("a=(1 \"x\";p  tok), b=()"), "a=(1 \"x\";p  tok),b=(),");
    EXPECT_EQ(members("a=( 1 );q"), "a=( 1 ),");
    for (const char* text : {"a=(1", "a=(1,2)", "a=(1\"x\")", "a=((1))", "a=(", "(1)"})
        EXPECT_EQ(members(text), "failed") << text;
}

TEST(SfDictionaryRfc9651, Section4_2_2_EmptyIsADictionaryWithoutMembers) {
    EXPECT_EQ(members(""), "");
    EXPECT_EQ(members("   "), "");
    EXPECT_EQ(members("  a  "), "a=?1,");
}

TEST(SfDictionaryRfc9651, Section4_2_2_WhatIsNoneFails) {
    for (const char* text : {"a,", "a, ", ",a", "a b", "a=", "a =1", "a= 1", "A=1", "a=1, &&&", "1=a", "a=?2", "a=1.",
                             "a==1", "a=1234567890123456", "a=\"x", "a=:?:", "a;b;C", "\ta"})
        EXPECT_EQ(members(text), "failed") << text;
}

TEST(SfDictionary, StaysFailed) {
    SfDictionary dictionary("a=1, &");
    SfMember member;
    EXPECT_TRUE(dictionary.next(member));
    EXPECT_FALSE(dictionary.next(member));
    EXPECT_FALSE(dictionary.next(member));
    EXPECT_TRUE(dictionary.failed());
}

TEST(SfInnerListRfc9651, Section3_1_1_OfStrings) {
    using Strings = std::vector<std::string>;
    EXPECT_EQ(parse_sf_inner_strings("()"), Strings{});
    EXPECT_EQ(parse_sf_inner_strings("( \"a\"  \"b\\\"c\";p=1 )"), (Strings{"a", "b\"c"}));
    for (const char* text :
         {"", "?1", "\"a\"", "(a)", "(\"a\" 1)", "(\"a\"\"b\")", "(\"a\"", "(\"a\") ", "(\"a\",\"b\")"})
        EXPECT_FALSE(parse_sf_inner_strings(text)) << text;
}

}  // namespace
}  // namespace etage::http
