#include "codec/gzip.hpp"

#include "codec/sample_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <thread>
#include <vector>

namespace etage::codec {
namespace {

using namespace std::string_literals;

/// Made by gzip(1) 1.12, -n: "hello\n".
const std::string hello =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00"s;
/// The same without content.
const std::string empty = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;

TEST(Gzip, EveryLevelIsReadBack) {
    const std::string content = prose(20000);
    for (int level = 1; level <= 12; ++level) {
        const auto compressed = gzip(content, level);
        ASSERT_TRUE(compressed) << level;
        EXPECT_LT(compressed->size(), content.size() / 4) << level;
        EXPECT_EQ(gunzip(*compressed, plenty), content) << level;
        EXPECT_EQ(gzip(content, level), compressed) << "the same again";
    }
    EXPECT_EQ(gzip(content, 0), gzip(content, 1));
    EXPECT_EQ(gzip(content, 99), gzip(content, 12));
}

TEST(Gzip, GivesUpWhenAnEighthIsNotSaved) {
    EXPECT_FALSE(gzip("", 6));
    EXPECT_FALSE(gzip("a", 6));
    EXPECT_FALSE(gzip("aaaaaaaaaaaaaaaa", 6));
    EXPECT_FALSE(gzip(noise(10000), 6));
    for (std::size_t zeros = 0; zeros < 4000; zeros += 50) {
        const std::string content = noise(4000 - zeros) + std::string(zeros, '0');
        const auto compressed = gzip(content, 6);
        EXPECT_LE(compressed.value_or("").size(), content.size() - content.size() / 8) << zeros;
        EXPECT_TRUE(!compressed || zeros >= 400) << zeros;
        EXPECT_TRUE(compressed || zeros <= 800) << zeros;
    }
}

TEST(Gzip, WhatIsKeptForLongCarriesNoSlack) {
    const auto compressed = gzip(prose(100000), 6);
    ASSERT_TRUE(compressed);
    EXPECT_LE(compressed->capacity(), compressed->size() + 32);
}

TEST(Gzip, ThreadsDoNotShareACompressor) {
    const std::string content = prose(50000);
    const auto expected = gzip(content, 6);
    std::vector<std::jthread> threads;
    std::vector<int> right(4, 0);
    for (int& mine : right)
        threads.emplace_back([&] {
            for (int i = 0; i < 20; ++i) mine += gzip(content, 6) == expected && gunzip(*expected, plenty) == content;
        });
    threads.clear();
    EXPECT_EQ(right, (std::vector<int>(4, 20)));
}

TEST(GunzipRfc1952, Section2_ReadsWhatOthersWrite) {
    EXPECT_EQ(gunzip(hello, plenty), "hello\n");
    EXPECT_EQ(gunzip(empty, plenty), "");
    const std::string with_name = "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03"s + "a.txt\0"s + hello.substr(10);
    EXPECT_EQ(gunzip(with_name, plenty), "hello\n");
}

TEST(GunzipRfc1952, Section2_2_AFileIsASeriesOfMembers) {
    EXPECT_EQ(gunzip(hello + hello, plenty), "hello\nhello\n");
    EXPECT_EQ(gunzip(hello + empty + hello, 12), "hello\nhello\n");
    EXPECT_EQ(gunzip(*gzip(prose(50000), 6) + hello, plenty), prose(50000) + "hello\n");
    EXPECT_EQ(gunzip(hello + hello, 11).error(), DecodeFault::too_large);
    EXPECT_FALSE(gunzip(hello + "x", plenty));
    EXPECT_FALSE(gunzip(hello + hello.substr(0, 20), plenty));
    EXPECT_FALSE(gunzip(hello + std::string(512, '\0'), plenty));
}

TEST(Gunzip, RefusesWhatIsNotGzip) {
    EXPECT_FALSE(gunzip("", plenty));
    EXPECT_FALSE(gunzip("hello, I am plain text and long enough", plenty));
    EXPECT_FALSE(gunzip(std::string(64, '\0'), plenty));
    for (std::size_t bytes = 0; bytes < hello.size(); ++bytes)
        EXPECT_EQ(gunzip(hello.substr(0, bytes), plenty).error(), DecodeFault::corrupt) << bytes;
}

TEST(GunzipRfc1952, Section2_3_1_ChecksumAndLengthAreChecked) {
    for (std::size_t i = hello.size() - 8; i < hello.size(); ++i) {
        std::string damaged = hello;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
        EXPECT_EQ(gunzip(damaged, plenty).error(), DecodeFault::corrupt) << i;
    }
}

TEST(Gunzip, NeverMakesMoreThanItMay) {
    const std::string content = prose(10000);
    const std::string compressed = *gzip(content, 6);
    EXPECT_EQ(gunzip(compressed, 10000), content);
    EXPECT_EQ(gunzip(compressed, 9999).error(), DecodeFault::too_large);
    EXPECT_FALSE(gunzip(compressed, 0));
    EXPECT_EQ(gunzip(empty, 0), "");
    const std::string bomb = *gzip(std::string(32 << 20, '\0'), 9);
    EXPECT_LT(bomb.size(), std::size_t{64} << 10);
    EXPECT_EQ(gunzip(bomb, 1 << 20).error(), DecodeFault::too_large);
    EXPECT_FALSE(gunzip(bomb + bomb, (32 << 20) + 1));
}

TEST(GzipProperty, RoundTrip) {
    ASSERT_TRUE(rc::check([](const std::string& seed) {
        std::string content;
        const int times = *rc::gen::inRange(1, 200);
        for (int i = 0; i < times; ++i) content += seed;
        const auto compressed = gzip(content, *rc::gen::inRange(1, 13));
        if (!compressed) return;
        RC_ASSERT(compressed->size() <= content.size() - content.size() / 8);
        RC_ASSERT(gunzip(*compressed, content.size()).value_or("") == content);
        RC_ASSERT(!gunzip(*compressed, content.size() - 1));
    }));
}

TEST(GzipProperty, DamageIsNoticedOrHarmless) {
    const std::string content = prose(3000);
    const std::string compressed = *gzip(content, 6);
    ASSERT_TRUE(rc::check([&] {
        std::string damaged = compressed;
        const auto at = *rc::gen::inRange<std::size_t>(0, damaged.size());
        damaged[at] = static_cast<char>(damaged[at] ^ *rc::gen::inRange(1, 256));
        const auto out = gunzip(damaged, plenty);
        // Flags and times of the header say nothing of the content. (Named first: RC_ASSERT looks at both sides of ||.)
        const bool harmless = !out || *out == content;
        RC_ASSERT(harmless);
    }));
}

}  // namespace
}  // namespace etage::codec
