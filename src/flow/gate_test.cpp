#include "flow/gate.hpp"
#include "flow/gate_fields.hpp"
#include "flow/walk_fixture.hpp"
#include "limit/common_count_fixture.hpp"

#include <gmock/gmock.h>

namespace etage::flow {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TestHouse;

LimitPolicy limit(std::string name, std::uint64_t quota, Duration window = 60s) {
    return {.name = std::move(name), .quota = quota, .window = window};
}

RoutePolicy route(std::vector<LimitPolicy> limits, std::string match = "GET /**") {
    return {.match = std::move(match), .cache = {.ttl = 60s}, .limits = std::move(limits)};
}

std::vector<int> statuses(TestHouse& house, int count, const std::string& line = "GET /a") {
    std::vector<int> out;
    for (int i = 0; i < count; ++i) out.push_back(house.get(line).status);
    return out;
}

// --- alone

TEST(Gate, ARefusedRequestPaysNone) {
    TestHouse house({route({limit("small", 2), limit("large", 10)})});
    EXPECT_THAT(statuses(house, 5), ElementsAre(200, 200, 429, 429, 429));
    EXPECT_EQ(house.get("GET /a")["ratelimit"], "\"small\";r=0;t=60, \"large\";r=8;t=12");
}

TEST(Gate, AFixedWindowRefusesUntilItEnds) {
    auto window = limit("w", 2, 10s);
    window.algorithm = LimitPolicy::Algorithm::fixed_window;
    TestHouse house({route({window})});
    EXPECT_THAT(statuses(house, 3), ElementsAre(200, 200, 429));
    const auto refused = house.get("GET /a");
    const int wait = std::stoi(refused["retry-after"]);
    ASSERT_LE(wait, 10);
    house.skip(std::chrono::seconds(wait - 1));
    EXPECT_EQ(house.get("GET /a").status, 429);
    house.skip(1s);
    EXPECT_THAT(statuses(house, 3), ElementsAre(200, 200, 429));
}

TEST(Gate, SeatsAreHeldUntilTheAnswerIsGone) {
    auto seats = limit("c", 0);
    seats.algorithm = LimitPolicy::Algorithm::concurrency;
    seats.max = 1;
    TestHouse house({route({seats})});
    house.origin.script = [](const testing::Seen&) { return testing::Say{.after = 10ms}; };
    const auto first = house.ask("GET /a");
    house.settle();
    const auto full = house.get("GET /b");
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(full["ratelimit-policy"], "\"c\";q=1;qu=\"concurrent-requests\"");
    EXPECT_THAT(full.body, HasSubstr("\"violated-policies\":[\"c\"]"));
    house.pass(20ms);
    EXPECT_TRUE(first->done);
    EXPECT_EQ(house.get("GET /c").status, 200);
}

TEST(Gate, LimitsOnMissesLetHitsIn) {
    auto misses = limit("m", 1);
    misses.count = LimitPolicy::Count::misses;
    TestHouse house({route({misses})});
    EXPECT_THAT(statuses(house, 4), ElementsAre(200, 200, 200, 200));
    EXPECT_EQ(house.get("GET /b").status, 429);
    EXPECT_EQ(house.get("GET /b", {"Cache-Control: only-if-cached"}).status, 504) << "it asks nobody";
}

TEST(Gate, ADryRunIsCountedOnce) {
    auto dry = limit("dry", 1);
    dry.dry_run = true;
    auto misses = limit("m", 10);
    misses.count = LimitPolicy::Count::misses;
    TestHouse house({route({dry, misses})});
    EXPECT_EQ(house.get("GET /a").status, 200);
    EXPECT_EQ(house.get("GET /b").status, 200);
    EXPECT_EQ(house.metrics.sum(base::Counter::limits_dry_run), 1U) << "the gate is passed twice, by all and by misses";
}

TEST(Gate, WhatTheAnswerCostsIsChargedAfterwards) {
    auto bytes = limit("b", 12);
    bytes.cost_by = LimitPolicy::Cost::response_bytes;
    TestHouse house({route({bytes})});
    EXPECT_THAT(statuses(house, 4), ElementsAre(200, 200, 200, 429)) << "five bytes each: the third is let in for one";
}

TEST(Gate, WhatNobodyReadsOfItIsStillKnown) {
    TestHouse house({route({limit("a", 5)})});
    house.get("GET /a");
    const auto standings = house.walk->rooms().gate.look(http::RequestHead{}, "127.0.0.1", base::read_clock());
    ASSERT_EQ(standings.size(), 1U);
    EXPECT_EQ(standings[0].limit->policy.name, "a");
}

TEST(Gate, WhatCannotBeALimitIsNone) {
    for (auto wrong : {limit("a", 0), LimitPolicy{.name = "b", .algorithm = LimitPolicy::Algorithm::concurrency},
                       LimitPolicy{.name = "c", .quota = 1, .window = 1s, .allow = {"nowhere"}}}) {
        const auto compiled = compile_limit(wrong, "posts");
        ASSERT_FALSE(compiled);
        EXPECT_THAT(compiled.error().what, HasSubstr("limit \"" + wrong.name + "\""));
    }
}

// --- with others

struct Shared : ::testing::Test {
    limit::testing::CommonCount common;
    std::unique_ptr<TestHouse> open(std::vector<LimitPolicy> limits) {
        return std::make_unique<TestHouse>(std::vector{route(std::move(limits))}, false, nullptr, nullptr, &common);
    }
};

TEST_F(Shared, InstancesCountTogether) {
    auto each = limit("a", 4);
    each.lease = 1;
    const auto a = open({each});
    const auto b = open({each});
    EXPECT_THAT(statuses(*a, 2), ElementsAre(200, 200));
    EXPECT_THAT(statuses(*b, 3), ElementsAre(200, 200, 429));
    EXPECT_THAT(statuses(*a, 1), ElementsAre(429));
}

/// docs/decisions/0015: another client's name must not be found.
TEST_F(Shared, WithoutASecretClientsHaveNamesThatNobodyCanForge) {
    const auto router = policy::Router::compile({}, {"default"}).value();
    base::Metrics metrics;
    const std::vector limits{limit("a", 4)};
    const http::RequestHead request;
    const policy::Identity nobody;
    const auto key_under = [&](std::uint64_t secret) {
        const auto gate = Gate::make(router, limits, {&common, nullptr, 42, secret, metrics}).value();
        GatePass pass;
        gate->enter({nullptr, {request, nobody, "192.0.2.1", {}}, {Instant(1h), {}}}, pass);
        const Ticket& ticket = pass.tickets()[0];
        return std::pair(ticket.key, base::hash64(ticket.limit->shared_name, secret));
    };
    const auto [secret_key, secret_seed] = key_under(7);
    EXPECT_EQ(secret_key, base::hash64("192.0.2.1", secret_seed));
    const auto [public_key, public_seed] = key_under(0);
    EXPECT_EQ(public_key, base::keyed_hash({public_seed, 0}, "192.0.2.1").high);
}

TEST_F(Shared, OneCallForAllLimitsOfARequest) {
    auto one = limit("a", 100);
    auto two = limit("b", 100);
    one.lease = two.lease = 10;
    const auto house = open({one, two});
    EXPECT_EQ(house->get("GET /a").status, 200);
    EXPECT_EQ(common.calls, 1);
    statuses(*house, 99);
    EXPECT_LE(common.calls, 12) << "the others from what was leased";
}

TEST_F(Shared, AwayItGoesOnWithItsShare) {
    auto each = limit("a", 8);
    each.lease = 1;
    const auto house = open({each});
    common.is_away = true;
    EXPECT_THAT(statuses(*house, 6), ElementsAre(200, 200, 200, 200, 429, 429));
    common.is_away = false;
    EXPECT_THAT(statuses(*house, 1), ElementsAre(429)) << "no burst when it is back";
    EXPECT_GE(house->metrics.sum(base::Counter::limits_without_redis), 6U);
}

TEST_F(Shared, ACallThatFailsIsDecidedAsWhenItIsAway) {
    auto closed = limit("a", 8);
    closed.outage = LimitPolicy::Outage::closed;
    auto open_ = limit("a", 1);
    open_.outage = LimitPolicy::Outage::open;
    common.fails = true;
    const auto unknown = open({closed})->get("GET /a");
    EXPECT_EQ(unknown.status, 503);
    EXPECT_THAT(unknown["cache-status"], HasSubstr("detail=limit-unknown"));
    EXPECT_THAT(statuses(*open({open_}), 3), ElementsAre(200, 200, 200));
}

TEST_F(Shared, ALimitThatRefusesLeavesTheOthersWhole) {
    auto small = limit("small", 1);
    auto large = limit("large", 10);
    small.lease = large.lease = 1;
    const auto house = open({large, small});
    EXPECT_THAT(statuses(*house, 4), ElementsAre(200, 429, 429, 429));
    EXPECT_THAT(house->get("GET /a")["ratelimit"], HasSubstr("\"large\";r=9"));
}

TEST_F(Shared, WhatIsLeasedForThoseWhoComeNextStopsNobody) {
    auto small = limit("small", 10);
    auto large = limit("large", 100);
    small.lease = 10;  // the last but one asks for more, and there is no more
    large.lease = 1;
    const auto house = open({small, large});
    EXPECT_THAT(statuses(*house, 11), ElementsAre(200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 429));
}

}  // namespace
}  // namespace etage::flow
