#include "codec/coding.hpp"

#include "codec/sample_fixture.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

// What C++ holds at a time, counted, because a bomb must not be held. The libraries' states come from malloc and are
// not.
namespace {

std::atomic<std::size_t> held{0};
std::atomic<std::size_t> held_at_most{0};

void forget(void* memory) noexcept {
    held -= malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) {
    void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
    if (memory == nullptr) throw std::bad_alloc();
    const std::size_t now = held += malloc_usable_size(memory);
    for (std::size_t most = held_at_most; now > most && !held_at_most.compare_exchange_weak(most, now);) {
    }
    return memory;
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void operator delete(void* memory) noexcept { forget(memory); }
void operator delete(void* memory, std::size_t) noexcept { forget(memory); }
void operator delete[](void* memory) noexcept { forget(memory); }
void operator delete[](void* memory, std::size_t) noexcept { forget(memory); }

namespace etage::codec {
namespace {

using namespace std::string_literals;

/// How much more `call` held at a time than was held before it.
template <class Call>
std::size_t held_during(Call call) {
    const std::size_t before = held;
    held_at_most = before;
    call();
    return held_at_most - before;
}

std::string bomb(Format format) { return *encode(format, std::string(32 << 20, '\0'), Effort::fast); }

TEST(Coding, EveryFormatAndEffortIsReadBack) {
    const std::string content = prose(20000);
    for (const Format format : formats)
        for (const Effort effort : efforts) {
            const auto encoded = encode(format, content, effort);
            ASSERT_TRUE(encoded) << format << effort;
            EXPECT_LT(encoded->size(), content.size() / 4) << format << effort;
            EXPECT_EQ(decode(format, *encoded, no_bomb), content) << format << effort;
            EXPECT_EQ(encode(format, content, effort), encoded) << "the same again";
            EXPECT_LE(encoded->capacity(), encoded->size() + 32) << "what is kept for long carries no slack";
        }
}

TEST(Coding, StrongIsSmaller) {
    const std::string content = chatter(200000);
    for (const Format format : formats)
        EXPECT_LT(encode(format, content, Effort::strong)->size(), encode(format, content, Effort::fast)->size())
            << format;
}

TEST(Coding, LargeBodiesAreReadBackWhateverLevelTheyTake) {
    for (const std::size_t bytes : {std::size_t{128} << 10, (std::size_t{128} << 10) + 1, std::size_t{1} << 20,
                                    (std::size_t{1} << 20) + 1, std::size_t{9} << 20}) {
        const std::string content = prose(bytes);
        for (const Format format : formats)
            for (const Effort effort : efforts) {
                if (effort == Effort::strong && bytes > 2 << 20) continue;
                const bool same = decode(format, *encode(format, content, effort), no_bomb) == content;
                EXPECT_TRUE(same) << format << effort << bytes;
            }
    }
}

TEST(Coding, GivesUpWhenAnEighthIsNotSaved) {
    for (const Format format : formats)
        for (const Effort effort : efforts) {
            EXPECT_FALSE(encode(format, "", effort));
            EXPECT_FALSE(encode(format, "a", effort));
            EXPECT_FALSE(encode(format, "aaaaaaaa", effort));
            EXPECT_FALSE(encode(format, noise(10000), effort));
            for (std::size_t bytes = 0; bytes < 200; ++bytes) {
                const auto encoded = encode(format, chatter(bytes), effort);
                EXPECT_LE(encoded.value_or("").size(), bytes - (bytes + 7) / 8) << format << bytes;
            }
            for (std::size_t zeros = 0; zeros < 4000; zeros += 50) {
                const std::string content = noise(4000 - zeros) + std::string(zeros, '0');
                const auto encoded = encode(format, content, effort);
                EXPECT_LE(encoded.value_or("").size(), content.size() - content.size() / 8) << format << zeros;
                EXPECT_TRUE(!encoded || zeros >= 400) << format << zeros;
                EXPECT_TRUE(encoded || zeros <= 800) << format << zeros;
            }
        }
}

TEST(Coding, WhatIsCutShortIsNeverWhole) {
    for (const Format format : formats)
        for (const Effort effort : efforts) {
            const std::string encoded = *encode(format, prose(3000), effort);
            for (std::size_t bytes = 0; bytes < encoded.size(); ++bytes)
                EXPECT_EQ(decode(format, std::string_view(encoded).substr(0, bytes), no_bomb).error(),
                          DecodeFault::corrupt)
                    << format << effort << bytes;
        }
}

TEST(Coding, RefusesWhatIsNotInTheFormat) {
    for (const Format format : formats) {
        EXPECT_EQ(decode(format, "hello, I am plain text and long enough", no_bomb).error(), DecodeFault::corrupt);
        EXPECT_EQ(decode(format, std::string(64, '\0'), no_bomb).error(), DecodeFault::corrupt) << format;
        EXPECT_EQ(decode(format, *encode(format, prose(500), Effort::fast) + "x", no_bomb).error(),
                  DecodeFault::corrupt);
        for (const Format other : formats) {
            const auto decoded = decode(format, *encode(other, prose(5000), Effort::fast), no_bomb);
            EXPECT_EQ(decoded.has_value(), other == format) << other << format;
        }
    }
}

TEST(Coding, EveryFlippedBitIsNoticedOrHarmlessWhereThereIsAChecksum) {
    const std::string content = prose(600);
    for (const Format format : formats) {
        const std::string encoded = *encode(format, content, Effort::fast);
        for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
            std::string damaged = encoded;
            damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
            const auto decoded = decode(format, damaged, no_bomb);
            EXPECT_TRUE(!decoded || *decoded == content || format == Format::brotli) << format << bit;
        }
    }
}

TEST(CodingLimits, NeverMoreBytesThanAllowed) {
    const std::string content = prose(10000);
    for (const Format format : formats) {
        const std::string encoded = *encode(format, content, Effort::fast);
        EXPECT_EQ(decode(format, encoded, {10000, 100}), content) << format;
        for (const std::size_t bytes_max : {0, 1, 4096, 9999})
            EXPECT_EQ(decode(format, encoded, {bytes_max, 100}).error(), DecodeFault::too_large) << format << bytes_max;
        EXPECT_EQ(decode(format, encoded, {std::numeric_limits<std::size_t>::max(), 0xFFFFFFFF}), content) << format;
    }
}

TEST(CodingLimits, TheRatioBitesAboveAMebibyteOnly) {
    for (const Format format : formats) {
        const std::string small = std::string(ratio_free_bytes, ' ');
        EXPECT_EQ(decode(format, *encode(format, small, Effort::fast), {plenty, 1}), small) << format;
        const auto encoded = *encode(format, small + " ", Effort::fast);
        EXPECT_EQ(decode(format, encoded, {plenty, 100}).error(), DecodeFault::too_large) << format;
        const auto ratio = static_cast<std::uint32_t>((ratio_free_bytes + encoded.size()) / encoded.size());
        EXPECT_TRUE(decode(format, encoded, {plenty, ratio})) << format;
    }
}

TEST(CodingLimits, ABombIsNotHeld) {
    for (const Format format : formats) {
        const std::string encoded = bomb(format);
        EXPECT_LT(encoded.size(), std::size_t{64} << 10) << format;
        for (const std::size_t cap : {std::size_t{100} << 10, std::size_t{3} << 20, std::size_t{20} << 20}) {
            const std::size_t most = held_during([&] {
                EXPECT_EQ(decode(format, encoded, {cap, 100'000}).error(), DecodeFault::too_large) << format << cap;
            });
            EXPECT_LE(most, cap * 2 + 16 * 1024) << format << cap;
        }
        EXPECT_EQ(decode(format, encoded, {plenty, 20}).error(), DecodeFault::too_large) << format;
    }
}

TEST(CodingLimits, AClaimIsNotBelieved) {
    std::string lying = *encode(Format::gzip, prose(1000), Effort::fast);
    for (std::size_t i = lying.size() - 4; i < lying.size(); ++i) lying[i] = '\xff';
    EXPECT_LE(held_during([&] { EXPECT_FALSE(decode(Format::gzip, lying, {plenty, 1000})); }), std::size_t{2} << 20);
    // A frame of one segment that says it has 2^60 bytes: too large before anything is made.
    const std::string huge = "\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\0\0\x10\x01\0\0"s;
    EXPECT_LE(held_during([&] { EXPECT_FALSE(decode(Format::zstd, huge, {plenty, 1000})); }), std::size_t{2} << 20);
}

TEST(CodingLimits, ManySmallMembersCostNoMoreThanOne) {
    std::string many, content;
    for (int i = 0; i < 2000; ++i) {
        many += *encode(Format::gzip, std::string(100, 'a'), Effort::fast);
        content += std::string(100, 'a');
    }
    EXPECT_LE(held_during([&] { EXPECT_EQ(decode(Format::gzip, many, no_bomb), content); }), content.size() * 4);
}

TEST(CodingLimits, WhatIsDecodedCarriesLittleSlack) {
    for (const Format format : formats) {
        const auto decoded = decode(format, *encode(format, prose(3'000'000), Effort::fast), no_bomb);
        ASSERT_TRUE(decoded) << format;
        EXPECT_LE(decoded->capacity(), decoded->size() / 8 * 9 + 32) << format;
    }
}

TEST(Coding, ThreadsDoNotShareACompressor) {
    const std::string content = prose(50000);
    for (const Format format : formats) {
        const auto expected = encode(format, content, Effort::fast);
        std::vector<std::jthread> threads;
        std::vector<int> right(4, 0);
        for (int& mine : right)
            threads.emplace_back([&] {
                for (int i = 0; i < 5; ++i)
                    mine += encode(format, content, Effort::fast) == expected &&
                            decode(format, *expected, no_bomb) == content;
            });
        threads.clear();
        EXPECT_EQ(right, (std::vector<int>(4, 5))) << format;
    }
}

TEST(CodingProperty, RoundTrip) {
    ASSERT_TRUE(rc::check([] {
        const std::string content = any_content();
        const Format format = any_format();
        const auto encoded = encode(format, content, any_effort());
        if (!encoded) return;
        RC_ASSERT(encoded->size() <= content.size() - content.size() / 8);
        RC_ASSERT(decode(format, *encoded, {content.size(), 1}).value_or("") == content);
        RC_ASSERT(!decode(format, *encoded, {content.size() - 1, 1}));
    }));
}

TEST(CodingProperty, AnyBytesEndWithinTheLimits) {
    ASSERT_TRUE(rc::check([] {
        const auto bytes = *rc::gen::arbitrary<std::string>();
        const auto head = *rc::gen::element(""s, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"s, "\x28\xb5\x2f\xfd"s);
        for (const Format format : formats) {
            const auto decoded = decode(format, head + bytes, {5000, 10});
            RC_ASSERT(decoded.value_or("").size() <= 5000u);
        }
    }));
}

TEST(CodingProperty, DamageIsNoticedOrHarmlessWhereThereIsAChecksum) {
    const std::string content = prose(3000);
    ASSERT_TRUE(rc::check([&] {
        const Format format = any_format();
        std::string damaged = *encode(format, content, Effort::fast);
        for (int times = *rc::gen::inRange(1, 4); times > 0; --times) {
            const auto at = *rc::gen::inRange<std::size_t>(0, damaged.size());
            damaged[at] = static_cast<char>(damaged[at] ^ *rc::gen::inRange(1, 256));
        }
        const auto decoded = decode(format, damaged, {100'000, 10});
        // Flags and times of the header say nothing of the content. (Named first: RC_ASSERT looks at both sides of ||.)
        const bool harmless = !decoded || *decoded == content || format == Format::brotli;
        RC_ASSERT(harmless);
    }));
}

}  // namespace
}  // namespace etage::codec
