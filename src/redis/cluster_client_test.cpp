// The client before scripted clusters and Sentinels.

#include "redis/redis_fixture.hpp"
#include "redis/slots.hpp"

#include <array>

namespace etage::redis {
namespace {

using base::Counter;

/// Three nodes, each with a third of the slots; `server` of the fixture is the first.
class ClusterTest : public RedisFixture {
protected:
    ScriptedRedis second{io}, third{io};
    std::array<ScriptedRedis*, 3> nodes = {&server, &second, &third};
    std::function<std::string(std::size_t node, const Words&)> play = [](std::size_t, const Words& words) {
        return bulk(words.back());
    };

    ClusterTest() {
        for (std::size_t i = 0; i < nodes.size(); ++i)
            nodes[i]->script = [this, i](const Words& words) {
                if (words[0] == "CLUSTER") return slots_answer;
                return play(i, words);
            };
        slots_answer = slots({&server, &second, &third});
        open("redis+cluster://127.0.0.1:" + std::to_string(server.port()));
    }

    std::string slots_answer;
    static std::string slots(const std::vector<ScriptedRedis*>& owners) {
        std::string out = "*3\r\n";
        for (std::size_t i = 0; i < owners.size(); ++i) {
            const auto first = i * slot_count / 3, last = (i + 1) * slot_count / 3 - 1;
            out += "*3\r\n:" + std::to_string(first) + "\r\n:" + std::to_string(last) + "\r\n*2\r\n" +
                   bulk("127.0.0.1") + ":" + std::to_string(owners[i]->port()) + "\r\n";
        }
        return out;
    }
    /// A key of this node.
    static std::string key_of(std::size_t node, int which = 0) {
        for (int i = 0;; ++i) {
            std::string key = "k" + std::to_string(i);
            if (slot_of(key) / (slot_count / 3 + 1) == node && which-- == 0) return key;
        }
    }
    std::string moved_to(std::size_t node) const {
        return "-MOVED 1 127.0.0.1:" + std::to_string(nodes[node]->port()) + "\r\n";
    }
    std::string ask_of(std::size_t node) const {
        return "-ASK 1 127.0.0.1:" + std::to_string(nodes[node]->port()) + "\r\n";
    }
    std::size_t refreshes() const {
        std::size_t count = 0;
        for (const ScriptedRedis* node : nodes) count += node->count("CLUSTER");
        return count;
    }
};

TEST_F(ClusterTest, EveryKeyGoesToItsNode) {
    for (std::size_t node = 0; node < 3; ++node)
        for (int i = 0; i < 5; ++i) EXPECT_EQ(said(get(key_of(node, i))), key_of(node, i));
    for (const ScriptedRedis* node : nodes) EXPECT_EQ(node->count("GET"), 5U);
    EXPECT_EQ(refreshes(), 1U);
    EXPECT_EQ(sum(Counter::redis_connects), 4U) << "one a node, one to ask for the slots";
    EXPECT_EQ(said(ask({"PING"})), "PONG");
}

TEST_F(ClusterTest, MovedIsFollowedAndTheSlotsAreAskedForAnew) {
    EXPECT_EQ(said(get(key_of(1))), key_of(1));
    slots_answer = slots({&third, &second, &server});
    play = [&](std::size_t node, const Words& words) { return node == 0 ? moved_to(2) : bulk(words.back()); };
    EXPECT_EQ(said(get(key_of(0))), key_of(0));
    settle();
    EXPECT_EQ(refreshes(), 1U) << "asked less than a second ago";
    pass(1s);
    EXPECT_EQ(said(get(key_of(0))), key_of(0));
    settle();
    EXPECT_EQ(refreshes(), 2U);
    const auto before = server.count("GET");
    EXPECT_EQ(said(get(key_of(0))), key_of(0));
    EXPECT_EQ(server.count("GET"), before) << "the new table leads there directly";
}

TEST_F(ClusterTest, AMovedLoopEndsAfterFiveRedirections) {  // F-30
    play = [&](std::size_t node, const Words&) { return moved_to((node + 1) % 3); };
    const auto reply = get(key_of(0));
    ASSERT_FALSE(reply);
    EXPECT_NE(reply.error().what.find("sent from node to node: MOVED 1 127.0.0.1:"), std::string::npos);
    EXPECT_EQ(server.count("GET") + second.count("GET") + third.count("GET"), 6U);
    for (int i = 0; i < 50; ++i) (void)get(key_of(0));
    settle();
    EXPECT_LE(refreshes(), 2U);
}

TEST_F(ClusterTest, AskIsForOnceAndSaysAsking) {
    play = [&](std::size_t node, const Words& words) {
        if (words[0] == "ASKING") return std::string("+OK\r\n");
        return node == 0 ? ask_of(1) : bulk("from " + std::to_string(node));
    };
    EXPECT_EQ(said(get(key_of(0))), "from 1");
    ASSERT_EQ(second.commands().size(), 2U);
    EXPECT_EQ(second.commands()[0], Words{"ASKING"});
    EXPECT_EQ(said(get(key_of(0))), "from 1");
    EXPECT_EQ(server.count("GET"), 2U) << "the next one asks the owner again";
    pass(2s);
    EXPECT_EQ(refreshes(), 1U);
}

TEST_F(ClusterTest, TryAgainIsTriedAgainAShortWhile) {
    int refusals = 2;
    play = [&](std::size_t, const Words& words) {
        return refusals-- > 0 ? std::string("-TRYAGAIN Multiple keys request during rehashing of slot\r\n")
                              : bulk(words.back());
    };
    const auto one = begin_get(key_of(1), 500ms);
    ASSERT_TRUE(pass_until([&] { return one->has_value(); }));
    EXPECT_EQ(said(**one), key_of(1));
    EXPECT_EQ(second.count("GET"), 3U);

    refusals = 1000;
    const auto never = begin_get(key_of(1), 500ms);
    ASSERT_TRUE(pass_until([&] { return never->has_value(); }));
    EXPECT_FALSE(**never);
    EXPECT_EQ(second.count("GET"), 9U);
}

TEST_F(ClusterTest, ClusterdownIsAReplyAndTheSlotsAreAskedForAtMostOnceASecond) {
    EXPECT_EQ(said(get(key_of(1))), key_of(1));
    play = [](std::size_t, const Words&) { return std::string("-CLUSTERDOWN The cluster is down\r\n"); };
    for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(said(get(key_of(1))), "-CLUSTERDOWN The cluster is down");
        pass(100ms);
        settle();
    }
    EXPECT_LE(refreshes(), 4U);
    EXPECT_GE(refreshes(), 3U);
    EXPECT_TRUE(second.open() > 0);
}

TEST_F(ClusterTest, MovedToABlackHoleCostsTheDeadline) {    // F-30
    asio::ip::tcp::acceptor hole(io, asio::ip::tcp::v4());  // a full queue answers no SYN
    hole.bind({asio::ip::address_v4::loopback(), 0});
    hole.listen(0);
    std::vector<asio::ip::tcp::socket> queue;
    queue.reserve(4);
    for (int i = 0; i < 4; ++i)
        queue.emplace_back(io).async_connect(hole.local_endpoint(), [](const asio::error_code&) {});
    settle();
    play = [&](std::size_t node, const Words& words) {
        return node == 0 ? "-MOVED 1 127.0.0.1:" + std::to_string(hole.local_endpoint().port()) + "\r\n"
                         : bulk(words.back());
    };
    EXPECT_EQ(said(get(key_of(1))), key_of(1));
    const auto lost = begin_get(key_of(0), 50ms);
    settle();
    EXPECT_FALSE(lost->has_value());
    pass(50ms);
    ASSERT_TRUE(until([&] { return lost->has_value(); }));
    EXPECT_NE(said(**lost).find("no connection in time"), std::string::npos);
    EXPECT_EQ(said(get(key_of(1))), key_of(1)) << "the others do not suffer";
    for (int i = 0; i < 2; ++i) {
        const auto again = begin_get(key_of(0), 50ms);
        settle();
        pass(50ms);
        ASSERT_TRUE(until([&] { return again->has_value(); }));
    }
    const Instant before = clock.now().mono;
    EXPECT_FALSE(get(key_of(0)));
    EXPECT_EQ(clock.now().mono, before) << "the hole's breaker is open";
}

TEST_F(ClusterTest, ANodeThatIsLostTakesOnlyItsKeysAndIsReplaced) {
    for (std::size_t node = 0; node < 3; ++node) EXPECT_EQ(said(get(key_of(node))), key_of(node));
    second.stop();
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(get(key_of(1)));
    EXPECT_TRUE(client().away(key_of(1)));
    EXPECT_FALSE(client().away(key_of(0)));
    EXPECT_NE(client().trouble().find("Connection refused"), std::string::npos);
    EXPECT_EQ(said(get(key_of(0))), key_of(0));
    // The third was promoted; nobody asks for keys of the second meanwhile: its probes notice.
    slots_answer = slots({&server, &third, &third});
    ASSERT_TRUE(pass_until([&] { return !client().away(key_of(1)); }));
    EXPECT_EQ(said(get(key_of(1))), key_of(1));
    EXPECT_GE(third.count("GET"), 2U);
    EXPECT_EQ(client().trouble(), "");
}

TEST_F(ClusterTest, SeveralCommandsAreFollowedOneByOne) {
    const std::string key = key_of(0);
    play = [&](std::size_t node, const Words& words) {
        return node == 0 && words.back() == "b" ? moved_to(1) : bulk(words.back());
    };
    std::vector<Command> commands = {Command(key, {"GET", "a"}), Command(key, {"GET", "b"}),
                                     Command(key, {"GET", "c"})};
    const auto replies = run(client().call(std::move(commands), in(50ms)));
    ASSERT_TRUE(replies);
    EXPECT_EQ((*replies)[0].text + (*replies)[1].text + (*replies)[2].text, "abc");
    EXPECT_EQ(second.count("GET"), 1U);
}

TEST_F(ClusterTest, DedicatedConnectionsGoToTheKeysNode) {
    const auto own = run(client().connect(key_of(2), in(1s)));
    ASSERT_TRUE(own) << own.error().what;
    const auto replies = run((*own)->exchange({Command("", {"GET", "x"})}, in(1s)));
    ASSERT_TRUE(replies);
    EXPECT_EQ(third.count("GET"), 1U);
    play = [&](std::size_t, const Words&) { return moved_to(0); };
    EXPECT_TRUE(run((*own)->exchange({Command("", {"GET", "x"})}, in(1s))));
    EXPECT_FALSE((*own)->is_open()) << "its slot is elsewhere now";
}

TEST_F(ClusterTest, WhatIsNoClusterIsSaid) {
    slots_answer = "-ERR This instance has cluster support disabled\r\n";
    const std::string here = "Redis at 127.0.0.1:" + std::to_string(server.port());
    EXPECT_EQ(said(get("k")), "error: " + here + " is no cluster: the URL begins with redis://");
    EXPECT_EQ(client().trouble(), here + " is no cluster: the URL begins with redis://");
    pass(1s);
    slots_answer = "*0\r\n";
    EXPECT_EQ(said(get("k")), "error: " + here + " serves no slot of a cluster");
}

/// Two Sentinels and two servers; `server` of the fixture is the primary at first.
class SentinelTest : public RedisFixture {
protected:
    ScriptedRedis other{io}, one{io}, two{io};
    ScriptedRedis* named = &server;

    SentinelTest() {
        other.role = "slave";
        for (ScriptedRedis* sentinel : {&one, &two})
            sentinel->script = [this](const Words& words) {
                if (words.size() != 3 || words[2] != "mymaster") return std::string("*-1\r\n");
                return "*2\r\n" + bulk("127.0.0.1") + bulk(std::to_string(named->port()));
            };
        open(url("mymaster"));
    }
    std::string url(const std::string& name) const {
        return "redis+sentinel://127.0.0.1:" + std::to_string(one.port()) + ",127.0.0.1:" + std::to_string(two.port()) +
               "/" + name;
    }
};

TEST_F(SentinelTest, ThePrimaryIsFound) {
    EXPECT_EQ(said(get("k")), "k");
    EXPECT_EQ(said(get("k")), "k");
    EXPECT_EQ(server.count("GET"), 2U);
    EXPECT_EQ(one.count("SENTINEL"), 1U);
    EXPECT_EQ(two.connections(), 0);
    EXPECT_EQ(one.open(), 0U) << "asked, then left";
}

TEST_F(SentinelTest, ASentinelThatIsDownIsPassedOver) {
    one.stop();
    EXPECT_EQ(said(get("k")), "k");
    EXPECT_EQ(two.count("SENTINEL"), 1U);
}

TEST_F(SentinelTest, AnUnknownNameIsSaid) {
    open(url("theirmaster"));
    EXPECT_EQ(said(get("k")),
              "error: Sentinel at 127.0.0.1:" + std::to_string(two.port()) + " knows no primary named \"theirmaster\"");
}

TEST_F(SentinelTest, ANewPrimaryIsFollowedWhenTheOldOneIsLost) {
    EXPECT_EQ(said(get("k")), "k");
    server.stop();
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(get("k"));
    EXPECT_TRUE(client().away("k"));
    named = &other;  // named before it is one
    pass(1s);
    settle();
    EXPECT_FALSE(get("k")) << "a replica is not taken at a Sentinel's word";
    other.role = "master";
    const Instant promoted = clock.now().mono;
    ASSERT_TRUE(pass_until([&] { return get("k").has_value(); }, 50ms));
    EXPECT_LE(clock.now().mono - promoted, 1500ms);
    EXPECT_EQ(client().trouble(), "");
}

TEST_F(SentinelTest, ReadonlyMakesItLookAnew) {
    EXPECT_EQ(said(get("k")), "k");
    pass(1s);
    server.role = "slave";
    other.role = "master";
    named = &other;
    server.script = [](const Words&) {
        return std::string("-READONLY You can't write against a read only replica.\r\n");
    };
    EXPECT_EQ(said(ask({"SET", "k", "v"})).substr(0, 9), "-READONLY");
    ASSERT_TRUE(pass_until([&] { return said(ask({"SET", "k", "v"})) == "OK"; }, 50ms));
    EXPECT_GE(other.count("SET"), 1U);
    settle();
    EXPECT_EQ(server.open(), 0U) << "the old one is left";
}

TEST_F(SentinelTest, WithoutAnySentinelNobodyWaits) {
    one.stop();
    two.stop();
    EXPECT_NE(said(get("k")).find("Sentinel at 127.0.0.1:"), std::string::npos);
    const Instant before = clock.now().mono;
    EXPECT_FALSE(get("k"));
    EXPECT_EQ(clock.now().mono, before);
}

TEST_F(SentinelTest, ASentinelWithAPasswordIsToldIt) {
    for (ScriptedRedis* each : {&one, &two, &server}) each->password = "s3cret";
    open("redis+sentinel://:s3cret@" + url("mymaster").substr(std::string("redis+sentinel://").size()));
    EXPECT_EQ(said(get("k")), "k");
}

}  // namespace
}  // namespace etage::redis
