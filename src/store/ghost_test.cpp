#include "store/ghost.hpp"

#include <gtest/gtest.h>

#include <string>

namespace etage::store {
namespace {

base::Hash128 hash_of(int i) { return base::hash128(std::to_string(i), 1); }

TEST(Ghost, RemembersOnce) {
    Ghost ghost(1 << 20);
    EXPECT_FALSE(ghost.take(hash_of(1)));
    ghost.insert(hash_of(1), 4096);
    EXPECT_FALSE(ghost.take(hash_of(2)));
    EXPECT_TRUE(ghost.take(hash_of(1)));
    EXPECT_FALSE(ghost.take(hash_of(1)));
}

TEST(Ghost, ForgetsWhatWasEvictedTooManyBytesAgo) {
    constexpr std::size_t bytes_max = 1 << 20;
    constexpr std::size_t each = 8192;
    Ghost ghost(bytes_max);
    constexpr int count = 1000;
    for (int i = 0; i < count; ++i) ghost.insert(hash_of(i), each);
    int remembered = 0;
    for (int i = 0; i < count; ++i) remembered += ghost.take(hash_of(i)) ? 1 : 0;
    constexpr int room = bytes_max / each;
    EXPECT_LE(remembered, room + 1);
    EXPECT_GE(remembered, room * 9 / 10);  // a few were overwritten by neighbours
}

TEST(Ghost, TheLatestAreTheOnesRemembered) {
    Ghost ghost(1 << 20);
    for (int i = 0; i < 1000; ++i) ghost.insert(hash_of(i), 8192);
    EXPECT_FALSE(ghost.take(hash_of(0)));
    EXPECT_TRUE(ghost.take(hash_of(999)));
}

TEST(Ghost, IsSmallBesideWhatItRemembers) {
    for (const std::size_t bytes : {std::size_t{1} << 16, std::size_t{1} << 20, std::size_t{100'000'000}})
        EXPECT_LE(Ghost(bytes).footprint(), bytes / 100);
}

TEST(Ghost, WorksWithoutRoom) {
    Ghost ghost(0);
    ghost.insert(hash_of(1), 5000);
    ghost.insert(hash_of(2), 5000);
    EXPECT_FALSE(ghost.take(hash_of(1)));
}

}  // namespace
}  // namespace etage::store
