#include "redis/real_redis_fixture.hpp"
#include "redis/seats.hpp"
#include "redis/slots.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace etage::redis {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

const std::string key = "{test:limits}:seats:posts";

class SeatsOnRedis : public RealRedis {
protected:
    Result<std::uint64_t> try_hold(const std::string& instance, std::uint64_t wanted, std::uint64_t max = 10,
                                   std::uint64_t in_flight = 0) {
        RedisSeats seats(client(), "test", instance);
        return run(seats.hold("posts", {wanted, in_flight, max}, now() + 2s));
    }
    std::uint64_t hold(const std::string& instance, std::uint64_t wanted, std::uint64_t max = 10,
                       std::uint64_t in_flight = 0) {
        const auto held = try_hold(instance, wanted, max, in_flight);
        EXPECT_TRUE(held) << held.error().what;
        return held.value_or(~std::uint64_t{0});
    }
    /// By the server's clock, so many ms from now.
    std::string in_ms(int ms) {
        const Reply time = say({"TIME"});
        return std::to_string(std::stoll(time.elements[0].text) * 1000 + std::stoll(time.elements[1].text) / 1000 + ms);
    }
};

TEST_F(SeatsOnRedis, NeverMoreThanMaxTogether) {
    EXPECT_EQ(hold("a", 6), 6U);
    EXPECT_EQ(hold("b", 6), 4U);
    EXPECT_EQ(hold("c", 1), 0U);
    EXPECT_EQ(hold("a", 7), 6U) << "it says how many it has in all";
    EXPECT_EQ(hold("a", 5), 5U);
    EXPECT_EQ(hold("c", 3), 1U);
    EXPECT_EQ(hold("b", 0), 0U);
    EXPECT_EQ(hold("c", 3), 3U);
    EXPECT_EQ(hold("a", 100), 7U);
}

TEST_F(SeatsOnRedis, ASmallerMaxLeavesWhatItCan) {
    EXPECT_EQ(hold("a", 6), 6U);
    EXPECT_EQ(hold("b", 4), 4U);
    EXPECT_EQ(hold("a", 6, 8), 4U);
    EXPECT_EQ(hold("b", 4, 2), 0U);
    EXPECT_EQ(hold("a", 6, 2), 2U);
}

TEST_F(SeatsOnRedis, WhatIsInFlightCountsAlsoWhenTheCountWasLost) {
    EXPECT_EQ(hold("a", 2, 2, 2), 2U);
    say({"DEL", key});
    EXPECT_EQ(hold("b", 1, 2), 1U) << "nobody knows yet";
    EXPECT_EQ(hold("a", 2, 2, 2), 1U) << "it may not fill both again";
    EXPECT_EQ(hold("b", 1, 2), 0U) << "but both are in flight there";
    EXPECT_EQ(hold("a", 1, 2, 1), 1U);
    EXPECT_EQ(hold("b", 1, 2), 1U);
}

TEST_F(SeatsOnRedis, WhatACrashedInstanceHeldLapses) {
    EXPECT_EQ(hold("a", 6), 6U);
    const std::string value = say({"HGET", key, "a"}).text;
    EXPECT_THAT(value, testing::MatchesRegex("6 [0-9]+"));
    EXPECT_GT(value, "6 " + in_ms(2000));
    EXPECT_LE(value, "6 " + in_ms(3000));
    EXPECT_EQ(hold("b", 6), 4U);
    say({"HSET", key, "a", "6 " + in_ms(0)});
    EXPECT_EQ(hold("b", 6), 6U);
    EXPECT_EQ(say({"HEXISTS", key, "a"}).integer, 0);
    EXPECT_EQ(hold("a", 6), 4U) << "it comes back, and gets the rest";
}

TEST_F(SeatsOnRedis, AClockThatWasSetBackHoldsNobodyForLonger) {
    say({"HSET", key, "a", "6 " + in_ms(1'000'000)});
    EXPECT_EQ(hold("b", 6), 4U);
    EXPECT_LE(say({"HGET", key, "a"}).text, "6 " + in_ms(3000));
}

TEST_F(SeatsOnRedis, TheKeyGoesWhenNobodySaysAnything) {
    hold("a", 6);
    const auto ttl = say({"PTTL", key}).integer;
    EXPECT_GT(ttl, 3000);
    EXPECT_LE(ttl, 4000);
    hold("a", 0);
    EXPECT_EQ(say({"EXISTS", key}).integer, 0);
}

TEST_F(SeatsOnRedis, ForeignValuesAreNone) {
    for (const auto& deed : std::vector<std::vector<std::string>>{{"SET", key, "nonsense"},
                                                                  {"SADD", key, "a"},
                                                                  {"HSET", key, "z", "nonsense", "y", "", "b", "-"},
                                                                  {"HSET", key, "z", "6 1"}}) {
        SCOPED_TRACE(testing::PrintToString(deed));
        say({"DEL", key});
        say(deed);
        EXPECT_EQ(hold("b", 0), 0U);
        say({"DEL", key});
        say(deed);
        EXPECT_EQ(hold("b", 8), 8U);
        EXPECT_EQ(hold("a", 8), 2U);
    }
    EXPECT_EQ(say({"HLEN", key}).integer, 2);
}

TEST_F(SeatsOnRedis, HugeCounts) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(hold("a", most, 5), 5U);
    EXPECT_EQ(hold("a", 3, most), 3U);
    EXPECT_GT(hold("b", most, most), std::uint64_t{1} << 52);
    EXPECT_EQ(hold("c", 1, 0), 0U);
}

TEST_F(SeatsOnRedis, AReplicaGivesNone) {
    hold("a", 6);
    say({"REPLICAOF", "127.0.0.1", "1"});
    for (const std::uint64_t wanted : {0U, 3U}) {
        const auto held = try_hold("a", wanted);
        ASSERT_FALSE(held);
        EXPECT_EQ(held.error().blame, Blame::remote_store);
        EXPECT_THAT(held.error().what, AnyOf(HasSubstr("READONLY"), HasSubstr("read-only")));
    }
}

TEST_F(SeatsOnRedis, WithoutAServerThereAreNone) {
    server_->stop(SIGKILL);
    EXPECT_FALSE(try_hold("a", 1));
}

TEST(Seats, LieInTheSlotOfTheLimits) { EXPECT_EQ(slot_of(key), slot_of("{test:limits}:x")); }

}  // namespace
}  // namespace etage::redis
