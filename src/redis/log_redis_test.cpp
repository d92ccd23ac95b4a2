// Two instances on a real Redis: what log_fixture.hpp plays by hand, Redis does in Lua.

#include "redis/log.hpp"
#include "redis/real_redis_fixture.hpp"

#include "coherence/tag.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <optional>

namespace etage::redis {
namespace {

using coherence::Validity;
using testing::HasSubstr;

std::vector<TagHash> tags_of(const flow::Invalidation& what) {
    std::vector<TagHash> out;
    for (const auto& target : what.targets)
        out.push_back(coherence::tag_hash(coherence::TagKind::surrogate, target.text));
    return out;
}

struct Instance {
    explicit Instance(const RedisServer& server) {
        Options options;
        options.url = parse_url("unix://" + server.socket()).value();
        client = std::move(make_client(options, metrics, quiet).value());
        LogOptions log_options;
        log_options.lease = 200ms;
        log.emplace(*client, engine, metrics, quiet, tags_of, nullptr, log_options);
        log->start();
    }
    ~Instance() {
        log->stop();
        client->let_go();
    }

    base::Metrics metrics;
    base::Log quiet{{.level = base::LogLevel::off, .format = base::LogFormat::text, .file = {}}};
    coherence::Engine engine;
    std::unique_ptr<Client> client;
    std::optional<RedisLog> log;
};

class LogOnRedis : public OnTheWallClock {
protected:
    void SetUp() override {
        if (!RedisServer::is_installed()) GTEST_SKIP() << "redis-server is not installed";
        server_.emplace();
        a_.emplace(*server_);
        b_.emplace(*server_);
        ASSERT_TRUE(until([&] { return both_attached(); }));
    }
    ~LogOnRedis() override {
        foreign_.reset();
        a_.reset();  // with connections of io_
        b_.reset();
    }

    Result<Sequence> invalidate(Instance& where, std::string tag, Duration patience = 2s) {
        flow::Invalidation what{{{flow::Target::Kind::tag, std::move(tag)}}, coherence::Softness::hard};
        return run(where.log->invalidate(std::move(what), now() + patience));
    }
    /// Through a connection of its own, as somebody else would.
    Reply say(std::vector<std::string> words) {
        if (!foreign_ || !foreign_->is_open()) {
            auto made = run(a_->client->connect("x", now() + 2s));
            EXPECT_TRUE(made) << made.error().what;
            if (!made) return {};
            foreign_ = *made;
        }
        std::vector<Command> commands;
        commands.emplace_back("x", words);
        auto replies = run(foreign_->exchange(std::move(commands), now() + 2s));
        return replies ? replies->front() : Reply{};
    }
    bool both_attached() const { return a_->log->view().attached && b_->log->view().attached; }
    /// Something recorded at one is applied at the other, and both are in the same history.
    void expect_well() {
        ASSERT_TRUE(until([&] { return both_attached(); })) << a_->log->view().trouble << b_->log->view().trouble;
        const auto token = invalidate(*a_, "well");
        ASSERT_TRUE(token) << token.error().what;
        ASSERT_TRUE(run(b_->log->reach(*token, now() + 5s)));
        ASSERT_TRUE(until([&] { return a_->log->generation().load() == b_->log->generation().load(); }));
        const auto receipt = run(a_->log->receipt(*token, now() + 5s));
        EXPECT_EQ(receipt.confirmed, 2U);
        EXPECT_EQ(receipt.live, 2U);
        // What was sent to a frozen server tells nothing of now, however late it is answered: the next iteration does.
        for (auto* each : {&*a_, &*b_})
            EXPECT_TRUE(until([&] { return each->engine.sight(now()) == coherence::Sight::clear; }));
    }
    static Validity judge(const Instance& where, Sequence fence, const std::string& tag) {
        return where.engine.judge(fence, std::vector{coherence::tag_hash(coherence::TagKind::surrogate, tag)});
    }

    std::optional<RedisServer> server_;
    std::optional<Instance> a_;
    std::optional<Instance> b_;
    std::shared_ptr<Connection> foreign_;
    const std::string log_ = "{etage}:log";
};

TEST_F(LogOnRedis, TwoInstancesAndAForeignHand) {
    expect_well();
    const Sequence before = b_->engine.fence();
    const auto id = coherence::parse_stream_id(say({"XADD", log_, "*", "tag", "posts", "tag", "post:7"}).text);
    ASSERT_TRUE(id);
    ASSERT_TRUE(run(b_->log->reach(coherence::position_of(*id), now() + 2s)));
    EXPECT_EQ(judge(*b_, before, "post:7"), Validity::gone);
    EXPECT_EQ(judge(*b_, before, "post:8"), Validity::valid);
    EXPECT_TRUE(until([&] { return a_->log->view().live == 2; })) << "counted once a second";
    EXPECT_NE(a_->log->clock().at_most(now()), 0);
    say({"SCRIPT", "FLUSH"});
    expect_well();
    EXPECT_EQ(a_->metrics.sum(base::Counter::log_gaps), 0U);
}

TEST_F(LogOnRedis, SurvivesWhatIsDoneToItsKeys) {
    const std::vector<std::vector<std::string>> deeds = {{"FLUSHALL"},
                                                         {"DEL", log_},
                                                         {"DEL", log_ + ":generation"},
                                                         {"SET", log_, "nonsense"},
                                                         {"HSET", log_ + ":generation", "a", "b"},
                                                         {"SET", "{etage}:live", "nonsense"},
                                                         {"XTRIM", log_, "MAXLEN", "0"},
                                                         {"XADD", log_, "1790000000000000-0", "tag", "posts"}};
    for (const auto& deed : deeds) {
        SCOPED_TRACE(testing::PrintToString(deed));
        const Sequence before = b_->engine.fence();
        say(deed);
        expect_well();
        EXPECT_GT(b_->engine.fence(), before);
    }
}

TEST_F(LogOnRedis, AKilledConnectionIsNoGap) {
    const Sequence floor = b_->engine.floor();
    for (int i = 0; i < 3; ++i) {
        say({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        expect_well();
    }
    EXPECT_EQ(b_->engine.floor(), floor);
}

TEST_F(LogOnRedis, AFrozenServerIsNotSeenAndThenReadOn) {
    expect_well();
    const Sequence floor = b_->engine.floor();
    server_->signal(SIGSTOP);
    EXPECT_TRUE(until([&] { return b_->engine.sight(now()) == coherence::Sight::dim; }));
    EXPECT_FALSE(invalidate(*a_, "posts", 100ms));
    server_->signal(SIGCONT);
    expect_well();
    EXPECT_TRUE(until([&] { return a_->log->view().queued == 0; }));
    EXPECT_EQ(b_->engine.floor(), floor);
}

TEST_F(LogOnRedis, ARestartedServerHasLostEverything) {
    expect_well();
    const Sequence before = b_->engine.fence();
    server_->stop(SIGKILL);
    EXPECT_FALSE(invalidate(*a_, "during", 200ms));
    server_->start();
    // The reader may be back before the probe of the other connection is.
    ASSERT_TRUE(until([&] { return invalidate(*a_, "again").has_value(); }));
    expect_well();
    EXPECT_GT(b_->engine.floor(), before);
    EXPECT_TRUE(until([&] { return a_->log->view().queued == 0; })) << "recorded in the end";
    // Or below the floor: b may have found the new history with the record already in it.
    EXPECT_GT(judge(*b_, before, "during"), Validity::stale);
}

TEST_F(LogOnRedis, AReplicaRecordsNothing) {
    expect_well();
    say({"REPLICAOF", "127.0.0.1", "1"});
    EXPECT_TRUE(until([&] { return !both_attached(); }));
    EXPECT_FALSE(invalidate(*a_, "posts", 200ms));
    EXPECT_TRUE(until([&] { return testing::Value(b_->log->view().trouble, HasSubstr("replica")); }));
    say({"REPLICAOF", "NO", "ONE"});
    expect_well();
}

}  // namespace
}  // namespace etage::redis
