#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace etage::base {
namespace {

constexpr std::array<std::string_view, 5> names = {"listen", "limit", "namespace", "ttl", "budget"};

TEST(Nearest, OneEditOfEachKindIsForgiven) {
    EXPECT_EQ(nearest("lissten", names), "listen");       // inserted
    EXPECT_EQ(nearest("listn", names), "listen");         // deleted
    EXPECT_EQ(nearest("budgat", names), "budget");        // replaced
    EXPECT_EQ(nearest("namepsace", names), "namespace");  // swapped
}

TEST(Nearest, CaseIsFree) { EXPECT_EQ(nearest("TTL", names), "ttl"); }

TEST(Nearest, TheNearerOneWins) { EXPECT_EQ(nearest("limitt", names), "limit"); }

TEST(Nearest, TheFirstOfEqualsWins) {
    constexpr std::array<std::string_view, 2> twins = {"cat", "car"};
    EXPECT_EQ(nearest("cab", twins), "cat");
}

TEST(Nearest, WhatIsFarFromAllGetsNoAdvice) {
    EXPECT_EQ(nearest("compression", names), "");
    EXPECT_EQ(nearest("xy", names), "");
    EXPECT_EQ(nearest("", names), "");
    EXPECT_EQ(nearest("limit", {}), "");
}

TEST(Nearest, LongTextIsNotWorthTheWork) { EXPECT_EQ(nearest(std::string(100'000, 'a'), names), ""); }

TEST(Nearest, LongerNamesMayHaveMoreEdits) {
    constexpr std::array<std::string_view, 1> one = {"stale_while_revalidate"};
    EXPECT_EQ(nearest("stale-while-revalidat", one), "stale_while_revalidate");
}

}  // namespace
}  // namespace etage::base
