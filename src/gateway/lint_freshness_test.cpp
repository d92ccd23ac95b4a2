#include "gateway/lint_fixture.hpp"

#include <gmock/gmock.h>

namespace etage::gateway {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Findings lint(Observed first) { return lint_answers(only(std::move(first)), ""); }

TEST(LintFreshness, Section4_2_2_SomethingSaysHowLong) {
    for (const std::string_view line :
         {"Cache-Control: no-cache", "Cache-Control: no-store", "Cache-Control: s-maxage=0"})
        EXPECT_THAT(found(sound({line})), Not(Contains("no-freshness"))) << line;
    EXPECT_THAT(found(sound({"Cache-Control: public", "Expires: Wed, 25 Nov 2026 07:00:00 GMT"})), IsEmpty());
    EXPECT_THAT(found(sound({"Cache-Control: public", "CDN-Cache-Control: max-age=5"})), IsEmpty());
    Observed unauthorized = sound({"Cache-Control: private"});
    unauthorized.status = 401;
    EXPECT_THAT(found(std::move(unauthorized)), IsEmpty()) << "no cache guesses for that status";
}

TEST(LintFreshness, Section4_2_2_WhatCachesDoWithoutIt) {
    EXPECT_THAT(
        what(lint(sound({"Cache-Control: public", "Last-Modified: Wed, 25 Nov 2026 05:00:00 GMT"})), "no-freshness"),
        HasSubstr("a tenth of its age"));
    EXPECT_THAT(what(lint(observed({})), "no-freshness"), HasSubstr("nothing to guess from"));
}

TEST(LintFreshness, Section5_3_ExpiresIsCountedFromDate) {
    EXPECT_THAT(found(sound({"Expires: Wed, 25 Nov 2026 06:01:00 GMT"})), IsEmpty());
    EXPECT_THAT(found(sound({"Expires: Wed, 25 Nov 2026 06:01:01 GMT"})), IsEmpty()) << "a second is no difference";
    EXPECT_THAT(what(lint(sound({"Expires: Wed, 25 Nov 2026 05:59:00 GMT"})), "expires-ignored"),
                "max-age=60, and Expires is -60 s from Date");
    EXPECT_THAT(found(sound({"Cache-Control: max-age=0", "Expires: Thu, 01 Jan 1970 00:00:00 GMT"})), IsEmpty());
    EXPECT_THAT(found(sound({"Cache-Control: no-store", "Expires: 0"})), IsEmpty()) << "does no harm there";
    EXPECT_THAT(found(sound({"Cache-Control: max-age=0", "Expires: -1"})), ElementsAre("expires-invalid"));
}

TEST(LintFreshness, Rfc9110Section6_6_1_Date) {
    EXPECT_EQ(what(lint(observed({})), "date-missing"), "no Date");
    EXPECT_EQ(what(lint(observed({"Date: today"})), "date-missing"), "Date: today");
    Observed failed = observed({"Cache-Control: no-store"});
    failed.status = 503;
    EXPECT_THAT(found(std::move(failed)), IsEmpty());
}

TEST(LintFreshness, Section4_2_3_DateAndAgeAddUpToNow) {
    const auto at = [](std::string_view date, std::string_view age) {
        Observed out = observed({"ETag: \"v1\"", "Cache-Control: max-age=600", "Via: 1.1 a"});
        out.fields.add("Date", date);
        out.fields.add("Age", age);
        return out;
    };
    EXPECT_THAT(found(at("Wed, 25 Nov 2026 05:50:00 GMT", "600")), IsEmpty());
    EXPECT_THAT(found(at("Wed, 25 Nov 2026 06:01:00 GMT", "0")), IsEmpty());
    EXPECT_EQ(what(lint(at("Wed, 25 Nov 2026 06:01:01 GMT", "0")), "date-skewed"),
              "Date is 61 s ahead of this machine");
    EXPECT_EQ(what(lint(at("Wed, 25 Nov 2026 05:40:00 GMT", "600")), "date-skewed"),
              "Date is 600 s behind this machine, with Age: 600");
}

TEST(LintFreshness, Section5_1_AgeComesFromACache) {
    for (const std::string_view line : {"Via: 1.1 varnish", "Cache-Status: etage; hit", "X-Cache: HIT"})
        EXPECT_THAT(found(sound({"Age: 0", line})), IsEmpty()) << line;
}

TEST(LintFreshness, Rfc9213Section3_WhoWins) {
    EXPECT_THAT(what(lint(sound({"Surrogate-Control: max-age=5", "CDN-Cache-Control: max-age=6"})),
                     "surrogate-control-superseded"),
                HasSubstr("wins"));
}

}  // namespace
}  // namespace etage::gateway
