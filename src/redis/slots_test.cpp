#include "redis/slots.hpp"

#include <gtest/gtest.h>

#include <string>

namespace etage::redis {
namespace {

TEST(Slots, AreThoseOfRedis) {
    // CLUSTER KEYSLOT of Redis 7.
    EXPECT_EQ(slot_of("123456789"), 0x31c3 % slot_count);
    EXPECT_EQ(slot_of(""), 0);
    EXPECT_EQ(slot_of("foo"), 12182);
    EXPECT_EQ(slot_of("bar"), 5061);
    EXPECT_EQ(slot_of("hello"), 866);
    EXPECT_EQ(slot_of(std::string("\xff\x00\x80", 3)), slot_of(std::string("\xff\x00\x80", 3)));
}

TEST(Slots, HashTags) {
    EXPECT_EQ(slot_of("{etage}:log"), slot_of("etage"));
    EXPECT_EQ(slot_of("a{etage}b"), slot_of("etage"));
    EXPECT_EQ(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
    EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
    EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    // Nothing between them, or no end: the whole key.
    EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
    EXPECT_NE(slot_of("foo{bar"), slot_of("bar"));
    EXPECT_NE(slot_of("}foo{"), slot_of("foo"));
}

}  // namespace
}  // namespace etage::redis
