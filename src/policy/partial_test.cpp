#include "policy/partial.hpp"

#include "policy/test_messages.hpp"

namespace etage::policy {
namespace {

using http::ByteRange;
using http::Part;

constexpr WallTime now{std::chrono::seconds(1'790'000'000)};

std::optional<http::RangeSet> range_of(FieldPairs fields, std::string_view method = "GET") {
    return single_range(Asked(method, "/", fields).head);
}

TEST(PartialRfc9110, Section14_2_OneRangeThatNothingElseDecidesAbout) {
    EXPECT_TRUE(range_of({{"Range", "bytes=0-4"}}));
    EXPECT_TRUE(range_of({{"Range", "bytes=-5"}, {"If-Range", "\"1\""}}));
    EXPECT_FALSE(range_of({}));
    EXPECT_FALSE(range_of({{"Range", "bytes=0-4"}}, "HEAD"));
    EXPECT_FALSE(range_of({{"Range", "bytes=0-1,3-4"}}));
    EXPECT_FALSE(range_of({{"Range", "lines=1"}}));
    EXPECT_FALSE(range_of({{"Range", "bytes=0-4"}, {"Accept-Encoding", "gzip, identity;q=0"}}));
    for (const char* name : {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"})
        EXPECT_FALSE(range_of({{"Range", "bytes=0-4"}, {name, "*"}})) << name;
}

TEST(PartialRfc9110, Section14_4_WhatA206Holds) {
    const auto part = [](FieldPairs fields, std::optional<std::uint64_t> length) {
        return part_of(fields_of(fields), length);
    };
    EXPECT_EQ(part({{"Content-Range", "bytes 2-4/10"}}, 3), (Part{{2, 4}, 10}));
    EXPECT_FALSE(part({{"Content-Range", "bytes 2-4/10"}}, 4)) << "contradicts the content";
    EXPECT_FALSE(part({{"Content-Range", "bytes 2-4/10"}}, std::nullopt));
    EXPECT_FALSE(part({{"Content-Range", "bytes 2-4/*"}}, 3));
    EXPECT_FALSE(part({{"Content-Range", "bytes */10"}}, 3));
    EXPECT_FALSE(part({{"Content-Range", "bytes 4-2/10"}}, 3));
    EXPECT_FALSE(part({{"Content-Range", "bytes 2-4/10"}, {"Content-Range", "bytes 3-5/10"}}, 3));
    EXPECT_FALSE(part({{"Content-Range", "bytes 2-4/10"}, {"Content-Encoding", "gzip"}}, 3));
    EXPECT_FALSE(part({}, 3));
}

TEST(PartialRfc9111, Section3_3_WhatAPartHolds) {
    const Part part{{2, 5}, 10};
    const auto has = [&](std::string_view range) { return holds(part, http::parse_range(range)); };
    for (const char* range : {"bytes=2-5", "bytes=3-3"}) EXPECT_TRUE(has(range)) << range;
    for (const char* range : {"bytes=1-5", "bytes=2-6", "bytes=2-", "bytes=-1", "bytes=10-", "cow"})
        EXPECT_FALSE(has(range)) << range;
    EXPECT_TRUE(holds({{5, 9}, 10}, http::parse_range("bytes=-5")));
    EXPECT_TRUE(holds({{5, 9}, 10}, http::parse_range("bytes=7-")));
    EXPECT_TRUE(holds({{5, 9}, 10}, http::parse_range("bytes=7-99")));
    EXPECT_FALSE(holds({{5, 9}, 10}, http::parse_range("bytes=-6")));
}

TEST(PartialRfc9111, Section3_4_WhatIsMissing) {
    EXPECT_EQ(missing_piece({{0, 4}, 10}), (ByteRange{5, 9}));
    EXPECT_EQ(missing_piece({{4, 9}, 10}), (ByteRange{0, 3}));
    EXPECT_FALSE(missing_piece({{1, 4}, 10})) << "two pieces";
    EXPECT_FALSE(missing_piece({{0, 9}, 10})) << "nothing";
}

TEST(PartialRfc9110, Section15_3_7_3_OnlyWithTheSameStrongValidator) {
    const auto same = [](FieldPairs a, FieldPairs b) { return same_representation(fields_of(a), fields_of(b), now); };
    const std::pair<std::string_view, std::string_view> date{"Date", "Thu, 01 Jan 2026 12:00:00 GMT"};
    const std::pair<std::string_view, std::string_view> long_ago{"Last-Modified", "Wed, 31 Dec 2025 00:00:00 GMT"};
    const std::pair<std::string_view, std::string_view> just_now{"Last-Modified", "Thu, 01 Jan 2026 12:00:00 GMT"};
    EXPECT_TRUE(same({{"ETag", "\"1\""}}, {{"ETag", "\"1\""}}));
    EXPECT_FALSE(same({{"ETag", "\"1\""}}, {{"ETag", "\"2\""}}));
    EXPECT_FALSE(same({{"ETag", "W/\"1\""}}, {{"ETag", "W/\"1\""}}));
    EXPECT_FALSE(same({{"ETag", "\"1\""}}, {}));
    EXPECT_FALSE(same({}, {}));
    EXPECT_TRUE(same({date, long_ago}, {date, long_ago}));
    EXPECT_FALSE(same({date, just_now}, {date, just_now})) << "could have changed within that second";
    EXPECT_FALSE(same({{"ETag", "W/\"1\""}, date, long_ago}, {{"ETag", "W/\"1\""}, date, long_ago}));
}

TEST(Partial, TogetherWhenTheyTouch) {
    EXPECT_EQ(together({{0, 4}, 10}, {{5, 9}, 10}), (ByteRange{0, 9}));
    EXPECT_EQ(together({{5, 9}, 10}, {{0, 4}, 10}), (ByteRange{0, 9}));
    EXPECT_EQ(together({{0, 7}, 10}, {{2, 3}, 10}), (ByteRange{0, 7}));
    EXPECT_FALSE(together({{0, 3}, 10}, {{5, 9}, 10}));
    EXPECT_FALSE(together({{5, 9}, 10}, {{0, 3}, 10}));
    EXPECT_FALSE(together({{0, 4}, 10}, {{5, 9}, 11}));
}

}  // namespace
}  // namespace etage::policy
