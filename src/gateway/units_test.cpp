#include "gateway/units.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace etage::gateway {
namespace {

using namespace std::chrono_literals;

TEST(Units, Durations) {
    EXPECT_EQ(parse_duration("60s"), Duration(60s));
    EXPECT_EQ(parse_duration("50ms"), Duration(50ms));
    EXPECT_EQ(parse_duration("10m"), Duration(10min));
    EXPECT_EQ(parse_duration("10min"), Duration(10min));
    EXPECT_EQ(parse_duration("1h"), Duration(1h));
    EXPECT_EQ(parse_duration("1d"), Duration(24h));
    EXPECT_EQ(parse_duration("2w"), Duration(336h));
    EXPECT_EQ(parse_duration("1h30m"), Duration(90min));
    EXPECT_EQ(parse_duration("1.5s"), Duration(1500ms));
    EXPECT_EQ(parse_duration("0.1s"), Duration(100ms));
    EXPECT_EQ(parse_duration("100 ms"), Duration(100ms));
    EXPECT_EQ(parse_duration("7us"), Duration(7us));
    EXPECT_EQ(parse_duration("0"), Duration::zero());
    EXPECT_EQ(parse_duration("0s"), Duration::zero());
}

TEST(Units, DurationsThatAreNone) {
    for (const char* text : {"", "s", "-1s", "+1s", "1x", "1S", "1s ", " 1s", "1e3s", "1s,2s", "inf", "nan", "0x1s",
                             "1..5s", ".5s", "1s-1s"})
        EXPECT_FALSE(parse_duration(text)) << text;
    EXPECT_EQ(parse_duration("60").error(), "\"60\" has no unit; write \"60s\" for seconds, or ms, m, h, d");
    EXPECT_EQ(parse_duration("101w500000d").error(), "\"101w500000d\" is longer than 100 years");
    EXPECT_FALSE(parse_duration("99999999999999999999999999999999999999d"));
    EXPECT_FALSE(parse_duration(std::string(400, '9') + "d"));
}

TEST(Units, Sizes) {
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("4096"), 4096U);
    EXPECT_EQ(parse_size("4096B"), 4096U);
    EXPECT_EQ(parse_size("64KiB"), 64U << 10);
    EXPECT_EQ(parse_size("256MiB"), 256U << 20);
    EXPECT_EQ(parse_size("1GiB"), 1U << 30);
    EXPECT_EQ(parse_size("0.5GiB"), 512U << 20);
    EXPECT_EQ(parse_size("10MB"), 10'000'000U);
    EXPECT_EQ(parse_size("10 kB"), 10'000U);
    EXPECT_EQ(parse_size("2TiB"), std::uint64_t{2} << 40);
}

TEST(Units, SizesThatAreNone) {
    for (const char* text : {"", "MiB", "-1", "1mib", "1M", "1 Mi B", "1MiB1KiB", "0.3KB5", "1e3", "256 MiB!", "1.5B"})
        EXPECT_FALSE(parse_size(text)) << text;
    EXPECT_EQ(parse_size("99999999TiB").error(), "\"99999999TiB\" is too large");
}

TEST(Units, Rates) {
    EXPECT_EQ(parse_rate("120/min"), (Rate{120, 1min}));
    EXPECT_EQ(parse_rate("5/s"), (Rate{5, 1s}));
    EXPECT_EQ(parse_rate("1000/day"), (Rate{1000, 24h}));
    EXPECT_EQ(parse_rate("100/15m"), (Rate{100, 15min}));
    EXPECT_EQ(parse_rate("3/hour"), (Rate{3, 1h}));
}

TEST(Units, RatesThatAreNone) {
    for (const char* text : {"", "120", "/min", "120/", "a/min", "-1/s", "1.5/s", "120/month", "1/s/s", "1/0s", "0/s",
                             "99999999999999999999/s"})
        EXPECT_FALSE(parse_rate(text)) << text;
    EXPECT_EQ(parse_rate("0/s").error(), "\"0/s\" lets nobody in; the number before the slash is at least 1");
}

TEST(Units, DurationsAreWrittenShort) {
    EXPECT_EQ(format_duration(60s), "60s");
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(10min), "10m");
    EXPECT_EQ(format_duration(1h + 30s), "1h30s");
    EXPECT_EQ(format_duration(50ms), "50ms");
    EXPECT_EQ(format_duration(1500ms), "1s500ms");
    EXPECT_EQ(format_duration(48h), "2d");
    EXPECT_EQ(format_duration(Duration::zero()), "0s");
    EXPECT_EQ(format_duration(-5s), "-5s");
}

TEST(Units, WhatIsWrittenReadsBack) {
    rc::check("milliseconds survive formatting and parsing", [] {
        const Duration d =
            std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(0, std::int64_t{100} * 365 * 86'400'000));
        RC_ASSERT(parse_duration(format_duration(d)).value() == d);
    });
}

}  // namespace
}  // namespace etage::gateway
