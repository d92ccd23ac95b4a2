#include "http/date.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace etage::http {
namespace {

namespace chrono = std::chrono;
using chrono::sys_days;
using chrono::year;

WallTime at(int y, unsigned m, unsigned d, int seconds = 0) {
    return sys_days(year(y) / static_cast<int>(m) / static_cast<int>(d)) + chrono::seconds(seconds);
}

const WallTime now = at(2026, 6, 15, 12 * 3600);
const WallTime the_example = at(1994, 11, 6, 8 * 3600 + 49 * 60 + 37);

std::string text_of(WallTime when) {
    std::array<char, 29> out;
    return std::string(format_date(out, when));
}

TEST(DateRfc9110, Section5_6_7_TheThreeForms) {
    EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", now), the_example);
    EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", now), the_example);
    EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994", now), the_example);
    EXPECT_EQ(parse_date("Sun Nov 06 08:49:37 1994", now), the_example);
    EXPECT_EQ(parse_date("Wed Nov 16 08:49:37 1994", now), at(1994, 11, 16, 8 * 3600 + 49 * 60 + 37));
    EXPECT_EQ(parse_date("Thu, 01 Jan 1970 00:00:00 GMT", now), WallTime{});
    EXPECT_EQ(parse_date("Fri, 31 Dec 9999 23:59:59 GMT", now), at(9999, 12, 31, 86399));
    EXPECT_EQ(parse_date("Mon, 01 Jan 0001 00:00:00 GMT", now), at(1, 1, 1));
}

TEST(DateRfc9110, Section5_6_7_EveryMonthAndWeekday) {
    const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned m = 1; m <= 12; ++m) {
        const std::string name = months[m - 1];
        EXPECT_EQ(parse_date("Mon, 02 " + name + " 2023 00:00:01 GMT", now), at(2023, m, 2, 1)) << name;
        EXPECT_EQ(parse_date("Monday, 02-" + name + "-23 00:00:01 GMT", now), at(2023, m, 2, 1)) << name;
        EXPECT_EQ(parse_date("Mon " + name + "  2 00:00:01 2023", now), at(2023, m, 2, 1)) << name;
    }
    for (const char* day : {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"})
        EXPECT_EQ(parse_date(std::string(day) + ", 02 May 2023 00:00:00 GMT", now), at(2023, 5, 2)) << day;
    for (const char* day : {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"})
        EXPECT_EQ(parse_date(std::string(day) + ", 02-May-23 00:00:00 GMT", now), at(2023, 5, 2)) << day;
}

TEST(DateRfc9111, Section4_2_CachesCompareTheNamesWithoutCase) {
    EXPECT_EQ(parse_date("SUN, 06 NOV 1994 08:49:37 gmt", now), the_example);
    EXPECT_EQ(parse_date("sunday, 06-nov-94 08:49:37 Gmt", now), the_example);
    EXPECT_EQ(parse_date("sun nov  6 08:49:37 1994", now), the_example);
}

TEST(DateRfc9110, Section5_6_7_AnythingElseIsNoDate) {
    for (const char* text : {"",
                             " ",
                             "0",
                             "-1",
                             "Sun",
                             "now",
                             "1994-11-06T08:49:37Z",
                             "784111777",
                             " Sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             "Sun, 06 Nov 1994 08:49:37 GMTx",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 ",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 06 Nov 1994 08:49:37 +0000",
                             "Sun, 06 Nov 1994 08:49:37 AEST",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 94 08:49:37 GMT",
                             "Sun 06 Nov 1994 08:49:37 GMT",
                             "Sun,06 Nov 1994 08:49:37 GMT",
                             "Sun,  06 Nov 1994 08:49:37 GMT",
                             "Sun, 06  Nov 1994 08:49:37 GMT",
                             "Sun, 06-Nov-1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 8:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49 GMT",
                             "Sun, 06 Nov 1994 08.49.37 GMT",
                             "Sun, 06 Nov 1994 08:49:3a GMT",
                             "Sun, 06 Nov 1994 -8:49:37 GMT",
                             "Sun, 06 Nov 1994 +8:49:37 GMT",
                             "Sun, 06 Nov 19944 08:49:37 GMT",
                             "Sun, 06 Non 1994 08:49:37 GMT",
                             "Son, 06 Nov 1994 08:49:37 GMT",
                             "Sunday, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06-Nov-94 08:49:37 GMT",
                             "Sunday, 06-Nov-1994 08:49:37 GMT",
                             "Sunday, 6-Nov-94 08:49:37 GMT",
                             "Sunday, 06-November-94 08:49:37 GMT",
                             "Sun Nov 6 08:49:37 1994",
                             "Sun Nov   6 08:49:37 1994",
                             "Sun Nov  06 08:49:37 1994",
                             "Sun Nov  6 08:49:37 1994 GMT",
                             "Sun Nov  6 08:49:37 94",
                             "Sun, Nov  6 08:49:37 1994",
                             "Sun, 06 Nov 0000 08:49:37 GMT",
                             "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT"})
        EXPECT_EQ(parse_date(text, now), std::nullopt) << text;
    EXPECT_EQ(parse_date(std::string_view("Sun, 06 Nov 1994 08:49:37 GMT\0", 30), now), std::nullopt);
}

TEST(DateRfc9110, Section5_6_7_DaysAndTimesExist) {
    for (const char* text :
         {"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 32 Jan 1994 08:49:37 GMT",
          "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 30 Feb 2024 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:60 GMT",
          "Sun, 06 Nov 1994 23:59:61 GMT", "Sun Nov  0 08:49:37 1994", "Sunday, 29-Feb-23 08:49:37 GMT"})
        EXPECT_EQ(parse_date(text, now), std::nullopt) << text;
    EXPECT_EQ(parse_date("Thu, 29 Feb 2024 00:00:00 GMT", now), at(2024, 2, 29));
    EXPECT_EQ(parse_date("Tue, 29 Feb 2000 00:00:00 GMT", now), at(2000, 2, 29));
    EXPECT_EQ(parse_date("Thursday, 29-Feb-24 00:00:00 GMT", now), at(2024, 2, 29));
    EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT", now), at(2017, 1, 1));
}

TEST(DateRfc9110, Section5_6_7_TwoDigitYearsMoreThanFiftyYearsAheadArePast) {
    EXPECT_EQ(parse_date("Monday, 15-Jun-76 12:00:00 GMT", now), at(2076, 6, 15, 12 * 3600));
    EXPECT_EQ(parse_date("Monday, 15-Jun-76 12:00:01 GMT", now), at(1976, 6, 15, 12 * 3600 + 1));
    EXPECT_EQ(parse_date("Monday, 14-Jun-76 23:59:59 GMT", now), at(2076, 6, 14, 86399));
    EXPECT_EQ(parse_date("Monday, 16-Jun-76 00:00:00 GMT", now), at(1976, 6, 16));
    EXPECT_EQ(parse_date("Monday, 01-Jan-77 00:00:00 GMT", now), at(1977, 1, 1));
    EXPECT_EQ(parse_date("Monday, 01-Jan-26 00:00:00 GMT", now), at(2026, 1, 1));
    EXPECT_EQ(parse_date("Monday, 01-Jan-00 00:00:00 GMT", now), at(2000, 1, 1));
    EXPECT_EQ(parse_date("Monday, 01-Jan-00 00:00:00 GMT", at(1999, 12, 31)), at(2000, 1, 1));
    EXPECT_EQ(parse_date("Monday, 01-Jan-49 00:00:00 GMT", at(1999, 12, 31)), at(2049, 1, 1));
    EXPECT_EQ(parse_date("Monday, 01-Jan-99 00:00:00 GMT", at(2049, 1, 1)), at(2099, 1, 1));
    EXPECT_EQ(parse_date("Monday, 01-Jan-99 00:00:00 GMT", at(2048, 1, 1)), at(1999, 1, 1));
}

TEST(DateRfc9110, Section5_6_7_AnAbsurdClockDoesNoHarm) {
    for (const WallTime clock : {WallTime::min(), WallTime::max(), WallTime{}}) {
        const auto date = parse_date("Monday, 01-Jan-99 00:00:00 GMT", clock);
        EXPECT_TRUE(!date || parse_date(text_of(*date), clock) == date);
    }
}

TEST(DateRfc9110, Section5_6_7_WritesImfFixdate) {
    EXPECT_EQ(text_of(the_example), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(text_of(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(text_of(WallTime(chrono::seconds(-1))), "Wed, 31 Dec 1969 23:59:59 GMT");
    EXPECT_EQ(text_of(at(2024, 2, 29)), "Thu, 29 Feb 2024 00:00:00 GMT");
    EXPECT_EQ(text_of(at(33, 4, 3)), "Sun, 03 Apr 0033 00:00:00 GMT");
}

TEST(DateRfc9110, Section5_6_7_YearsWithoutFourDigitsAreClamped) {
    EXPECT_EQ(text_of(WallTime::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
    EXPECT_EQ(text_of(at(10000, 1, 1)), "Fri, 31 Dec 9999 23:59:59 GMT");
    EXPECT_EQ(text_of(WallTime::min()), "Mon, 01 Jan 0001 00:00:00 GMT");
    EXPECT_EQ(text_of(at(0, 12, 31)), "Mon, 01 Jan 0001 00:00:00 GMT");
}

TEST(DateProperty, WhatIsWrittenIsReadBack) {
    ASSERT_TRUE(rc::check([] {
        const auto seconds = *rc::gen::inRange<std::int64_t>(-62135596800, 253402300800);  // years 1 to 9999
        const WallTime when{chrono::seconds(seconds)};
        RC_ASSERT(parse_date(text_of(when), now) == when);
    }));
}

TEST(DateProperty, TheTwoDigitYearIsNeverMoreThanFiftyYearsAheadNorAHundredBack) {
    ASSERT_TRUE(rc::check([] {
        const WallTime clock{chrono::seconds(*rc::gen::inRange<std::int64_t>(0, 4102444800))};
        const int yy = *rc::gen::inRange(0, 100);
        const std::string digits{static_cast<char>('0' + yy / 10), static_cast<char>('0' + yy % 10)};
        const auto date = parse_date("Monday, 01-Jul-" + digits + " 00:00:00 GMT", clock);
        RC_ASSERT(date.has_value());
        RC_ASSERT(*date <= clock + chrono::days(50 * 365 + 13));
        RC_ASSERT(*date > clock - chrono::days(50 * 365 + 13));
    }));
}

TEST(DateProperty, NoTextWithOneByteChangedIsReadAsSomethingUnwritable) {
    ASSERT_TRUE(rc::check([] {
        std::string text = "Sun, 06 Nov 1994 08:49:37 GMT";
        text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
        const auto date = parse_date(text, now);
        if (date) RC_ASSERT(parse_date(text_of(*date), now) == date);
    }));
}

}  // namespace
}  // namespace etage::http
