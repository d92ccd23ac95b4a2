// When nobody calls the origin, because the budget for it is spent or it is busy: what is stale is served (RFC 9111
// §4.2.4), and who has nothing is told when to come back.

#include "coherence/tag.hpp"
#include "flow/rfc_fixture.hpp"

#include <gmock/gmock.h>

namespace etage::flow::testing {
namespace {

using ::testing::HasSubstr;

Say spent(Duration retry_after = 90s + 1ms) {
    Say say = no_answer(Fault::budget_spent);
    say.retry_after = retry_after;
    return say;
}

class NotAsked : public RfcTest {
protected:
    /// What a client gets for /a that was stored like this, a minute after it went stale.
    Reply stale_answer(const std::string& stored, Say then, std::vector<std::string> fields = {},
                       const std::string& line = "GET /a") {
        origin_says(says({{"Cache-Control", stored}, {"ETag", "\"1\""}}));
        house.get("GET /a");
        house.skip(70s);
        origin_says(std::move(then));
        return house.get(line, std::move(fields));
    }
};

TEST_F(NotAsked, WithNothingToServeItIs503AndTheRealTimeToComeBack) {
    origin_says(spent());
    const Reply reply = house.get("GET /a");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply["retry-after"], "91") << "rounded up";
    EXPECT_EQ(reply["cache-status"], "etage; detail=budget-spent") << "neither a hit nor forwarded";
    EXPECT_EQ(reply["content-type"], "application/problem+json");
    EXPECT_EQ(reply["cache-control"], "no-store");
    EXPECT_THAT(reply.body, HasSubstr("\"urn:etage:problem:budget-spent\""));
}

TEST_F(NotAsked, ABusyOriginIsToldApart) {
    Say busy = no_answer(Fault::origin_busy);
    origin_says(busy);
    const Reply reply = house.get("GET /a");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply["retry-after"], "1") << "never 0";
    EXPECT_EQ(reply["cache-status"], "etage; detail=origin-busy");
    EXPECT_THAT(reply.body, HasSubstr("\"urn:etage:problem:origin-busy\""));
}

TEST_F(NotAsked, WhatIsStaleIsServedAlsoWithoutStaleIfError) {
    const Reply reply = stale_answer("max-age=10", spent());
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(reply["cache-status"], "etage; hit; ttl=-60; detail=budget-spent");
    EXPECT_EQ(reply["age"], "70");
    EXPECT_EQ(house.metrics.sum(base::Counter::stale_served), 1U);
}

TEST_F(NotAsked, AHeadAndAQueryAreServedWhatIsStaleToo) {
    const Reply head = stale_answer("max-age=10", spent(), {}, "HEAD /a");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.verdict.detail, Detail::budget_spent);
    EXPECT_TRUE(head.verdict.hit);
    origin_says(says_cache_control("max-age=10"));
    house.get("QUERY /q", {"Content-Type: text/plain"}, "x");
    house.skip(20s);
    origin_says(spent());
    const Reply query = house.get("QUERY /q", {"Content-Type: text/plain"}, "x");
    EXPECT_EQ(query.status, 200);
    EXPECT_TRUE(query.verdict.hit);
}

TEST_F(NotAsked, NotWhatTheOriginForbidsToServeStale) {
    for (const char* stored :
         {"max-age=10, must-revalidate", "max-age=10, proxy-revalidate", "s-maxage=10", "no-cache"})
        EXPECT_EQ(stale_answer(stored, spent()).status, 503) << stored;
}

TEST_F(NotAsked, NotLaterThanTheWindowForErrorsThatTheOriginNames) {
    EXPECT_EQ(stale_answer("max-age=10, stale-if-error=59", spent()).status, 503);
    EXPECT_EQ(stale_answer("max-age=10, stale-if-error=61", spent()).status, 200);
}

TEST_F(NotAsked, NotToARequestThatInsists) {
    EXPECT_EQ(stale_answer("max-age=10", spent(), {"Cache-Control: no-cache"}).status, 503);
}

TEST_F(NotAsked, NotWhatWasInvalidatedMeanwhile) {
    origin_says(says({{"Cache-Control", "max-age=10"}, {"Cache-Tag", "t"}}));
    house.get("GET /a");
    house.skip(20s);
    Say later = spent();
    later.after = 5ms;
    origin_says(later);
    const auto reply = house.ask("GET /a");
    house.pass(1ms);
    const TagHash tag = coherence::tag_hash(coherence::TagKind::surrogate, "t");
    house.engine.invalidate({std::span(&tag, 1), coherence::Softness::hard});
    house.pass(10ms);
    EXPECT_EQ(reply->status, 503);
}

TEST_F(NotAsked, ItIsNoCallAndNoErrorOfTheOrigin) {
    origin_says(spent());
    house.get("GET /a");
    house.get("POST /a");
    EXPECT_EQ(house.metrics.sum(base::Counter::origin_fetches), 0U);
    EXPECT_EQ(house.metrics.sum_origin_calls(0), 0U);
    EXPECT_EQ(house.metrics.sum(base::Counter::origin_errors), 0U);
    EXPECT_EQ(house.metrics.sum(base::Counter::forwarded), 0U);
    EXPECT_EQ(house.metrics.sum(Detail::budget_spent), 2U);
    origin_says(says_cache_control("max-age=10"));
    house.get("GET /a");
    EXPECT_EQ(house.metrics.sum_origin_calls(0), 1U);
}

TEST_F(NotAsked, ARefreshBehindThatIsNotMadeIsTriedAgain) {
    origin_says(says_cache_control("max-age=10, stale-while-revalidate=600"));
    house.get("GET /a");
    house.skip(20s);
    origin_says(spent());
    EXPECT_EQ(house.get("GET /a").verdict.detail, Detail::stale_while_revalidate);
    house.pass(1ms);
    origin_says(says_cache_control("max-age=100", "newer"));
    EXPECT_EQ(house.get("GET /a").body, "hello");
    house.pass(1ms);
    EXPECT_EQ(house.get("GET /a").body, "newer");
}

TEST_F(NotAsked, WhoWaitedWithTheOneThatWasRefusedIsToldTheSame) {
    Say busy = spent();
    busy.after = 5ms;
    origin_says(busy);
    const auto first = house.ask("GET /a");
    const auto second = house.ask("GET /a");
    house.pass(10ms);
    EXPECT_EQ(calls(), 1U);
    for (const auto& reply : {first, second}) EXPECT_EQ((*reply)["cache-status"], "etage; detail=budget-spent");
}

}  // namespace
}  // namespace etage::flow::testing
