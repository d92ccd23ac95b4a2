#include "redis/client.hpp"

#include "redis/redis_fixture.hpp"

#include <thread>

namespace etage::redis {
namespace {

using base::Counter;

class ClientTest : public RedisFixture {
protected:
    /// Until the breaker has closed again.
    bool comes_back() {
        return pass_until([&] { return !client().away(""); });
    }
    void lose() {
        server.stop();
        for (std::uint32_t i = 0; i < options.failures_max + 1 && !client().away(""); ++i) (void)get("k");
        ASSERT_TRUE(client().away(""));
    }
    std::string here() const { return "Redis at 127.0.0.1:" + std::to_string(server.port()); }
};

TEST_F(ClientTest, CallsShareOneConnection) {
    EXPECT_EQ(server.connections(), 0) << "not before it is needed";
    std::vector<Pending<Result<Reply>>> asked;
    for (int i = 0; i < 50; ++i) asked.push_back(begin_get("key" + std::to_string(i)));
    ASSERT_TRUE(until([&] { return asked.back()->has_value(); }));
    for (int i = 0; i < 50; ++i) EXPECT_EQ(said(**asked[static_cast<std::size_t>(i)]), "key" + std::to_string(i));
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(sum(Counter::redis_commands), 50U);
    EXPECT_EQ(sum(Counter::redis_connects), 1U);
    EXPECT_EQ(sum(Counter::redis_errors), 0U);
    EXPECT_EQ(client().trouble(), "");
    EXPECT_FALSE(client().away("k"));
}

TEST_F(ClientTest, SeveralCommandsInOneTrip) {
    std::vector<Command> commands = {Command("a", {"GET", "a"}), Command("b", {"SET", "b", "1"}),
                                     Command("c", {"GET", "c"})};
    const auto replies = run(client().call(std::move(commands), in(50ms)));
    ASSERT_TRUE(replies);
    ASSERT_EQ(replies->size(), 3U);
    EXPECT_EQ((*replies)[0].text + (*replies)[1].text + (*replies)[2].text, "aOKc");
    const auto none = run(client().call(std::vector<Command>{}, in(50ms)));
    EXPECT_TRUE(none && none->empty());
}

TEST_F(ClientTest, ErrorsOfRedisAreReplies) {
    server.script = [](const Words&) {
        return std::string("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    };
    const auto reply = get("k");
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->is_error("WRONGTYPE"));
    EXPECT_EQ(said(get("k")).substr(0, 10), "-WRONGTYPE");
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(sum(Counter::redis_errors), 0U);
}

TEST_F(ClientTest, ScriptsAreSentWholeOnlyWhenTheyAreNotKnown) {
    const Script script("return redis.call('GET', KEYS[1])");
    EXPECT_EQ(script.sha1(), "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f");
    bool known = false;
    server.script = [&](const Words& words) {
        if (words[0] == "EVALSHA" && !known) return std::string("-NOSCRIPT No matching script. Please use EVAL.\r\n");
        if (words[0] == "EVAL") known = true;
        return bulk(words.back());
    };
    const std::vector<std::string> keys = {"k"}, arguments = {"a", "b"};
    EXPECT_EQ(said(run(client().run(script, keys, arguments, in(50ms)))), "b");
    EXPECT_EQ(said(run(client().run(script, keys, arguments, in(50ms)))), "b");
    ASSERT_EQ(server.commands().size(), 3U);
    EXPECT_EQ(server.commands()[1], (Words{"EVAL", std::string(script.source()), "1", "k", "a", "b"}));
    EXPECT_EQ(server.commands()[2], (Words{"EVALSHA", std::string(script.sha1()), "1", "k", "a", "b"}));
}

// ---- the greeting

TEST_F(ClientTest, GreetsWithUserNameAndDatabase) {
    server.user = "etage";
    server.password = "s3cret";
    open("redis://etage:s3cret@127.0.0.1:" + std::to_string(server.port()) + "/3");
    EXPECT_EQ(said(get("k")), "k");
}

TEST_F(ClientTest, WhatIsWrongIsOneLineWithoutThePassword) {
    const std::string at = "127.0.0.1:" + std::to_string(server.port());
    const auto trouble_of = [&](const std::string& url) {
        open(url);
        const std::string what = said(get("k", 500ms));
        EXPECT_EQ("error: " + made->trouble(), what);
        made->let_go();
        made.reset();
        EXPECT_EQ(what.find("hunter2"), std::string::npos);
        return what;
    };
    server.password = "s3cret";
    EXPECT_EQ(trouble_of("redis://:hunter2@" + at),
              "error: " + here() +
                  " refuses user and password: WRONGPASS invalid username-password pair or user is disabled.");
    EXPECT_EQ(trouble_of("redis://" + at),
              "error: " + here() + " asks for a password: the URL has none (redis://user:password@host)");
    server.password.clear();
    server.version = "5.0.3";
    EXPECT_EQ(trouble_of("redis://" + at), "error: Redis 5.0.3 at " + at + " is too old: 6.2 or newer is needed");
    server.version = "6.0.16";
    EXPECT_EQ(trouble_of("redis://" + at), "error: Redis 6.0.16 at " + at + " is too old: 6.2 or newer is needed");
    server.version = "6.2.0";
    server.role = "slave";
    EXPECT_EQ(trouble_of("redis://" + at), "error: " + here() + " is a read-only replica of 10.0.0.1:6379");
    server.role = "master";
    server.ping_answer = "-LOADING Redis is loading the dataset in memory\r\n";
    EXPECT_EQ(trouble_of("redis://" + at), "error: " + here() + ": LOADING Redis is loading the dataset in memory");
    server.stop();
    EXPECT_EQ(trouble_of("redis://" + at), "error: " + here() + ": Connection refused");
}

TEST_F(ClientTest, AServerThatHangsUpOnTheFirstWordMayExpectTls) {
    asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    acceptor.async_accept([](const asio::error_code&, asio::ip::tcp::socket s) { s.close(); });
    open("redis://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
    const std::string what = said(get("k", 500ms));
    EXPECT_TRUE(what.ends_with("; if it expects TLS, the URL begins with rediss://")) << what;
}

// ---- outages

TEST_F(ClientTest, AbsentAtTheStartAndBackLater) {  // F-19
    server.stop();
    EXPECT_EQ(said(get("k")), "error: " + here() + ": Connection refused");
    EXPECT_FALSE(client().away("k"));
    (void)get("k");
    (void)get("k");
    EXPECT_TRUE(client().away("k"));
    EXPECT_EQ(client().trouble(), here() + ": Connection refused");
    EXPECT_EQ(sum(Counter::redis_breaker_opens), 1U);
    pass(10s);
    EXPECT_TRUE(client().away("k"));
    server.listen_again();
    const Instant back = clock.now().mono;
    ASSERT_TRUE(comes_back());
    EXPECT_LE(clock.now().mono - back, 1s);
    EXPECT_EQ(said(get("k")), "k");
    EXPECT_EQ(client().trouble(), "");
}

TEST_F(ClientTest, LostAtRunTimeNothingIsWaitedForAndOneProbeFindsItBack) {  // F-20
    EXPECT_EQ(said(get("k")), "k");
    lose();
    const auto connects = sum(Counter::redis_connects);
    const Instant before = clock.now().mono;
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(get("k"));
    EXPECT_EQ(clock.now().mono, before);
    EXPECT_EQ(sum(Counter::redis_connects), connects) << "requests do not knock";
    server.listen_again();
    const int knocks = server.connections();
    ASSERT_TRUE(comes_back());
    EXPECT_EQ(server.connections(), knocks + 1);
    EXPECT_EQ(said(get("k")), "k");
    EXPECT_EQ(server.connections(), knocks + 1) << "the probe's connection is the one in use";
}

TEST_F(ClientTest, HungItCostsTheBudgetUntilTheBreakerOpensThenNothing) {  // F-21
    EXPECT_EQ(said(get("k")), "k");
    server.silent = true;
    server.frozen = true;
    const auto first = begin_get("late", 50ms);
    settle();
    pass(50ms);
    ASSERT_TRUE(until([&] { return first->has_value(); }));
    EXPECT_EQ(said(**first), "error: " + here() + ": no reply in time");
    EXPECT_EQ(sum(Counter::redis_timeouts), 1U);
    // New connections are accepted by the kernel and answered by nobody: nobody waits longer than for a reply.
    const auto second = begin_get("k", 50ms), third = begin_get("k", 50ms);
    settle();
    pass(50ms);
    ASSERT_TRUE(until([&] { return second->has_value() && third->has_value(); }));
    EXPECT_EQ(said(**second), "error: " + here() + ": no connection in time");
    EXPECT_TRUE(client().away("k"));
    const Instant before = clock.now().mono;
    EXPECT_FALSE(get("k"));
    EXPECT_EQ(clock.now().mono, before);

    // It wakes, and what it says late is heard by nobody.
    server.frozen = false;
    server.say();
    server.cut();
    const Instant back = clock.now().mono;
    ASSERT_TRUE(comes_back());
    EXPECT_LE(clock.now().mono - back, 2s) << "the probe under way had a second to give up";
    for (int i = 0; i < 20; ++i) EXPECT_EQ(said(get("after" + std::to_string(i))), "after" + std::to_string(i));
}

TEST_F(ClientTest, SlowIsAwayUntilItAnswersWithinTheBudget) {  // F-22
    EXPECT_EQ(said(get("k")), "k");
    server.silent = true;
    for (int i = 0; i < 3; ++i) {
        const auto slow = begin_get("k", 50ms);
        settle();
        pass(50ms);
        ASSERT_TRUE(until([&] { return slow->has_value(); }));
    }
    ASSERT_TRUE(client().away("k"));
    // Every probe is answered, but after 200 ms.
    for (int i = 0; i < 20; ++i) {
        pass(200ms);
        server.say_kept();
        settle();
    }
    EXPECT_TRUE(client().away("k"));
    server.say();
    EXPECT_TRUE(comes_back());
    EXPECT_EQ(said(get("k")), "k");
}

TEST_F(ClientTest, AConnectionThatWasClosedInPeaceIsNoFailure) {
    EXPECT_EQ(said(get("k")), "k");
    for (int i = 0; i < 10; ++i) {  // `timeout` of Redis, a restart without anybody noticing
        server.cut();
        settle();
        EXPECT_EQ(said(get("k")), "k");
    }
    EXPECT_EQ(server.connections(), 11);
    EXPECT_EQ(sum(Counter::redis_breaker_opens), 0U);
}

TEST_F(ClientTest, ManyCallsOnOneLostConnectionAreOneFailure) {
    EXPECT_EQ(said(get("k")), "k");
    server.silent = true;
    std::vector<Pending<Result<Reply>>> asked;
    for (int i = 0; i < 100; ++i) asked.push_back(begin_get("k", 1s));
    ASSERT_TRUE(until([&] { return server.commands().size() == 101; }));
    server.cut();
    server.silent = false;
    ASSERT_TRUE(until([&] { return asked.back()->has_value(); }));
    for (const auto& one : asked) EXPECT_FALSE(**one);
    EXPECT_FALSE(client().away("k"));
    EXPECT_EQ(said(get("k")), "k");
}

TEST_F(ClientTest, AReplicaIsLeftUntilItIsAPrimaryAgain) {  // F-25
    EXPECT_EQ(said(get("k")), "k");
    server.role = "slave";
    server.script = [&](const Words& words) {
        if (server.role == "master") return std::string("+OK\r\n");
        return words[0] == "SET" ? std::string("-READONLY You can't write against a read only replica.\r\n")
                                 : bulk("old");
    };
    const auto refused = ask({"SET", "k", "v"});
    ASSERT_TRUE(refused);
    EXPECT_TRUE(refused->is_error("READONLY"));
    EXPECT_EQ(said(get("k")), "error: " + here() + " is a read-only replica of 10.0.0.1:6379");
    for (int i = 0; i < 3; ++i) (void)get("k");
    EXPECT_TRUE(client().away("k"));
    server.role = "master";
    ASSERT_TRUE(comes_back());
    EXPECT_EQ(said(ask({"SET", "k", "v"})), "OK");
}

TEST_F(ClientTest, LoadingAndMasterdownCloseTheConnection) {
    for (const char* words : {"-LOADING Redis is loading\r\n", "-MASTERDOWN Link with MASTER is down\r\n"}) {
        server.script = [words](const Words&) { return std::string(words); };
        const int before = server.connections();
        EXPECT_EQ(said(get("k"))[0], '-');
        server.script = nullptr;
        EXPECT_EQ(said(get("k")), "k");
        EXPECT_GE(server.connections(), before + 1);
    }
}

TEST_F(ClientTest, RepliesAfterTheDeadlineReachNobody) {  // C-08
    for (int round = 0; round < 50; ++round) {
        server.silent = true;
        const auto late = begin_get("late" + std::to_string(round), 5ms);
        settle();
        pass(5ms);
        ASSERT_TRUE(until([&] { return late->has_value(); }));
        ASSERT_FALSE(**late);
        server.silent = false;
        server.say();
        const std::string key = "next" + std::to_string(round);
        const auto next = get(key, 1s);
        ASSERT_EQ(said(next), key);
    }
}

// ---- dedicated connections

TEST_F(ClientTest, ADedicatedConnectionIsOnesOwn) {
    const auto own = run(client().connect("k", in(1s)));
    ASSERT_TRUE(own) << own.error().what;
    EXPECT_EQ((*own)->identity(), (Identity{"4c2f", "99aa", "7.0.15", true}));
    server.silent = true;
    const auto blocked = begin((*own)->exchange({Command("k", {"XREAD", "k"})}, in(10s)));
    ASSERT_TRUE(until([&] { return server.commands().size() == 1; }));
    server.silent = false;
    EXPECT_EQ(said(get("meanwhile")), "meanwhile");
    EXPECT_FALSE(blocked->has_value());
    server.say();
    ASSERT_TRUE(until([&] { return blocked->has_value(); }));
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(ClientTest, ADedicatedConnectionEndsWhenTheServerSaysThatItHasChanged) {
    const auto own = run(client().connect("", in(1s)));
    ASSERT_TRUE(own);
    server.script = [](const Words&) {
        return std::string(
            "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n");
    };
    const auto replies = run((*own)->exchange({Command("k", {"XREAD", "k"})}, in(10s)));
    ASSERT_TRUE(replies);
    EXPECT_TRUE(replies->front().is_error("UNBLOCKED"));
    EXPECT_FALSE((*own)->is_open());
}

TEST_F(ClientTest, ADedicatedConnectionIsMadeWhateverTheBreakerSays) {
    (void)get("k");
    lose();
    server.listen_again();
    EXPECT_TRUE(client().away(""));
    const auto own = run(client().connect("k", in(1s)));
    EXPECT_TRUE(own) << own.error().what;
    server.stop();
    const auto refused = run(client().connect("k", in(1s)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, here() + ": Connection refused");
}

// ---- io_contexts

TEST_F(ClientTest, EachIoContextHasItsOwnConnection) {
    EXPECT_EQ(said(get("k")), "k");
    {
        asio::io_context other;
        std::optional<Result<Reply>> reply;
        asio::co_spawn(other, client().call(Command("k", {"GET", "k"}), in(1s)),
                       [&](const std::exception_ptr&, Result<Reply> r) { reply.emplace(std::move(r)); });
        while (!reply) {
            other.restart();
            other.poll();
            io.restart();
            io.poll();
        }
        EXPECT_EQ(said(*reply), "k");
        EXPECT_EQ(server.connections(), 2);
        client().let_go();
    }
    settle();
    EXPECT_EQ(server.open(), 0U);
    EXPECT_EQ(said(get("k")), "k") << "let go, and used again";
}

TEST_F(ClientTest, LetGoWithCallsUnderWay) {
    EXPECT_EQ(said(get("k")), "k");
    server.silent = true;
    const auto one = begin_get("x", 1s);
    ASSERT_TRUE(until([&] { return server.commands().size() == 2; }));
    client().let_go();
    ASSERT_TRUE(until([&] { return one->has_value(); }));
    EXPECT_EQ(said(**one), "error: " + here() + ": closed");
}

TEST_F(ClientTest, CertificatesThatCannotBeReadAreSaidAtOnce) {
    options.url = *parse_url("rediss://h");
    options.tls_ca = "/nowhere/ca.pem";
    const auto failed = make_client(options, metrics, log);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().what, "redis: the CA certificates /nowhere/ca.pem: No such file or directory");
}

}  // namespace
}  // namespace etage::redis
