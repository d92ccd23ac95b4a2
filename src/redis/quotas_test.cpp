#include "redis/quotas.hpp"
#include "redis/quotas_script.hpp"
#include "redis/redis_fixture.hpp"
#include "redis/slots.hpp"

#include <gmock/gmock.h>

namespace etage::redis {
namespace {

using limit::Algorithm;
using limit::Claim;
using testing::ElementsAre;
using testing::HasSubstr;

class Quotas : public RedisFixture {
protected:
    Result<std::vector<limit::Grant>> take(std::vector<Claim> claims, Duration patience = 50ms) {
        return run(quotas().take(claims, in(patience)));
    }
    RedisQuotas& quotas() {
        if (!quotas_) quotas_.emplace(client(), "ns", [this] { return live; });
        return *quotas_;
    }

    std::uint64_t live = 0;
    const Claim a{.quota = {.quota = 10, .window = 1s, .burst = 5}, .name = "a"};
    const Claim b{.quota = {.quota = 10, .window = 1s, .algorithm = Algorithm::sliding_window},
                  .name = "b",
                  .need = 2,
                  .want = 1,
                  .back = 3,
                  .debt = 4,
                  .at_least = {1500ns, 5, 6},
                  .binding = false};

private:
    std::optional<RedisQuotas> quotas_;
};

TEST_F(Quotas, SaysEverythingInOneCommand) {
    server.script = [](const Words&) { return "*8\r\n:1\r\n:2\r\n:0\r\n:0\r\n:2\r\n:7\r\n:8\r\n:9\r\n"; };
    const auto grants = take({a, b});
    ASSERT_TRUE(grants) << grants.error().what;
    ASSERT_EQ(server.commands().size(), 1U);
    EXPECT_THAT(server.commands()[0],
                ElementsAre("EVALSHA", quotas_script().sha1(), "2", "{ns:limits}:a", "{ns:limits}:b",          //
                            "bucket", "100000000", "500000000", "ns", "1", "1", "0", "0", "0", "0", "0", "1",  //
                            "sliding", "1000000", "10", "us", "2", "2", "3", "4", "2", "5", "6", "0"));
    EXPECT_EQ(grants->at(0).granted, 1U);
    EXPECT_EQ(grants->at(0).used.idle_after, 2ns);
    EXPECT_EQ(grants->at(1).granted, 2U);
    EXPECT_EQ(grants->at(1).used.idle_after, 7us);
    EXPECT_EQ(grants->at(1).used.current, 8U);
    EXPECT_EQ(grants->at(1).used.previous, 9U);
}

TEST_F(Quotas, AllKeysAreOfOneSlot) {
    server.script = [](const Words&) { return "*8\r\n:1\r\n:2\r\n:0\r\n:0\r\n:2\r\n:7\r\n:8\r\n:9\r\n"; };
    Claim other = a;
    other.name = "{braces}";
    ASSERT_TRUE(take({a, other}));
    const Words& words = server.commands().front();
    EXPECT_EQ(slot_of(words[3]), slot_of(words[4]));
    EXPECT_EQ(slot_of(words[3]), slot_of("ns:limits"));
}

TEST_F(Quotas, SendsTheScriptWhenItIsNotThere) {
    server.script = [](const Words& words) {
        return words[0] == "EVALSHA" ? "-NOSCRIPT No matching script.\r\n" : "*4\r\n:1\r\n:2\r\n:0\r\n:0\r\n";
    };
    EXPECT_TRUE(take({a}));
    ASSERT_EQ(server.count("EVAL"), 1U);
    EXPECT_EQ(server.commands().back()[1], quotas_script().source());
}

TEST_F(Quotas, WhatIsNotUnderstoodIsAnError) {
    for (const std::string said : {"*3\r\n:1\r\n:2\r\n:0\r\n", "*4\r\n:1\r\n:2\r\n:0\r\n:-1\r\n", ":1\r\n", "$-1\r\n",
                                   "*4\r\n:1\r\n:2\r\n:0\r\n$1\r\n1\r\n", "+OK\r\n", "*0\r\n",
                                   "-NOPERM this user has no permissions to run the 'evalsha' command\r\n"}) {
        SCOPED_TRACE(said);
        server.script = [&](const Words&) { return said; };
        const auto grants = take({a});
        ASSERT_FALSE(grants);
        EXPECT_EQ(grants.error().blame, Blame::remote_store);
        EXPECT_TRUE(grants.error().retryable);
        EXPECT_THAT(grants.error().what, HasSubstr(said.starts_with("-") ? "NOPERM" : "a form it never has"));
    }
}

TEST_F(Quotas, IsAwayWhenTheServerIs) {
    EXPECT_FALSE(quotas().away());
    server.stop();
    for (std::uint32_t i = 0; i < options.failures_max; ++i) EXPECT_FALSE(take({a}));
    EXPECT_TRUE(quotas().away());
}

TEST_F(Quotas, ASilentServerCostsTheDeadline) {
    ASSERT_TRUE(get("x"));
    server.silent = true;
    const auto grants = begin(quotas().take({&a, 1}, in(50ms)));
    settle();
    EXPECT_FALSE(grants->has_value());
    pass(51ms);
    settle();
    ASSERT_TRUE(grants->has_value());
    EXPECT_FALSE(grants->value());
}

TEST_F(Quotas, OneInstanceAtLeast) {
    EXPECT_EQ(quotas().instances(), 1U);
    live = 4;
    EXPECT_EQ(quotas().instances(), 4U);
}

}  // namespace
}  // namespace etage::redis
