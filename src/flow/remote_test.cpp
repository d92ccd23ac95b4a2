// Step 6: the shared tier (DESIGN §2, §4 and §8).

#include "coherence/tag.hpp"
#include "flow/remote_fixture.hpp"

#include <array>

namespace etage::flow::testing {
namespace {

/// A house beside another one that has the same routes and has fetched "/a" already: its entry is in the shared tier.
struct Beside {
    explicit Beside(const std::string& cache_control = "max-age=60",
                    std::vector<std::pair<std::string, std::string>> more = {}) {
        say.fields = std::move(more);
        say.fields.emplace_back("Cache-Control", cache_control);
        house.origin.script = [this](const Seen&) { return say; };
    }

    /// What the other one put there; then this one's memory is empty.
    void another_fetches(const std::string& line = "GET /a", std::vector<std::string> fields = {}) {
        house.get(line, std::move(fields));
        house.store.clear();
        house.origin.seen.clear();
    }
    void mark(std::string_view surrogate, coherence::Softness softness = coherence::Softness::hard) {
        const TagHash tag = coherence::tag_hash(coherence::TagKind::surrogate, surrogate);
        house.engine.invalidate({std::array{tag}, softness});
    }
    std::size_t asked() const { return house.origin.seen.size(); }

    PlayedRemote remote;
    Say say;
    TestHouse house{{}, false, &remote};
};

TEST(Remote, WhatAnInstanceFetchedClimbsIntoTheMemoryOfAnother) {
    Beside b;
    b.another_fetches();
    EXPECT_EQ(b.remote.puts, 1U);
    b.house.pass(10s);
    const Reply first = b.house.get("GET /a");
    EXPECT_EQ(first["cache-status"], "etage; hit; ttl=50; detail=redis");
    EXPECT_EQ(first["age"], "10");
    EXPECT_EQ(first.body, "hello");
    EXPECT_EQ(b.house.get("GET /a")["cache-status"], "etage; hit; ttl=50") << "from memory now";
    EXPECT_EQ(b.asked(), 0U);
    EXPECT_EQ(b.remote.puts, 1U) << "what came from there is not written there again";
}

TEST(Remote, AThousandMissesAreOneLook) {
    Beside b;
    b.another_fetches();
    const std::size_t before = b.remote.finds;
    std::vector<std::shared_ptr<Reply>> replies;
    for (int i = 0; i < 1000; ++i) replies.push_back(b.house.ask("GET /a"));
    b.house.pass(5ms);
    for (const auto& reply : replies) ASSERT_EQ(reply->body, "hello");
    EXPECT_EQ(b.remote.finds, before + 1);
    EXPECT_EQ(b.asked(), 0U);
}

TEST(Remote, AnInvalidationReachesWhatLiesThere) {
    Beside b("max-age=60", {{"Cache-Tag", "posts"}});
    b.another_fetches();
    b.mark("posts");
    const Reply reply = b.house.get("GET /a");
    EXPECT_TRUE(reply["cache-status"].starts_with("etage; fwd=uri-miss; fwd-status=200; stored"))
        << reply["cache-status"];
    EXPECT_EQ(b.asked(), 1U);
    EXPECT_EQ(b.remote.puts, 2U) << "and the new one takes its place";
}

TEST(Remote, WhatIsOlderThanAGapIsNotTaken) {
    Beside b;
    b.another_fetches();
    b.house.engine.raise_floor(b.house.engine.fence() + 100);
    b.house.get("GET /a");
    EXPECT_EQ(b.asked(), 1U);
}

TEST(Remote, TheFenceOfWhatIsFoundIsItsOwn) {
    Beside b("max-age=60", {{"Cache-Tag", "posts"}});
    b.another_fetches();
    b.mark("something else");  // the fence moves on; what lies there does not
    b.house.get("GET /a");
    b.house.store.for_each([&](const store::Entry& entry) { EXPECT_LT(entry.parts().fence, b.house.engine.fence()); });
}

TEST(Remote, WhatIsStaleThereIsAskedAboutAndFallenBackOn) {
    Beside b("max-age=5, stale-if-error=600", {{"ETag", "\"one\""}});
    b.another_fetches();
    b.house.pass(10s);
    b.say.status = 304;
    const Reply confirmed = b.house.get("GET /a");
    ASSERT_EQ(b.asked(), 1U);
    EXPECT_EQ(*http::find(b.house.origin.seen[0].fields, "if-none-match"), "\"one\"");
    EXPECT_EQ(confirmed.status, 200);
    EXPECT_EQ(confirmed.body, "hello");

    b.house.store.clear();
    b.house.pass(10s);
    b.say.fault = Fault::origin_unreachable;
    const Reply fallen = b.house.get("GET /a");
    EXPECT_EQ(fallen.status, 200);
    EXPECT_TRUE(fallen["cache-status"].ends_with("detail=stale-if-error")) << fallen["cache-status"];
}

TEST(Remote, ARequestThatWantsItFreshGoesToTheOriginAndSharesWhatItGot) {
    Beside b;
    b.another_fetches();
    b.house.get("GET /a");
    b.house.get("GET /a", {"Cache-Control: no-cache"});
    EXPECT_EQ(b.asked(), 1U);
    EXPECT_EQ(b.remote.puts, 2U);
}

TEST(Remote, WhatWasNotMarkedAsSharedIsNotForWhoHasCredentials) {
    Beside b;
    b.another_fetches();
    b.house.get("GET /a", {"Authorization: Basic eDp5"});
    EXPECT_EQ(b.asked(), 1U);
}

/// Another instance has claimed "/a", for a fill with this fence.
void claimed_elsewhere(Beside& b, Sequence fence) {
    b.house.get("GET /a");
    b.remote.claims[b.remote.last_name] = fence;
    b.remote.entries.clear();
    b.house.store.clear();
    b.house.origin.seen.clear();
}

TEST(Remote, WhileAnotherInstanceAsksThisOneWaitsAndTakesWhatItGot) {
    Beside b;
    b.house.get("GET /a");
    const auto fetched = b.remote.entries;
    claimed_elsewhere(b, b.house.engine.fence());
    const auto reply = b.house.ask("GET /a");
    b.house.pass(200ms);
    EXPECT_FALSE(reply->done);
    b.remote.entries = fetched;
    b.remote.claims.clear();
    b.house.pass(60ms);
    EXPECT_EQ((*reply)["cache-status"], "etage; hit; ttl=60; detail=redis");
    EXPECT_EQ(b.asked(), 0U);
}

TEST(Remote, AClaimThatLapsesIsTakenOver) {
    Beside b;
    claimed_elsewhere(b, b.house.engine.fence());
    const auto reply = b.house.ask("GET /a");
    b.house.pass(100ms);
    b.remote.claims.clear();
    b.house.pass(60ms);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(b.asked(), 1U);
    EXPECT_TRUE(b.remote.claims.empty()) << "given back";
}

TEST(Remote, NobodyWaitsForAFillThatBeganBeforeAnInvalidation) {
    Beside b;
    claimed_elsewhere(b, b.house.engine.fence());
    b.house.engine.invalidate({std::array{coherence::tag_hash(coherence::TagKind::everything, "")}});
    EXPECT_EQ(b.house.get("GET /a").status, 200);
    EXPECT_EQ(b.asked(), 1U);
}

TEST(Remote, NorForOneThatWasAbandoned) {
    Beside b;
    claimed_elsewhere(b, b.house.engine.fence());
    b.remote.abandoned = true;
    EXPECT_EQ(b.house.get("GET /a").status, 200);
    EXPECT_EQ(b.asked(), 1U);
}

TEST(Remote, NorForever) {
    Beside b;
    claimed_elsewhere(b, b.house.engine.fence());
    const auto reply = b.house.ask("GET /a");
    b.house.pass(WalkLimits{}.claim_wait_max + 100ms);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(b.asked(), 1U);
}

TEST(Remote, WhatIsForOneClientOnlyAbandonsItsClaim) {
    Beside b("private");
    b.house.get("GET /a");
    EXPECT_TRUE(b.remote.abandoned);
    EXPECT_EQ(b.remote.puts, 0U);
}

// ---- failures

TEST(Remote, ATimeoutIsNoMissNothingIsWrittenForThatFill) {
    Beside b;
    b.remote.is_gone = true;
    EXPECT_EQ(b.house.get("GET /a").status, 200);
    b.remote.is_gone = false;
    EXPECT_EQ(b.remote.puts, 0U);
    EXPECT_TRUE(b.house.get("GET /a").verdict.hit) << "memory goes on";
    b.remote.claims_fail = true;
    EXPECT_EQ(b.house.get("GET /b").status, 200);
    EXPECT_EQ(b.remote.puts, 0U);
}

TEST(Remote, WhileItIsAwayTheOriginIsAskedByFewAtOnce) {
    Beside b;
    b.remote.is_gone = true;
    b.say.after = 100ms;
    std::vector<std::shared_ptr<Reply>> replies;
    for (int i = 0; i < 300; ++i) replies.push_back(b.house.ask("GET /" + std::to_string(i)));
    b.house.pass(2s);
    for (const auto& reply : replies) ASSERT_EQ(reply->status, 200);
    EXPECT_LE(b.house.origin.most_under_way, WalkLimits{}.outage_fills_max);
}

TEST(Remote, AndWhoHasSomethingStaleDoesNotWait) {
    Beside b("max-age=5, stale-if-error=600");
    b.house.get("GET /a");
    b.house.pass(10s);
    b.remote.is_gone = true;
    b.say.after = 1s;
    std::vector<std::shared_ptr<Reply>> busy;
    for (std::size_t i = 0; i < WalkLimits{}.outage_fills_max; ++i)
        busy.push_back(b.house.ask("GET /" + std::to_string(i)));
    const auto stale = b.house.ask("GET /a");
    b.house.pass(5ms);
    EXPECT_EQ(stale->status, 200);
    EXPECT_TRUE((*stale)["cache-status"].ends_with("detail=stale-if-error")) << (*stale)["cache-status"];
    b.house.pass(1s);
}

// ---- rule 8: how well the log is heard

TEST(Blindness, DimAnswersSayIt) {
    Beside b;
    b.house.get("GET /a");
    b.house.engine.sees_until(b.house.clock.now().mono - 1s, b.house.clock.now().mono + 5s);
    EXPECT_EQ(b.house.get("GET /a")["cache-status"], "etage; hit; ttl=60; detail=blind");
    EXPECT_EQ(b.asked(), 1U);
}

TEST(Blindness, BlindOnlyWhatTheOriginConfirmsIsServed) {
    Beside b("max-age=60", {{"ETag", "\"one\""}});
    b.house.get("GET /a");
    b.house.engine.sees_until(b.house.clock.now().mono - 1s, b.house.clock.now().mono - 1s);
    b.say.status = 304;
    const Reply reply = b.house.get("GET /a");
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(reply["cache-status"], "etage; fwd=stale; fwd-status=304; stored; ttl=60; detail=blind");
    EXPECT_EQ(b.remote.finds, 1U) << "what lies in the shared tier cannot be judged either";
    b.say.fault = Fault::origin_unreachable;
    EXPECT_EQ(b.house.get("GET /a").status, 502) << "and is no fallback";
}

TEST(Blindness, BlindNobodyJoinsAFlightThatBeganBefore) {
    Beside b;
    b.say.after = 50ms;
    const auto first = b.house.ask("GET /a");
    b.house.engine.sees_until(b.house.clock.now().mono - 1s, b.house.clock.now().mono - 1s);
    const auto second = b.house.ask("GET /a");
    b.house.pass(200ms);
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(second->status, 200);
    EXPECT_EQ(b.asked(), 2U);
}

TEST(Blindness, AfterAGapMemoryIsConfirmedNotLost) {
    Beside b("max-age=60", {{"ETag", "\"one\""}});
    b.house.get("GET /a");
    b.remote.entries.clear();
    b.house.engine.raise_floor(b.house.engine.fence() + 100);
    b.say.status = 304;
    EXPECT_EQ(b.house.get("GET /a")["cache-status"],
              "etage; fwd=stale; fwd-status=304; stored; ttl=60; detail=unconfirmed");
    EXPECT_TRUE(b.house.get("GET /a").verdict.hit) << "with the fence of the confirmation";
}

}  // namespace
}  // namespace etage::flow::testing
