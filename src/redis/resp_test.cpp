#include "redis/resp.hpp"

#include "redis/command.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace etage::redis {
namespace {

using Kind = Reply::Kind;

/// A reply written back, to compare whole trees.
std::string written(const Reply& reply) {
    switch (reply.kind) {
        case Kind::nil: return "nil";
        case Kind::status: return "+" + reply.text;
        case Kind::error: return "-" + reply.text;
        case Kind::integer: return ":" + std::to_string(reply.integer);
        case Kind::bulk: return "\"" + reply.text + "\"";
        case Kind::array: break;
    }
    std::string out = "[";
    for (const Reply& element : reply.elements) out += (out.size() > 1 ? " " : "") + written(element);
    return out + "]";
}

struct Seen {
    std::vector<std::string> replies;
    std::string error;
    bool between = false;
    friend bool operator==(const Seen&, const Seen&) = default;
};

Seen read(std::string_view bytes, std::size_t piece, std::size_t bytes_max = 1 << 20) {
    ReplyReader reader(bytes_max);
    Seen seen;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        const bool well = reader.read(bytes.substr(0, piece), [&](Reply&& reply) {
            seen.replies.push_back(written(reply));
            return true;
        });
        EXPECT_EQ(well, reader.error().empty());
        if (!well) break;
    }
    seen.error = reader.error();
    seen.between = reader.is_between_replies();
    return seen;
}

const std::vector<std::pair<std::string, std::string>> replies_of_redis = {
    {"+OK\r\n", "+OK"},
    {"+\r\n", "+"},
    {"-NOSCRIPT No matching script.\r\n", "-NOSCRIPT No matching script."},
    {":0\r\n", ":0"},
    {":-42\r\n", ":-42"},
    {":9223372036854775807\r\n", ":9223372036854775807"},
    {":-9223372036854775808\r\n", ":-9223372036854775808"},
    {"$-1\r\n", "nil"},
    {"*-1\r\n", "nil"},
    {"$0\r\n\r\n", "\"\""},
    {"$5\r\nhello\r\n", "\"hello\""},
    {"$6\r\n\r\n$-1\r\r\n", "\"\r\n$-1\r\""},
    {std::string("$3\r\n\0\1\xff\r\n", 9), std::string("\"\0\1\xff\"", 5)},
    {"*0\r\n", "[]"},
    {"*3\r\n:1\r\n$-1\r\n*1\r\n+x\r\n", "[:1 nil [+x]]"},
    {"*2\r\n-ERR no\r\n:2\r\n", "[-ERR no :2]"},
    // XREAD: streams, records, fields
    {"*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n*2\r\n$3\r\n2-0\r\n*0\r\n",
     "[[\"s\" [[\"1-0\" [\"f\" \"v\"]] [\"2-0\" []]]]]"},
};

TEST(ReplyReader, ReadsEveryKindWholeByteByByteAndWithMoreBehind) {
    for (const auto& [bytes, expected] : replies_of_redis) {
        const Seen one{{expected}, "", true};
        EXPECT_EQ(read(bytes, bytes.size()), one) << bytes;
        EXPECT_EQ(read(bytes, 1), one) << bytes;
        EXPECT_EQ(read(bytes + "$10\r\nhel", 1 << 20), (Seen{{expected}, "", false})) << bytes;
        EXPECT_EQ(read(bytes + bytes, 3).replies, (std::vector{expected, expected})) << bytes;
    }
}

TEST(ReplyReader, IncompleteIsNothingYet) {
    for (const auto& [bytes, expected] : replies_of_redis)
        for (std::size_t cut = 1; cut < bytes.size(); ++cut)
            EXPECT_EQ(read(bytes.substr(0, cut), cut), (Seen{{}, "", false})) << bytes << " cut at " << cut;
}

TEST(ReplyReader, LongRepliesInManySlices) {
    for (const std::size_t size : {4000U, 4096U, 4097U, 65536U, 300'000U}) {
        const std::string text(size, 'x');
        const std::string bytes = "$" + std::to_string(size) + "\r\n" + text + "\r\n";
        for (const std::size_t piece : {std::size_t{1000}, std::size_t{4096}, bytes.size() * 2})
            EXPECT_EQ(read(bytes + ":1\r\n" + bytes, piece),
                      (Seen{{"\"" + text + "\"", ":1", "\"" + text + "\""}, "", true}));
    }
}

TEST(ReplyReader, WhatIsNoRedisIsSaid) {
    const Seen http = read("HTTP/1.1 400 Bad Request\r\n", 100);
    EXPECT_TRUE(http.replies.empty());
    EXPECT_EQ(http.error, "Protocol error, got \"H\" as reply type byte");
    for (const char* bytes : {"$x\r\n", "$-2\r\n", "*-2\r\n", ":1x\r\n", ":\r\n", "*1\r\n\x16\r\n", "\r\n", "%1\r\n"}) {
        const Seen whole = read(bytes, 100);
        EXPECT_FALSE(whole.error.empty()) << bytes;
        EXPECT_EQ(read(bytes, 1).error, whole.error) << bytes;
    }
}

TEST(ReplyReader, WhatCameBeforeTheMistakeCounts) {
    EXPECT_EQ(read(":1\r\n:2\r\nno", 100).replies, (std::vector<std::string>{":1", ":2"}));
}

TEST(ReplyReader, BytesOfOneReplyAreBounded) {
    const std::string fits = "$100\r\n" + std::string(100, 'x') + "\r\n";
    EXPECT_EQ(read(fits + fits + fits, 10, 128).replies.size(), 3U);
    // Announced long, or drop by drop: no more than the bound is kept.
    EXPECT_EQ(read("$1000\r\n" + std::string(200, 'x'), 10, 128).error, "a reply of more than 128 bytes");
    EXPECT_EQ(read("+" + std::string(200, 'x'), 1, 128).error, "a reply of more than 128 bytes");
    std::string many = "*100\r\n";
    for (int i = 0; i < 60; ++i) many += ":1\r\n";
    EXPECT_EQ(read(many, 7, 128).error, "a reply of more than 128 bytes");
}

TEST(ReplyReader, ElementsAreBounded) {
    EXPECT_EQ(read("*262145\r\n", 100).error, "a reply with too many elements");
    EXPECT_EQ(read("*2147483647\r\n", 100).error, "a reply with too many elements");
    EXPECT_FALSE(read("*4294967297\r\n", 100).error.empty());
    EXPECT_EQ(read("*262144\r\n:1\r\n", 100), (Seen{{}, "", false}));  // announced only: costs nothing
    // Nested ones count together.
    std::string bytes = "*2\r\n";
    for (int half = 0; half < 2; ++half) {
        bytes += "*140000\r\n";
        for (int i = 0; i < 140'000; ++i) bytes += ":1\r\n";
    }
    EXPECT_EQ(read(bytes, 1 << 20, 16 << 20).error, "a reply with too many elements");
}

TEST(ReplyReader, NestingIsBounded) {
    const auto nested = [](int depth) {
        std::string bytes;
        for (int i = 0; i < depth; ++i) bytes += "*1\r\n";
        return bytes + ":1\r\n";
    };
    EXPECT_EQ(read(nested(7), 3).replies, std::vector<std::string>{"[[[[[[[:1]]]]]]]"});
    EXPECT_FALSE(read(nested(12), 3).error.empty());
    EXPECT_FALSE(read(nested(100'000), 4096).error.empty());
}

TEST(ReplyReader, StopsWhenToldTo) {
    ReplyReader reader(1000);
    int taken = 0;
    EXPECT_TRUE(reader.read(":1\r\n:2\r\n:3\r\n", [&](Reply&&) { return ++taken < 2; }));
    EXPECT_EQ(taken, 2);
}

TEST(ReplyReader, AnyPiecesAreTheSame) {
    rc::check("pieces", [] {
        std::string bytes;
        std::vector<std::string> expected;
        for (const std::size_t i :
             *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, replies_of_redis.size()))) {
            bytes += replies_of_redis[i].first;
            expected.push_back(replies_of_redis[i].second);
        }
        const auto piece = *rc::gen::inRange<std::size_t>(1, 40);
        RC_ASSERT(read(bytes, piece).replies == expected);
    });
}

TEST(Command, IsWrittenAsRedisReadsIt) {
    EXPECT_EQ(Command("k", {"GET", "k"}).bytes(), "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    EXPECT_EQ(Command("k", {"GET", "k"}).key(), "k");
    EXPECT_EQ(Command("GET", std::string("k")).bytes(), Command("k", {"GET", "k"}).bytes());
    EXPECT_EQ(Command("GET", std::string("k")).key(), "k");
    EXPECT_EQ(Command("", {"SET", "", std::string_view("\0\r\n", 3)}).bytes(),
              std::string("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\n\0\r\n\r\n", 28));
    const std::vector<std::string> words = {"PING"};
    EXPECT_EQ(Command("", words).bytes(), "*1\r\n$4\r\nPING\r\n");
    EXPECT_EQ(Command("", std::vector<std::string>(12, "x")).bytes().substr(0, 5), "*12\r\n");
}

TEST(Command, AnyWordsAreReadBack) {
    rc::check("round trip", [](const std::vector<std::string>& words) {
        const Command command("", words);
        Reply seen;
        ReplyReader reader(1 << 20);
        RC_ASSERT(reader.read(command.bytes(), [&](Reply&& reply) {
            seen = std::move(reply);
            return true;
        }));
        RC_ASSERT(seen.elements.size() == words.size());
        for (std::size_t i = 0; i < words.size(); ++i) RC_ASSERT(seen.elements[i].text == words[i]);
    });
}

}  // namespace
}  // namespace etage::redis
