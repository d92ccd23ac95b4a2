#include "gateway/lint_directives.hpp"

#include "gateway/lint_fixture.hpp"

#include <gmock/gmock.h>

namespace etage::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Findings lint(std::string_view cache_control) {
    http::Fields fields;
    fields.add("Cache-Control", cache_control);
    Findings out;
    lint_cache_control(fields, "", out);
    return out;
}

std::set<std::string_view> of(std::string_view cache_control) { return ids(lint(cache_control)); }

std::set<std::string_view> targeted(Lines lines) {
    Findings out;
    const Observed answer = observed(lines);
    lint_targeted(answer.fields, "", out);
    return ids(out);
}

TEST(WrittenDirectives, AreAsWritten) {
    const Observed answer = observed({"Cache-Control: Max-Age=\"60\", no-cache=\"a, b\"", "Cache-Control: ,public ,"});
    const auto all = written_directives(answer.fields);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].name, "Max-Age");
    EXPECT_EQ(all[0].argument, "\"60\"");
    EXPECT_EQ(all[1].argument, "\"a, b\"");
    EXPECT_EQ(all[2].name, "public");
    EXPECT_EQ(all[2].argument, std::nullopt);
}

TEST(LintDirectives, WhatIsRightIsLeftAlone) {
    for (const std::string_view text :
         {"max-age=60", "public, max-age=31536000, immutable", "no-store", "no-store, max-age=0", "no-cache",
          "private, no-cache, max-age=0, must-revalidate", "Max-Age=5, PRIVATE", "max-age=60, max-age=60",
          "must-understand, no-store, max-age=60", "private=\"x-user\", s-maxage=60",
          "no-cache=\"set-cookie\", max-age=60", "max-age=60, stale-while-revalidate=30, stale-if-error=600",
          "s-maxage=60, stale-while-revalidate=0", ""})
        EXPECT_THAT(of(text), IsEmpty()) << text;
}

TEST(LintDirectives, UnknownOnesSayTheNearest) {
    EXPECT_EQ(what(lint("max-agee=60"), "unknown-directive"),
              "\"max-agee=60\" is no directive; did you mean \"max-age\"?");
    EXPECT_THAT(what(lint("no_cache"), "unknown-directive"), HasSubstr("no-cache"));
    EXPECT_THAT(what(lint("min-fresh=5"), "unknown-directive"), HasSubstr("directive of requests"));
    EXPECT_THAT(what(lint("community=\"UCI\""), "unknown-directive"), HasSubstr("no directive of the standards"));
    EXPECT_THAT(of("max-age 60"), ElementsAre("unknown-directive"));
}

TEST(LintDirectives, Section1_2_2_LifetimesAreWholeNumbers) {
    for (const std::string_view text :
         {"max-age", "max-age=", "max-age=1.5", "max-age=-1", "max-age=60s", "max-age='60'", "s-maxage=\"60\"",
          "max-age=60;public", "max-age=60, stale-if-error=x"})
        EXPECT_THAT(of(text), ElementsAre("max-age-quoted-or-invalid")) << text;
}

TEST(LintDirectives, Section4_2_1_TwiceWithOtherValues) {
    EXPECT_EQ(what(lint("max-age=60, public, Max-Age=5"), "conflicting-max-age"),
              "Cache-Control says max-age=60 and Max-Age=5");
    EXPECT_THAT(of("s-maxage=1, s-maxage=2"), ElementsAre("conflicting-max-age"));
}

TEST(LintDirectives, Section5_2_2_10_WhatForbidsStaleAnswers) {
    EXPECT_EQ(what(lint("s-maxage=60, stale-if-error=9"), "s-maxage-disables-swr"),
              "stale-if-error=9 beside s-maxage=60");
    EXPECT_THAT(of("max-age=60, proxy-revalidate, stale-while-revalidate=9"), ElementsAre("s-maxage-disables-swr"));
    EXPECT_THAT(of("max-age=60, s-maxage=5, must-revalidate, stale-while-revalidate=9"),
                ElementsAre("must-revalidate-disables-swr"));
}

TEST(LintDirectives, Section5_2_2_5_NoStoreStandsAlone) {
    EXPECT_THAT(of("no-store, public"), ElementsAre("no-store-with-max-age"));
    EXPECT_THAT(of("no-store, s-maxage=5"), ElementsAre("no-store-with-max-age"));
    EXPECT_THAT(of("no-store, no-cache, max-age=5"), ElementsAre("no-store-with-max-age"));
}

TEST(LintDirectives, Rfc9213Section2_1_TargetedFieldsAreDictionaries) {
    EXPECT_THAT(targeted({"CDN-Cache-Control: max-age=60, stale-if-error=600, private, no-cache=?0"}), IsEmpty());
    EXPECT_THAT(targeted({"Cache-Control: Max-Age=60;"}), IsEmpty()) << "this one is not";
    for (const std::string_view line :
         {"CDN-Cache-Control: Max-Age=60", "CDN-Cache-Control: max-age=60,", "CDN-Cache-Control: max-age=\"60\"",
          "CDN-Cache-Control: max-age=1.5", "CDN-Cache-Control: max-age", "Etage-Cache-Control: max-age = 60",
          "CDN-Cache-Control: no-store=1"})
        EXPECT_THAT(targeted({line}), ElementsAre("targeted-invalid")) << line;
}

}  // namespace
}  // namespace etage::gateway
