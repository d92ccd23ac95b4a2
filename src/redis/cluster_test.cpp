#include "redis/cluster.hpp"

#include "redis/resp.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace etage::redis {
namespace {

Reply parsed(std::string_view bytes) {
    Reply seen;
    ReplyReader reader(1 << 20);
    EXPECT_TRUE(reader.read(bytes, [&](Reply&& reply) {
        seen = std::move(reply);
        return true;
    })) << reader.error();
    return seen;
}

Reply wrong(std::string text) {
    return {.kind = Reply::Kind::error, .integer = 0, .text = std::move(text), .elements = {}};
}

const Address asked{"10.0.0.9", 7009};

TEST(ClusterSlots, AreReadAsRedisSaysThem) {
    const auto map = read_slots(
        parsed("*3\r\n"
               "*4\r\n:0\r\n:5460\r\n*3\r\n$8\r\n10.0.0.1\r\n:7000\r\n$2\r\nid\r\n*2\r\n$8\r\n10.0.0.4\r\n:7003\r\n"
               "*3\r\n:5461\r\n:10922\r\n*4\r\n$0\r\n\r\n:7001\r\n$2\r\nid\r\n*0\r\n"
               "*3\r\n:10924\r\n:16383\r\n*2\r\n$-1\r\n:7002\r\n"),
        asked);
    ASSERT_TRUE(map);
    EXPECT_EQ(map->primaries, (std::vector<Address>{{"10.0.0.1", 7000}, {"10.0.0.9", 7001}, {"10.0.0.9", 7002}}));
    EXPECT_EQ(map->owner[0], 0);
    EXPECT_EQ(map->owner[5460], 0);
    EXPECT_EQ(map->owner[5461], 1);
    EXPECT_EQ(map->owner[10922], 1);
    EXPECT_EQ(map->owner[10923], SlotMap::nobody);
    EXPECT_EQ(map->owner[16383], 2);
}

TEST(ClusterSlots, WhatIsNoneIsNone) {
    for (const char* bytes :
         {"*0\r\n", "+OK\r\n", "*1\r\n*0\r\n", "*1\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n",
          "*1\r\n*3\r\n:-1\r\n:5\r\n*2\r\n$1\r\nh\r\n:1\r\n", "*1\r\n*3\r\n:6\r\n:5\r\n*2\r\n$1\r\nh\r\n:1\r\n",
          "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\nh\r\n:0\r\n", "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\nh\r\n:65536\r\n",
          "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\nh\r\n$1\r\n1\r\n", "*1\r\n*3\r\n:0\r\n:5\r\n*1\r\n$1\r\nh\r\n"})
        EXPECT_FALSE(read_slots(parsed(bytes), asked)) << bytes;
}

TEST(ClusterSlots, PrimariesAreBounded) {
    std::string bytes = "*1025\r\n";
    for (int i = 0; i < 1025; ++i)
        bytes += "*3\r\n:" + std::to_string(i) + "\r\n:" + std::to_string(i) +
                 "\r\n*2\r\n$1\r\nh\r\n:" + std::to_string(1000 + i) + "\r\n";
    EXPECT_FALSE(read_slots(parsed(bytes), asked));
}

TEST(Redirection, IsRead) {
    const auto moved = redirection_of(wrong("MOVED 3999 127.0.0.1:6381"), asked);
    ASSERT_TRUE(moved);
    EXPECT_FALSE(moved->ask);
    EXPECT_EQ(moved->address, (Address{"127.0.0.1", 6381}));
    EXPECT_TRUE(redirection_of(wrong("ASK 1 h:1"), asked)->ask);
    EXPECT_EQ(redirection_of(wrong("MOVED 1 :6381"), asked)->address, (Address{"10.0.0.9", 6381}));
    EXPECT_EQ(redirection_of(wrong("MOVED 1 2001:db8::1:6381"), asked)->address, (Address{"2001:db8::1", 6381}));
}

TEST(Redirection, OtherErrorsAreNone) {
    for (const char* text : {"ERR MOVED 1 h:1", "MOVED", "MOVED 1 h", "MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536",
                             "MOVED 1 h:1x", "MOVEDX 1 h:1", "ASKING", "TRYAGAIN"})
        EXPECT_FALSE(redirection_of(wrong(text), asked)) << text;
    EXPECT_FALSE(
        redirection_of({.kind = Reply::Kind::bulk, .integer = 0, .text = "MOVED 1 h:1", .elements = {}}, asked));
    rc::check("any text", [](const std::string& text) { (void)redirection_of(wrong("MOVED " + text), asked); });
}

}  // namespace
}  // namespace etage::redis
