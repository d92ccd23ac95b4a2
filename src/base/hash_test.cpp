#include "base/hash.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>
#include <thread>
#include <unordered_set>

namespace etage::base {
namespace {

template <std::size_t N>
std::string hex(const std::array<unsigned char, N>& bytes) {
    std::string out;
    for (const unsigned char b : bytes) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(b));
        out += two;
    }
    return out;
}

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, 32> out{};
    sha256(text, out.data());
    return hex(out);
}

TEST(Hash, Sha1GivesTheVectorsOfFips180) {
    std::array<unsigned char, 20> out{};
    sha1("abc", out.data());
    EXPECT_EQ(hex(out), "a9993e364706816aba3e25717850c26c9cd0d89d");
    sha1("", out.data());
    EXPECT_EQ(hex(out), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(Hash, Sha256GivesTheVectorsOfFips180) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, StrongHashesAreTheFirstHalfOfSha256) {
    EXPECT_EQ(hex(strong_hash("", "abc")), "ba7816bf8f01cfea414140de5dae2223");
    EXPECT_EQ(hex(strong_hash("a", "bc")), "ba7816bf8f01cfea414140de5dae2223");
    EXPECT_EQ(hex(strong_hash("", "")), "e3b0c44298fc1c149afbf4c8996fb924");
}

TEST(Hash, KeyedHashesDependOnEveryBitOfTheSecret) {
    const Hash128 none{};
    std::unordered_set<Hash128, Hash128Hasher> seen{keyed_hash(none, "x")};
    for (unsigned bit = 0; bit < 64; ++bit) {
        EXPECT_TRUE(seen.insert(keyed_hash({std::uint64_t{1} << bit, 0}, "x")).second) << bit;
        EXPECT_TRUE(seen.insert(keyed_hash({0, std::uint64_t{1} << bit}, "x")).second) << bit;
    }
    EXPECT_EQ(keyed_hash({1, 2}, "x"), keyed_hash({1, 2}, std::string("x")));
}

TEST(Hash, Sha256IsForEveryThread) {
    std::thread([] { EXPECT_EQ(hex(strong_hash("", "abc")), "ba7816bf8f01cfea414140de5dae2223"); }).join();
}

// Checksums in Redis are read by other versions: the function may never change. The values are those of XXH3's
// reference.
TEST(Hash, Xxh3IsTheStandardOne) {
    EXPECT_EQ(hash64("", 0), 0x2D06800538D394C2U);
    EXPECT_EQ(hash128("", 0), (Hash128{0x99AA06D3014798D8U, 0x6001C324468D497FU}));
}

TEST(Hash, EqualArgumentsGiveEqualHashes) {
    for (const std::size_t length : {1U, 16U, 17U, 128U, 129U, 240U, 241U, 5000U}) {
        const std::string text(length, 'x');
        EXPECT_EQ(hash128(text, 7), hash128(std::string(length, 'x'), 7)) << length;
        EXPECT_EQ(hash64(text, 7), hash64(std::string(length, 'x'), 7)) << length;
    }
}

TEST(Hash, TheSeedChangesEverything) {
    for (const std::size_t length : {1U, 17U, 129U, 241U}) {
        const std::string text(length, 'x');
        EXPECT_NE(hash128(text, 1), hash128(text, 2)) << length;
        EXPECT_NE(hash64(text, 1), hash64(text, 2)) << length;
    }
}

TEST(Hash, NearKeysSpreadOverTheWholeRange) {
    std::unordered_set<std::uint64_t> top_bytes;
    std::unordered_set<Hash128, Hash128Hasher> seen;
    for (int i = 0; i < 4096; ++i) {
        const Hash128 h = hash128("/posts/" + std::to_string(i), 42);
        top_bytes.insert(h.high >> 56);
        EXPECT_TRUE(seen.insert(h).second);
    }
    EXPECT_EQ(top_bytes.size(), 256U);
}

TEST(Hash, NulBytesCount) {
    using namespace std::string_view_literals;
    EXPECT_NE(hash128("a"sv, 0), hash128("a\0"sv, 0));
    EXPECT_NE(sha256_hex("a"sv), sha256_hex("a\0"sv));
}

TEST(Hash, SeedsAreFresh) {
    std::unordered_set<std::uint64_t> seeds;
    for (int i = 0; i < 100; ++i) seeds.insert(random_seed());
    EXPECT_EQ(seeds.size(), 100U);
}

}  // namespace
}  // namespace etage::base
