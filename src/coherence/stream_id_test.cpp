#include "coherence/stream_id.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace etage::coherence {
namespace {

TEST(StreamId, ReadsWhatRedisWrites) {
    EXPECT_EQ(parse_stream_id("1526919030474-55"), (StreamId{1526919030474, 55}));
    EXPECT_EQ(parse_stream_id("0-0"), StreamId{});
    EXPECT_EQ(parse_stream_id("7"), (StreamId{7, 0}));
    EXPECT_EQ(parse_stream_id("18446744073709551615-18446744073709551615"), (StreamId{~0ULL, ~0ULL}));
}

TEST(StreamId, ReadsNothingElse) {
    for (const char* text : {"", "-", "1-", "-1", "1-2-3", " 1-2", "1-2 ", "+1-2", "a-1", "1-0x2", "$", "*", "1-*",
                             "18446744073709551616-0", "1--2"})
        EXPECT_EQ(parse_stream_id(text), std::nullopt) << text;
}

TEST(StreamId, APositionHoldsMillisecondAndNumber) {
    EXPECT_EQ(position_of({1, 0}), Sequence{1} << 20U);
    EXPECT_EQ(position_of({1526919030474, 55}), (1526919030474ULL << 20U) + 55);
    EXPECT_TRUE(has_position({largest_ms, largest_n}));
    EXPECT_FALSE(has_position({largest_ms + 1, 0}));
    EXPECT_FALSE(has_position({1, largest_n + 1}));
}

TEST(StreamId, WhatDoesNotFitSharesTheLastPositionBeforeIt) {
    EXPECT_EQ(position_of({5, largest_n + 1}), position_of({5, largest_n}));
    EXPECT_LT(position_of({5, ~0ULL}), position_of({6, 0}));
    EXPECT_EQ(position_of({~0ULL, 3}), position_of({largest_ms, largest_n}));
    EXPECT_LT(position_of({~0ULL, ~0ULL}), ~Sequence{0}) << "there is room for marks above it";
}

RC_GTEST_PROP(StreamIdProperty, TextAndPositionLeadBack, (std::uint64_t ms, std::uint64_t n)) {
    const StreamId any{ms, n};
    RC_ASSERT(parse_stream_id(any.text()) == any);
    const StreamId fits{ms & largest_ms, n & largest_n};
    RC_ASSERT(id_of(position_of(fits)) == fits);
}

RC_GTEST_PROP(StreamIdProperty, OrderIsKept, (std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d)) {
    const auto shift = *rc::gen::inRange(0, 64);  // small ones meet more often
    const StreamId one{a >> shift, b >> shift};
    const StreamId two{c >> shift, d >> shift};
    if (one <= two) RC_ASSERT(position_of(one) <= position_of(two));
    if (one < two && has_position(one) && has_position(two)) RC_ASSERT(position_of(one) < position_of(two));
}

}  // namespace
}  // namespace etage::coherence
