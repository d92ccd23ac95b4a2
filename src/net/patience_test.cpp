#include "net/patience.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace etage::net {
namespace {

using namespace std::chrono_literals;

TEST(Patience, WaitingUsesItUp) {
    Patience patience(30s, 100);
    EXPECT_TRUE(patience.is_whole());
    patience.spend(10s, 0);
    EXPECT_EQ(patience.left(), 20s);
    patience.spend(21s, 0);
    EXPECT_LE(patience.left(), 0s);
    EXPECT_FALSE(patience.is_whole());
}

TEST(Patience, WhoBringsTheRateIsWaitedForAsLongAsItTakes) {
    Patience patience(30s, 100);
    for (int minute = 0; minute < 1000; ++minute) patience.spend(25s, 2500);
    EXPECT_EQ(patience.left(), 30s);
}

TEST(Patience, ADripEnds) {
    Patience patience(30s, 100);
    int waits = 0;
    for (; patience.left() > 0s && waits < 1000; ++waits) patience.spend(1s, 1);
    EXPECT_GE(waits, 30);
    EXPECT_LE(waits, 31);
}

TEST(Patience, WhatWasFastOnceEarnsNoMoreThanOnePause) {
    Patience patience(30s, 100);
    patience.spend(1ms, std::numeric_limits<std::size_t>::max());
    EXPECT_EQ(patience.left(), 30s);
    patience.spend(29s, std::size_t{1} << 40);
    EXPECT_EQ(patience.left(), 30s);
}

TEST(Patience, WithoutARateAnyByteIsEnough) {
    Patience patience(30s, 0);
    for (int n = 0; n < 1000; ++n) patience.spend(29s, 1);
    EXPECT_EQ(patience.left(), 30s);
    patience.spend(30s, 0);
    EXPECT_LE(patience.left(), 0s);
}

TEST(Patience, ARateThatNobodyReachesIsNoDivisionByZero) {
    Patience patience(30s, std::numeric_limits<std::size_t>::max());
    patience.spend(10s, 5);
    EXPECT_LT(patience.left(), 21s);
}

TEST(Patience, AClockThatStandsTakesNothing) {
    Patience patience(30s, 100);
    patience.spend(-1s, 0);
    EXPECT_EQ(patience.left(), 30s);
}

}  // namespace
}  // namespace etage::net
