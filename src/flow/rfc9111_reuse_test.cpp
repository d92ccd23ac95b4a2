// RFC 9111 §4 to §4.2.4: what may answer a request, and for how long.

#include "flow/rfc_fixture.hpp"

namespace etage::flow::testing {
namespace {

class Rfc9111Reuse : public RfcTest {
protected:
    /// For how many seconds after it arrived the answer is given without the origin, up to `most`.
    int fresh_for(const Say& say, int most = 200) {
        house.store.clear();
        origin_says(say);
        house.get("GET /a");
        int seconds = 0;
        while (seconds < most && is_answered_here()) {
            house.skip(1s);
            ++seconds;
        }
        return seconds;
    }
};

// ---- §4

TEST_F(Rfc9111Reuse, Section4_HeadIsAnsweredFromWhatGetBrought) {
    origin_says(says_cache_control("max-age=60"));
    house.get("GET /a");
    house.skip(5s);
    const Reply head = house.get("HEAD /a");
    EXPECT_TRUE(head.verdict.hit);
    EXPECT_EQ(head["age"], "5");
    EXPECT_EQ(head["content-length"], "5");
    EXPECT_EQ(head.body, "");
}

TEST_F(Rfc9111Reuse, Section4_CollapsedRequestsThatTheResponseDoesNotSuitGoOn) {
    house.origin.script = [](const Seen& seen) {
        Say say = says({{"Cache-Control", "max-age=60"}, {"Vary", "X-Who"}}, field_of(seen, "x-who"));
        say.after = 5ms;
        return say;
    };
    const auto one = house.ask("GET /a", {"X-Who: one"});
    const auto two = house.ask("GET /a", {"X-Who: two"});
    const auto also_one = house.ask("GET /a", {"X-Who: one"});
    house.pass(30ms);
    EXPECT_EQ(one->body, "one");
    EXPECT_EQ(two->body, "two");
    EXPECT_EQ(also_one->body, "one");
    EXPECT_EQ(calls(), 2U);
}

TEST_F(Rfc9111Reuse, Section4_ARefreshBehindTheAnswerIsUsedByTheNextOne) {
    house.origin.script = [this](const Seen&) {
        return says_cache_control("max-age=1, stale-while-revalidate=60", std::to_string(calls()));
    };
    house.get("GET /a");
    house.skip(2s);
    EXPECT_EQ(house.get("GET /a").body, "1");
    house.pass(1ms);
    EXPECT_EQ(house.get("GET /a").body, "2");
    EXPECT_EQ(calls(), 2U);
}

// ---- §4.1

TEST_F(Rfc9111Reuse, Section4_1_EveryNominatedFieldMustMatch) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}, {"Vary", "x-b"}}));
    house.get("GET /a", {"X-A: 1", "X-B: 2"});
    EXPECT_TRUE(is_answered_here("GET /a", {"X-B: 2", "X-A: 1", "X-C: 3"}));
    EXPECT_TRUE(is_answered_here("GET /a", {"x-a:   1  ", "X-b: 2"}));
    for (const std::vector<std::string>& other :
         {std::vector<std::string>{"X-A: 1"}, {"X-B: 2"}, {}, {"X-A: 2", "X-B: 1"}, {"X-A: 1", "X-B:"}}) {
        EXPECT_FALSE(is_answered_here("GET /a", other));
    }
}

TEST_F(Rfc9111Reuse, Section4_1_AStarNeverMatches) {
    EXPECT_FALSE(is_kept(says({{"Cache-Control", "max-age=60"}, {"Vary", "X-A, *"}})));
    EXPECT_EQ(house.store.usage().entries, 0U);
}

TEST_F(Rfc9111Reuse, Section4_1_LinesOfOneFieldAreOneList) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}}));
    house.get("GET /a", {"Accept: text/html", "Accept: text/plain"});
    EXPECT_TRUE(is_answered_here("GET /a", {"Accept: text/html, text/plain"}));
    EXPECT_TRUE(is_answered_here("GET /a", {"Accept: text/html  ,text/plain"}));
    EXPECT_FALSE(is_answered_here("GET /a", {"Accept: text/html"}));
}

TEST_F(Rfc9111Reuse, Section4_1_WithoutAMatchTheRequestGoesOnAndBothAreKept) {
    house.origin.script = [](const Seen& seen) {
        return says({{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}, {"ETag", "\"1\""}}, field_of(seen, "x-a"));
    };
    house.get("GET /a", {"X-A: 1"});
    const Reply other = house.get("GET /a", {"X-A: 2"});
    EXPECT_EQ(other["cache-status"], "etage; fwd=vary-miss; fwd-status=200; stored; ttl=60");
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "") << "another variant's tag is no validator of this one";
    EXPECT_EQ(house.get("GET /a", {"X-A: 1"}).body, "1");
    EXPECT_EQ(house.get("GET /a", {"X-A: 2"}).body, "2");
    EXPECT_EQ(calls(), 2U);
}

// ---- §4.2, §4.2.1

TEST_F(Rfc9111Reuse, Section4_2_FreshWhileTheLifetimeIsGreaterThanTheAge) {
    EXPECT_EQ(fresh_for(says_cache_control("max-age=10")), 10);
    EXPECT_EQ(fresh_for(says_cache_control("max-age=1")), 1);
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=0"}, {"ETag", "\"1\""}})), 0);
}

TEST_F(Rfc9111Reuse, Section4_2_1_TheFirstMatchOfSMaxageMaxAgeAndExpires) {
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=5, s-maxage=10"}, {"Expires", date(20s)}})), 10);
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=5"}, {"Expires", date(20s)}})), 5);
    EXPECT_EQ(fresh_for(says({{"Date", date()}, {"Expires", date(20s)}})), 20);
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "s-maxage=0, max-age=10"}, {"ETag", "\"1\""}})), 0);
}

TEST_F(Rfc9111Reuse, Section4_2_1_OfRepeatedOnesTheMostRestrictive) {
    EXPECT_EQ(fresh_for(says_cache_control("max-age=10, max-age=3")), 3);
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=3"}, {"Cache-Control", "max-age=10"}})), 3);
    EXPECT_EQ(fresh_for(says({{"Expires", date(5s)}, {"Expires", date(50s)}})), 5) << "of this field the first";
}

TEST_F(Rfc9111Reuse, Section4_2_1_InvalidFreshnessIsStale) {
    for (const char* value : {"max-age=abc", "max-age=-1", "max-age=1.5", "max-age=", "max-age", "max-age = 60"})
        EXPECT_EQ(fresh_for(says({{"Cache-Control", value}, {"ETag", "\"1\""}})), 0) << value;
}

// ---- §4.2.2

TEST_F(Rfc9111Reuse, Section4_2_2_ATenthOfItsAgeWhenNothingIsSaid) {
    EXPECT_EQ(fresh_for(says({{"Date", date()}, {"Last-Modified", date(-100s)}})), 10);
    EXPECT_EQ(fresh_for(says({{"Date", date()}, {"Last-Modified", date(100s)}})), 0) << "from the future";
}

TEST_F(Rfc9111Reuse, Section4_2_2_NoHeuristicBesideExplicitFreshness) {
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=0"}, {"Last-Modified", date(-24h)}})), 0);
    EXPECT_EQ(fresh_for(says({{"Expires", "0"}, {"Last-Modified", date(-24h)}})), 0);
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "no-cache"}, {"Last-Modified", date(-24h)}})), 0);
}

TEST_F(Rfc9111Reuse, Section4_2_2_OnlyForStatusesThatAllowIt) {
    const auto guess = [this](int status, std::string cache_control = "x") {
        return fresh_for(with_status(status, {{"Cache-Control", cache_control}, {"Last-Modified", date(-50s)}}, "x"));
    };
    for (const int status : {200, 203, 300, 301, 308, 404, 410, 501}) EXPECT_EQ(guess(status), 5) << status;
    for (const int status : {201, 202, 302, 303, 307, 400, 403, 500, 503}) EXPECT_EQ(guess(status), 0) << status;
    EXPECT_EQ(guess(302, "public"), 5);
}

// ---- §4.2.3

TEST_F(Rfc9111Reuse, Section4_2_3_TheAgeOfOtherCachesCounts) {
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=20"}, {"Age", "15"}})), 5);
    origin_says(says({{"Cache-Control", "max-age=20"}, {"Age", "15"}}));
    house.store.clear();
    house.get("GET /a");
    house.skip(2s);
    EXPECT_EQ(house.get("GET /a")["age"], "17");
}

TEST_F(Rfc9111Reuse, Section4_2_3_AnOldDateIsAnAge) {
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=20"}, {"Date", date(-15s)}})), 5);
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=20"}, {"Date", date(-5s)}, {"Age", "15"}})), 5);
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=20"}, {"Date", date(500s)}})), 20) << "no negative age";
}

TEST_F(Rfc9111Reuse, Section4_2_3_TheTimeItTookIsAnAge) {
    Say slow = says({{"Cache-Control", "max-age=20"}, {"Age", "3"}});
    slow.after = 2s;
    origin_says(slow);
    EXPECT_EQ(house.get("GET /a")["age"], "5");
    house.skip(1s);
    EXPECT_EQ(house.get("GET /a")["age"], "6");
}

TEST_F(Rfc9111Reuse, Section4_2_3_AHugeAgeIsStaleAndOverflowsNothing) {
    EXPECT_EQ(fresh_for(says({{"Cache-Control", "max-age=20"}, {"Age", "99999999999999999999"}})), 0);
}

// ---- §4.2.4

TEST_F(Rfc9111Reuse, Section4_2_4_NothingStaleWithoutPermission) {
    house.origin.script = [this](const Seen&) { return says_cache_control("max-age=1", std::to_string(calls())); };
    house.get("GET /a");
    house.skip(1s);
    EXPECT_EQ(house.get("GET /a").body, "2");
    origin_says(with_status(503, {}, "broken"));
    house.skip(1s);
    EXPECT_EQ(house.get("GET /a").status, 503) << "an error is an answer: nobody is disconnected";
}

TEST_F(Rfc9111Reuse, Section4_2_4_StaleWhenDisconnected) {
    origin_says(says_cache_control("max-age=1"));
    house.get("GET /a");
    house.skip(10s);
    origin_says(no_answer());
    const Reply stale = house.get("GET /a");
    EXPECT_EQ(stale.status, 200);
    EXPECT_EQ(stale["age"], "10");
    EXPECT_EQ(stale["cache-status"], "etage; fwd=stale; ttl=-9; detail=stale-if-error");
}

TEST_F(Rfc9111Reuse, Section4_2_4_NeverStaleAgainstAnExplicitProhibition) {
    for (const char* prohibiting : {"max-age=1, must-revalidate", "max-age=1, proxy-revalidate", "s-maxage=1",
                                    "max-age=1, no-cache", "max-age=1, must-revalidate, stale-if-error=60"}) {
        house.store.clear();
        origin_says(says({{"Cache-Control", prohibiting}, {"ETag", "\"1\""}}));
        house.get("GET /a");
        house.skip(2s);
        origin_says(no_answer(Fault::origin_timeout));
        EXPECT_EQ(house.get("GET /a").status, 504) << prohibiting;
        EXPECT_EQ(house.get("GET /a", {"Cache-Control: max-stale"}).status, 504) << prohibiting;
    }
}

}  // namespace
}  // namespace etage::flow::testing
