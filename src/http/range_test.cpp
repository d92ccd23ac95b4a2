#include "http/range.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

namespace etage::http {
namespace {

using Kind = RangeSet::Kind;
using Answer = ResolvedRanges::Answer;
constexpr std::uint64_t largest = RangeSpec::to_the_end;

/// "0-1,4-" for the specs read, "invalid" or "too many".
std::string specs(std::string_view value) {
    const RangeSet set = parse_range(value);
    if (set.kind() == Kind::invalid) return "invalid";
    if (set.kind() == Kind::too_many) return "too many";
    std::string out;
    RangeText text;
    for (const RangeSpec& spec : set.specs()) {
        if (!out.empty()) out += ',';
        out += write_range(text, spec).substr(6);
    }
    return out;
}

/// "0-1,4-9" for the ranges of a 206, else the status.
std::string answer(std::string_view value, std::uint64_t complete_length) {
    const ResolvedRanges resolved = resolve(parse_range(value), complete_length);
    if (resolved.answer() == Answer::whole) return "200";
    if (resolved.answer() == Answer::unsatisfiable) return "416";
    std::string out;
    for (const ByteRange& range : resolved.ranges()) {
        if (!out.empty()) out += ',';
        out += std::to_string(range.first) + "-" + std::to_string(range.last);
    }
    return out;
}

std::string many(std::size_t count) {
    std::string out = "bytes=";
    for (std::size_t i = 0; i < count; ++i) out += std::to_string(4 * i) + "-" + std::to_string(4 * i) + ",";
    return out;
}

TEST(RangeRfc9110, Section14_1_2_IntRangesAndSuffixes) {
    EXPECT_EQ(specs("bytes=0-499"), "0-499");
    EXPECT_EQ(specs("bytes=9500-"), "9500-");
    EXPECT_EQ(specs("bytes=-500"), "-500");
    EXPECT_EQ(specs("bytes=0-0,-1"), "0-0,-1");
    EXPECT_EQ(specs("bytes= 0-999, 4500-5499\t,-1000"), "0-999,4500-5499,-1000");
    EXPECT_EQ(specs("bytes=007-08"), "7-8");
    EXPECT_EQ(specs("bytes=-0"), "-0");
}

TEST(RangeRfc9110, Section14_1_UnitsHaveNoCase) {
    EXPECT_EQ(specs("Bytes=1-2"), "1-2");
    EXPECT_EQ(specs("BYTES=1-2"), "1-2");
}

TEST(RangeRfc9110, Section5_6_1_2_EmptyElementsAreSkipped) {
    EXPECT_EQ(specs("bytes=,0-1,, 2-3 ,"), "0-1,2-3");
    for (const char* value : {"bytes=", "bytes=,", "bytes= , ,"}) EXPECT_EQ(specs(value), "invalid") << value;
}

TEST(RangeRfc9110, Section14_2_OtherUnitsAndBrokenFieldsAreNone) {
    for (const char* value : {"",
                              "bytes",
                              "bytes 0-1",
                              "bytes =0-1",
                              "=0-1",
                              "items=0-1",
                              "byte=0-1",
                              "bytess=0-1",
                              "none",
                              "bytes=-",
                              "bytes=1",
                              "bytes=a-b",
                              "bytes=0-1x",
                              "bytes=0 -1",
                              "bytes=0- 1",
                              "bytes=--1",
                              "bytes=1--2",
                              "bytes=1-2-3",
                              "bytes=+1-2",
                              "bytes=0x1-2",
                              "bytes=2-1",
                              "bytes=0-1,2-1",
                              "bytes=0-1;2-3",
                              "bytes=\"0-1\"",
                              "bytes=0-1 2-3",
                              "bytes==0-1",
                              "bytes=0-1,bytes=2-3",
                              "bytes=1.5-2",
                              "0-1"})
        EXPECT_EQ(specs(value), "invalid") << value;
}

TEST(RangeRfc9110, Section14_1_1_LargeNumbersDoNotOverflow) {
    const std::string most = std::to_string(largest);
    EXPECT_EQ(answer("bytes=0-" + most, 10), "0-9");
    EXPECT_EQ(answer("bytes=5-99999999999999999999999999", 10), "5-9");
    EXPECT_EQ(answer("bytes=-99999999999999999999999999", 10), "0-9");
    EXPECT_EQ(answer("bytes=18446744073709551616-", 10), "416") << "2^64 is not 0";
    EXPECT_EQ(answer("bytes=18446744073709551616-18446744073709551617", 10), "416");
    EXPECT_EQ(answer("bytes=" + most + "-" + most, largest), "416");
    EXPECT_EQ(answer("bytes=-1", largest), "18446744073709551614-18446744073709551614");
    EXPECT_EQ(answer("bytes=0-", largest), "0-18446744073709551614");
    EXPECT_EQ(answer("bytes=0-,0-", largest), "200");
}

TEST(RangeRfc9110, Section14_2_OneLineOnly) {
    Fields fields;
    EXPECT_EQ(parse_range(fields).kind(), Kind::invalid);
    fields.add(FieldId::range, "bytes=0-1");
    EXPECT_EQ(parse_range(fields).kind(), Kind::ranges);
    fields.add(FieldId::range, "bytes=0-1");
    EXPECT_EQ(parse_range(fields).kind(), Kind::invalid);
}

TEST(RangeRfc9110, Section17_15_TooManyAreSaidApart) {
    EXPECT_EQ(parse_range(many(ranges_max)).kind(), Kind::ranges);
    EXPECT_EQ(parse_range(many(ranges_max)).specs().size(), ranges_max);
    EXPECT_EQ(specs(many(ranges_max + 1)), "too many");
    EXPECT_EQ(specs(many(1000)), "too many");
    EXPECT_TRUE(parse_range(many(1000)).specs().empty());
    EXPECT_EQ(specs(many(1000) + "x"), "invalid");
    EXPECT_EQ(answer(many(ranges_max + 1), 1000), "200");
}

TEST(RangeRfc9110, Section14_1_2_WhatIsThereOfIt) {
    EXPECT_EQ(answer("bytes=0-499", 10000), "0-499");
    EXPECT_EQ(answer("bytes=9500-", 10000), "9500-9999");
    EXPECT_EQ(answer("bytes=-500", 10000), "9500-9999");
    EXPECT_EQ(answer("bytes=0-0,-1", 10000), "0-0,9999-9999");
    EXPECT_EQ(answer("bytes=500-700,601-999", 10000), "500-999");
    EXPECT_EQ(answer("bytes=8-20", 10), "8-9");
    EXPECT_EQ(answer("bytes=-20", 10), "0-9");
    EXPECT_EQ(answer("bytes=0-", 10), "0-9");
}

TEST(RangeRfc9110, Section15_5_17_NoneOfItIsThere) {
    EXPECT_EQ(answer("bytes=10-", 10), "416");
    EXPECT_EQ(answer("bytes=10-20, 30-40", 10), "416");
    EXPECT_EQ(answer("bytes=-0", 10), "416");
    EXPECT_EQ(answer("bytes=10-, 2-3, -0", 10), "2-3") << "one of them suffices";
    EXPECT_EQ(answer("bytes=0-", 0), "416");
    EXPECT_EQ(answer("bytes=-0", 0), "416");
    EXPECT_EQ(answer("bytes=-5", 0), "200") << "all of nothing";
}

TEST(RangeRfc9110, Section14_2_IgnoredMeansWhole) {
    EXPECT_EQ(answer("items=0-1", 10), "200");
    EXPECT_EQ(answer("bytes=2-1", 10), "200");
    EXPECT_EQ(answer("", 0), "200");
}

TEST(RangeRfc9110, Section15_3_7_2_InTheOrderAskedAndCoalesced) {
    EXPECT_EQ(answer("bytes=6-7,0-1,3-4", 10), "6-7,0-1,3-4");
    EXPECT_EQ(answer("bytes=0-1,2-3", 10), "0-3") << "adjacent";
    EXPECT_EQ(answer("bytes=2-3,0-1", 10), "0-3");
    EXPECT_EQ(answer("bytes=8-9,0-1,4-5,2-3", 10), "8-9,0-5") << "the third joins the two before it";
    EXPECT_EQ(answer("bytes=0-1,4-5,2-3", 10), "0-5");
    EXPECT_EQ(answer("bytes=0-3,2-5", 10), "0-5");
    EXPECT_EQ(answer("bytes=2-5,3-4", 10), "2-5");
    EXPECT_EQ(answer("bytes=0-1,3-4", 10), "0-1,3-4") << "a byte apart";
}

TEST(RangeRfc9110, Section17_15_FloodsAreIgnored) {
    EXPECT_EQ(answer("bytes=0-1,1-2,2-3", 100), "200") << "three overlap";
    EXPECT_EQ(answer("bytes=0-1,1-2,8-9,9-10", 100), "200") << "two and two";
    EXPECT_EQ(answer("bytes=5-5,5-5,5-5", 100), "200");
    EXPECT_EQ(answer("bytes=5-5,5-5", 100), "5-5");
    EXPECT_EQ(answer("bytes=0-,0-", 100), "200") << "more than there is";
    EXPECT_EQ(answer("bytes=0-,-1", 100), "200");
    EXPECT_EQ(answer("bytes=0-49,50-", 100), "0-99") << "exactly what there is";
    EXPECT_EQ(answer("bytes=0-,200-", 100), "0-99") << "what is not there does not count";
}

ContentRange content_range(std::uint64_t first, std::uint64_t last, std::optional<std::uint64_t> complete) {
    return {ContentRange::Kind::range, {first, last}, complete};
}

TEST(ContentRangeRfc9110, Section14_4_IsRead) {
    EXPECT_EQ(parse_content_range("bytes 42-1233/1234"), content_range(42, 1233, 1234));
    EXPECT_EQ(parse_content_range("bytes 42-1233/*"), content_range(42, 1233, std::nullopt));
    EXPECT_EQ(parse_content_range("BYTES 0-0/1"), content_range(0, 0, 1));
    const ContentRange unsatisfied = parse_content_range("bytes */1234");
    EXPECT_EQ(unsatisfied.kind, ContentRange::Kind::unsatisfied);
    EXPECT_EQ(unsatisfied.complete, 1234U);
    EXPECT_EQ(parse_content_range("bytes */0").complete, 0U);
}

TEST(ContentRangeRfc9110, Section14_4_WhatContradictsItselfIsInvalid) {
    for (const char* value : {"",
                              "bytes",
                              "bytes ",
                              "bytes  0-1/2",
                              "bytes=0-1/2",
                              "items 0-1/2",
                              "bytes 0-1",
                              "bytes 0-1/",
                              "bytes 0-1/x",
                              "bytes 2-1/5",
                              "bytes 0-5/5",
                              "bytes 5-5/5",
                              "bytes */*",
                              "bytes *",
                              "bytes -1/5",
                              "bytes 0-/5",
                              "bytes -/5",
                              "bytes 0-1/2 ",
                              "bytes 0-1 /2",
                              "bytes 0-1/ 2",
                              "bytes 0-1/2/3",
                              "bytes 0-1/2, bytes 0-1/2",
                              "bytes a-b/c",
                              "bytes 0-18446744073709551615/*",
                              "bytes 0-18446744073709551616/*",
                              "bytes 0-1/18446744073709551616",
                              "bytes */18446744073709551616",
                              "bytes 18446744073709551616-18446744073709551617/*"})
        EXPECT_EQ(parse_content_range(value), ContentRange{}) << value;
}

TEST(ContentRangeRfc9110, Section14_4_IsWritten) {
    RangeText text;
    EXPECT_EQ(write_content_range(text, {0, 1}, 11), "bytes 0-1/11");
    EXPECT_EQ(write_content_range(text, {0, 1}, std::nullopt), "bytes 0-1/*");
    EXPECT_EQ(write_unsatisfied_range(text, 11), "bytes */11");
    EXPECT_EQ(write_content_range(text, {largest - 2, largest - 1}, largest).size(), range_text_bytes);
    EXPECT_EQ(write_range(text, {5, 9, false}), "bytes=5-9");
    EXPECT_EQ(write_range(text, {5, largest, false}), "bytes=5-");
    EXPECT_EQ(write_range(text, {5, largest, true}), "bytes=-5");
}

constexpr WallTime now = std::chrono::sys_days{std::chrono::year{2024} / 6 / 1};
constexpr std::string_view noon = "Sat, 01 Jun 2024 12:00:00 GMT";
constexpr std::string_view a_second_later = "Sat, 01 Jun 2024 12:00:01 GMT";

TEST(IfRangeRfc9110, Section13_1_5_TagsAreComparedStrongly) {
    const auto matches = [](std::string_view value, std::string_view etag) {
        return if_range_matches(value, etag, noon, a_second_later, now);
    };
    EXPECT_TRUE(matches("\"a\"", "\"a\""));
    EXPECT_FALSE(matches("\"a\"", "\"b\""));
    EXPECT_FALSE(matches("\"a\"", "\"A\""));
    EXPECT_FALSE(matches("W/\"a\"", "W/\"a\""));
    EXPECT_FALSE(matches("W/\"a\"", "\"a\""));
    EXPECT_FALSE(matches("\"a\"", "W/\"a\""));
    EXPECT_FALSE(matches("\"a\"", ""));
    EXPECT_FALSE(matches("\"a\"", "\"a-g\"")) << "other bytes";
    for (const char* broken : {"", "a", "*", "\"a\", \"b\"", "\"a"}) EXPECT_FALSE(matches(broken, "\"a\"")) << broken;
}

TEST(IfRangeRfc9110, Section13_1_5_ADateMatchesExactly) {
    const auto matches = [](std::string_view value) {
        return if_range_matches(value, "\"a\"", noon, "Sun, 02 Jun 2024 12:00:00 GMT", now);
    };
    EXPECT_TRUE(matches(noon));
    EXPECT_TRUE(matches("Saturday, 01-Jun-24 12:00:00 GMT"));
    EXPECT_FALSE(matches(a_second_later)) << "a later date is not enough";
    EXPECT_FALSE(matches("Sat, 01 Jun 2024 11:59:59 GMT"));
    EXPECT_FALSE(matches("yesterday"));
    EXPECT_FALSE(if_range_matches("yesterday", "", "yesterday", a_second_later, now));
    EXPECT_FALSE(if_range_matches(noon, "", "", a_second_later, now));
}

TEST(IfRangeRfc9110, Section8_8_2_2_OnlyAStrongDateCounts) {
    EXPECT_TRUE(if_range_matches(noon, "", noon, a_second_later, now));
    EXPECT_FALSE(if_range_matches(noon, "", noon, noon, now)) << "it may have changed twice within the second";
    EXPECT_FALSE(if_range_matches(noon, "", noon, "Sat, 01 Jun 2024 11:00:00 GMT", now));
    EXPECT_FALSE(if_range_matches(noon, "", noon, "", now));
}

std::string arbitrary_range() {
    const auto number = [] {
        return *rc::gen::weightedOneOf<int>({{8, rc::gen::inRange(0, 40)}, {1, rc::gen::just(-1)}});
    };
    std::string out = "bytes=";
    for (int left = *rc::gen::inRange(1, 6); left > 0; --left) {
        const int first = number();
        const int last = number();
        if (first >= 0) out += std::to_string(first);
        out += '-';
        if (last >= 0) out += std::to_string(last);
        if (left > 1) out += ',';
    }
    return out;
}

TEST(RangeProperty, AResolvedRangeIsInsideApartAndAskedFor) {
    ASSERT_TRUE(rc::check([] {
        const RangeSet set = parse_range(arbitrary_range());
        const auto complete = static_cast<std::uint64_t>(*rc::gen::inRange(0, 40));
        std::set<std::uint64_t> asked;
        for (const RangeSpec& spec : set.specs())
            for (std::uint64_t i = 0; i < complete; ++i)
                if (spec.suffix ? i + spec.first >= complete : i >= spec.first && i <= spec.last) asked.insert(i);

        const ResolvedRanges resolved = resolve(set, complete);
        RC_ASSERT(resolved.ranges().empty() == (resolved.answer() != Answer::partial));
        if (set.kind() == Kind::ranges && complete > 0)
            RC_ASSERT(asked.empty() == (resolved.answer() == Answer::unsatisfiable));
        std::set<std::uint64_t> sent;
        for (const ByteRange& range : resolved.ranges()) {
            RC_ASSERT(range.first <= range.last);
            RC_ASSERT(range.last < complete);
            for (std::uint64_t i = range.first; i <= range.last; ++i) RC_ASSERT(sent.insert(i).second);
            for (const ByteRange& other : resolved.ranges()) RC_ASSERT(other.last + 1 != range.first);
        }
        if (resolved.answer() == Answer::partial) RC_ASSERT(sent == asked);
    }));
}

TEST(ContentRangeProperty, ReadBackAsWritten) {
    ASSERT_TRUE(rc::check([](std::uint64_t a, std::uint64_t b, std::uint64_t c, bool known) {
        std::array<std::uint64_t, 3> numbers{a, b, c};
        std::ranges::sort(numbers);
        RC_PRE(numbers[1] < numbers[2]);
        const ContentRange written =
            content_range(numbers[0], numbers[1], known ? std::optional(numbers[2]) : std::nullopt);
        RC_PRE(!known || numbers[2] < largest);
        RangeText text;
        RC_ASSERT(parse_content_range(write_content_range(text, written.range, written.complete)) == written);
        RC_ASSERT(parse_content_range(write_unsatisfied_range(text, numbers[1])).complete == numbers[1]);
    }));
}

TEST(RangeProperty, ReadBackAsWritten) {
    ASSERT_TRUE(rc::check([](std::uint64_t first, std::uint64_t more, bool open, bool suffix) {
        const RangeSpec spec{first, open || suffix || more > largest - first ? largest : first + more, suffix};
        RangeText text;
        const RangeSet set = parse_range(write_range(text, spec));
        RC_ASSERT(set.specs().size() == 1U);
        RC_ASSERT(set.specs().front() == spec);
    }));
}

TEST(RangeProperty, SurvivesAnyText) {
    ASSERT_TRUE(rc::check([] {
        const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("bytes=0123-,/* \t\"")));
        resolve(parse_range("bytes=" + text), 10);
        parse_content_range("bytes " + text);
    }));
}

}  // namespace
}  // namespace etage::http
