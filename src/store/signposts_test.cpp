#include "store/signposts.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace etage::store {
namespace {

base::Hash128 name(std::uint64_t n) { return {n * 0x9E37'79B9'7F4A'7C15U, n}; }

TEST(Signposts, LeadWhereTheyWerePutLast) {
    Signposts signposts(1024);
    EXPECT_TRUE(signposts.empty());
    EXPECT_FALSE(signposts.find(name(1)));
    signposts.put(name(1), name(10));
    signposts.put(name(2), name(20));
    EXPECT_FALSE(signposts.empty());
    EXPECT_EQ(signposts.find(name(1)), name(10));
    signposts.put(name(1), name(11));
    EXPECT_EQ(signposts.find(name(1)), name(11));
    EXPECT_EQ(signposts.find(name(2)), name(20));
    EXPECT_FALSE(signposts.find(name(3)));
}

TEST(Signposts, TheNinthOfASetTakesTheOldestsPlace) {
    Signposts signposts(1);  // one set in each part
    for (std::uint64_t n = 1; n <= 9; ++n) signposts.put({16, n}, {0, n});
    EXPECT_FALSE(signposts.find({16, 1}));
    for (std::uint64_t n = 2; n <= 9; ++n) EXPECT_EQ(signposts.find({16, n}), (base::Hash128{0, n})) << n;
}

TEST(Signposts, PutUpAgainTheyTakeNobodysPlace) {
    Signposts signposts(1);
    for (std::uint64_t n = 1; n <= 8; ++n) signposts.put({16, n}, {0, n});
    for (int i = 0; i < 100; ++i) signposts.put({16, 1}, {0, 1});
    for (std::uint64_t n = 1; n <= 8; ++n) EXPECT_TRUE(signposts.find({16, n})) << n;
}

TEST(Signposts, ManyThreadsNeverReadHalfOfOne) {
    Signposts signposts(64);
    const auto work = [&](std::uint64_t value) {
        for (std::uint64_t i = 0; i < 20'000; ++i) {
            signposts.put(name(i % 50 + 1), {value, value});
            const auto key = signposts.find(name((i * 7) % 50 + 1)).value_or(base::Hash128{});
            EXPECT_EQ(key.high, key.low);
        }
    };
    std::vector<std::jthread> threads;
    for (std::uint64_t value = 1; value <= 4; ++value) threads.emplace_back(work, value);
}

}  // namespace
}  // namespace etage::store
