// RFC 9111 §5: the fields of caching, directive by directive.

#include "flow/rfc_fixture.hpp"

namespace etage::flow::testing {
namespace {

class Rfc9111Fields : public RfcTest {
protected:
    /// Stores /a under this Cache-Control, lets time pass, and says whether a request with these directives is answered
    /// without the origin.
    bool reuses(const std::string& stored, std::chrono::seconds after, const std::string& asked = "") {
        house.store.clear();
        origin_says(says({{"Cache-Control", stored}, {"ETag", "\"1\""}}));
        house.get("GET /a");
        house.skip(after);
        return is_answered_here(
            "GET /a", asked.empty() ? std::vector<std::string>{} : std::vector<std::string>{"Cache-Control: " + asked});
    }
};

// ---- §5.1, §5.2

TEST_F(Rfc9111Fields, Section5_1_AgeIsOneNumberOfSecondsFromNow) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Age", "7, 9"}, {"Age", "100"}}));
    house.get("GET /a");
    house.skip(2s);
    EXPECT_EQ(house.get("GET /a")["age"], "9") << "the first of them, and the time since";
}

TEST_F(Rfc9111Fields, Section5_1_AnAgeThatIsNoneIsIgnored) {
    for (const char* age : {"-5", "abc", "1.5", "", "7 8"}) {
        house.store.clear();
        origin_says(says({{"Cache-Control", "max-age=60"}, {"Age", age}}));
        house.get("GET /a");
        EXPECT_EQ(house.get("GET /a")["age"], "0") << age;
    }
}

TEST_F(Rfc9111Fields, Section5_2_NamesHaveNoCaseAndArgumentsTwoForms) {
    EXPECT_TRUE(reuses("MAX-AGE=60", 5s));
    EXPECT_TRUE(reuses("max-age=\"60\"", 5s));
    EXPECT_FALSE(reuses("max-age=60, No-Store", 0s));
    EXPECT_FALSE(reuses("max-age=60", 5s, "MAX-AGE=\"3\""));
}

TEST_F(Rfc9111Fields, Section5_2_DirectivesArePassedOnInBothDirections) {
    origin_says(says_cache_control("max-age=60, private=\"x-p\", ext=\"a, b\", immutable"));
    const Reply reply = house.get("GET /a", {"Cache-Control: max-stale=5, ext=1"});
    EXPECT_EQ(reply["cache-control"], "max-age=60, private=\"x-p\", ext=\"a, b\", immutable");
    EXPECT_EQ(field_of(last_seen(), "cache-control"), "max-stale=5, ext=1");
}

// ---- §5.2.1: what a request asks for

TEST_F(Rfc9111Fields, Section5_2_1_1_MaxAge) {
    EXPECT_TRUE(reuses("max-age=60", 5s, "max-age=5"));
    EXPECT_FALSE(reuses("max-age=60", 6s, "max-age=5"));
    EXPECT_FALSE(reuses("max-age=5, stale-while-revalidate=60", 6s, "max-age=100"))
        << "nothing stale, unless max-stale";
    EXPECT_TRUE(reuses("max-age=5", 6s, "max-age=100, max-stale"));
    EXPECT_FALSE(reuses("max-age=60", 0s, "max-age=0"));
}

TEST_F(Rfc9111Fields, Section5_2_1_2_MaxStale) {
    EXPECT_TRUE(reuses("max-age=5", 10s, "max-stale=5"));
    EXPECT_FALSE(reuses("max-age=5", 11s, "max-stale=5"));
    EXPECT_TRUE(reuses("max-age=5", 100'000s, "max-stale"));
    EXPECT_FALSE(reuses("max-age=5", 6s, "max-stale=x"));
    EXPECT_FALSE(reuses("max-age=5, must-revalidate", 6s, "max-stale"));
}

TEST_F(Rfc9111Fields, Section5_2_1_3_MinFresh) {
    EXPECT_TRUE(reuses("max-age=60", 50s, "min-fresh=10"));
    EXPECT_FALSE(reuses("max-age=60", 51s, "min-fresh=10"));
    EXPECT_FALSE(reuses("max-age=60, stale-while-revalidate=60", 65s, "min-fresh=1"));
}

TEST_F(Rfc9111Fields, Section5_2_1_4_NoCache) {
    EXPECT_FALSE(reuses("max-age=60", 0s, "no-cache"));
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "\"1\"") << "validated, not thrown away";
    EXPECT_EQ(field_of(last_seen(), "cache-control"), "no-cache") << "for the caches behind";
    origin_says(no_answer());
    EXPECT_EQ(house.get("GET /a", {"Cache-Control: no-cache"}).status, 502) << "no validation, no answer";
}

TEST_F(Rfc9111Fields, Section5_2_1_5_NoStore) {
    origin_says(says_cache_control("max-age=60"));
    house.get("GET /a", {"Cache-Control: no-store"});
    EXPECT_EQ(house.store.usage().entries, 0U);
    EXPECT_FALSE(is_answered_here());
    EXPECT_TRUE(is_answered_here());
}

TEST_F(Rfc9111Fields, Section5_2_1_6_NoTransform) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Content-Type", "text/plain"}}, std::string(2000, 'x')));
    house.get("GET /a", {"Accept-Encoding: gzip"});
    EXPECT_EQ(house.get("GET /a", {"Accept-Encoding: gzip"})["content-encoding"], "gzip");
    const Reply whole = house.get("GET /a", {"Accept-Encoding: gzip", "Cache-Control: no-transform"});
    EXPECT_EQ(whole["content-encoding"], "") << "as the origin sent it";
    EXPECT_EQ(whole.body.size(), 2000U);
    EXPECT_TRUE(whole.verdict.hit);
    house.store.clear();
    EXPECT_EQ(house.get("GET /a", {"Accept-Encoding: gzip", "Cache-Control: no-transform"})["content-encoding"], "");
}

TEST_F(Rfc9111Fields, Section5_2_1_7_OnlyIfCached) {
    EXPECT_TRUE(reuses("max-age=60", 5s, "only-if-cached"));
    EXPECT_FALSE(reuses("max-age=60", 61s, "only-if-cached"));
    EXPECT_TRUE(reuses("max-age=60", 61s, "only-if-cached, max-stale"));
    const std::size_t before = calls();
    for (const char* line : {"GET /none", "HEAD /none"}) {
        const Reply reply = house.get(line, {"Cache-Control: only-if-cached"});
        EXPECT_EQ(reply.status, 504);
        EXPECT_EQ(reply["cache-status"], "etage; detail=only-if-cached");
    }
    EXPECT_EQ(calls(), before);
}

TEST_F(Rfc9111Fields, Section5_2_1_7_OnlyIfCachedHoldsForWhatIsNeverStoredToo) {
    origin_says(says_cache_control("private"));
    house.get("GET /a");
    EXPECT_EQ(house.get("GET /a", {"Cache-Control: only-if-cached"}).status, 504) << "remembered as not shareable";
    origin_says(says_cache_control("max-age=60"));
    house.get("GET /b");
    EXPECT_EQ(house.get("GET /b", {"Authorization: Basic eDp5", "Cache-Control: only-if-cached"}).status, 504);
    EXPECT_EQ(house.get("GET /b", {"Etage-Min-Seq: 99999999", "Cache-Control: only-if-cached"}).status, 504);
    EXPECT_EQ(calls(), 2U);
}

// ---- §5.2.2: what a response allows

TEST_F(Rfc9111Fields, Section5_2_2_1_MaxAge) {
    EXPECT_TRUE(reuses("max-age=5", 4s));
    EXPECT_FALSE(reuses("max-age=5", 5s));
}

TEST_F(Rfc9111Fields, Section5_2_2_2_MustRevalidateHoldsOnlyOnceItIsStale) {
    EXPECT_TRUE(reuses("max-age=5, must-revalidate", 4s));
    EXPECT_FALSE(reuses("max-age=5, must-revalidate, stale-while-revalidate=60", 6s));
}

TEST_F(Rfc9111Fields, Section5_2_2_3_MustUnderstand) {
    const Say understood = with_status(200, {{"Cache-Control", "max-age=60, must-understand, no-store"}}, "x");
    Say unknown = understood;
    unknown.status = 299;
    EXPECT_TRUE(is_kept(understood, "/200")) << "no-store is for those who do not understand";
    EXPECT_FALSE(is_kept(unknown, "/299"));
}

TEST_F(Rfc9111Fields, Section5_2_2_4_NoCache) {
    EXPECT_FALSE(reuses("max-age=60, no-cache", 0s));
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "\"1\"") << "it was stored";
    EXPECT_FALSE(reuses("max-age=60, no-cache", 0s, "max-stale"));
}

TEST_F(Rfc9111Fields, Section5_2_2_4_NoCacheWithNames) {
    origin_says(says({{"Cache-Control", "max-age=60, no-cache=\"x-mine, x-other\""}, {"X-Mine", "1"}, {"X-A", "1"}}));
    EXPECT_EQ(house.get("GET /a")["x-mine"], "1");
    const Reply hit = house.get("GET /a");
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["x-mine"], "") << "not without validation";
    EXPECT_EQ(hit["x-a"], "1");
}

TEST_F(Rfc9111Fields, Section5_2_2_5_NoStore) {
    EXPECT_FALSE(reuses("max-age=60, no-store", 0s));
    EXPECT_EQ(house.store.usage().entries, 0U);
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "");
}

TEST_F(Rfc9111Fields, Section5_2_2_6_NoTransform) {
    origin_says(
        says({{"Cache-Control", "max-age=60, no-transform"}, {"Content-Type", "text/plain"}}, std::string(2000, 'x')));
    house.get("GET /a", {"Accept-Encoding: gzip"});
    const Reply hit = house.get("GET /a", {"Accept-Encoding: gzip"});
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["content-encoding"], "");
    EXPECT_EQ(hit["vary"], "");
}

TEST_F(Rfc9111Fields, Section5_2_2_7_Private) {
    EXPECT_FALSE(reuses("max-age=60, private", 0s));
    EXPECT_FALSE(reuses("max-age=60, s-maxage=60, public, private", 0s));
    origin_says(says({{"Cache-Control", "max-age=60, private=\"X-User\""}, {"X-User", "me"}}));
    EXPECT_EQ(house.get("GET /b")["x-user"], "me");
    EXPECT_EQ(house.get("GET /b")["x-user"], "");
    EXPECT_TRUE(is_answered_here("GET /b"));
}

TEST_F(Rfc9111Fields, Section5_2_2_8_ProxyRevalidate) {
    EXPECT_TRUE(reuses("max-age=5, proxy-revalidate", 4s));
    EXPECT_FALSE(reuses("max-age=5, proxy-revalidate, stale-while-revalidate=60", 6s));
    EXPECT_FALSE(reuses("max-age=5, proxy-revalidate", 6s, "max-stale"));
}

TEST_F(Rfc9111Fields, Section5_2_2_9_PublicIsNoFreshness) {
    EXPECT_FALSE(reuses("public", 0s));
    origin_says(with_status(302, {{"Cache-Control", "public"}, {"Last-Modified", date(-100s)}}));
    house.get("GET /b");
    EXPECT_TRUE(is_answered_here("GET /b")) << "but a heuristic one is allowed";
}

TEST_F(Rfc9111Fields, Section5_2_2_10_SMaxage) {
    EXPECT_TRUE(reuses("max-age=1, s-maxage=5", 4s));
    EXPECT_FALSE(reuses("max-age=60, s-maxage=5", 5s));
    EXPECT_FALSE(reuses("s-maxage=5, stale-while-revalidate=60", 6s)) << "proxy-revalidate is part of it";
}

TEST_F(Rfc9111Fields, Section5_2_3_UnknownDirectivesMeanNothing) {
    EXPECT_TRUE(reuses("max-age=60, no-stores, xprivate, x=\"no-store, private\"", 5s));
    EXPECT_TRUE(reuses("max-age=60", 5s, "no-caches, only-if-cachedx, community=\"no-cache\""));
}

// ---- §5.3, §5.4, §5.5

TEST_F(Rfc9111Fields, Section5_3_AnInvalidExpiresIsInThePast) {
    for (const std::string& expires : {std::string("0"), std::string("-1"), std::string("tomorrow"), date(-1s)}) {
        house.store.clear();
        EXPECT_FALSE(is_kept(says({{"Expires", expires}, {"ETag", "\"1\""}}))) << expires;
        EXPECT_EQ(field_of(last_seen(), "if-none-match"), "\"1\"") << "stored, and stale";
    }
}

TEST_F(Rfc9111Fields, Section5_3_MaxAgeAndSMaxageOverrideExpires) {
    EXPECT_TRUE(is_kept(says({{"Expires", "0"}, {"Cache-Control", "max-age=60"}}), "/max-age"));
    EXPECT_TRUE(is_kept(says({{"Expires", "0"}, {"Cache-Control", "s-maxage=60"}}), "/s-maxage"));
    EXPECT_FALSE(is_kept(says({{"Expires", date(60s)}, {"Cache-Control", "max-age=0"}}), "/zero"));
}

TEST_F(Rfc9111Fields, Section5_4_PragmaCountsOnlyWithoutCacheControlAndOnlyInRequests) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Pragma", "no-cache"}}));
    house.get("GET /a");
    EXPECT_TRUE(is_answered_here());
    EXPECT_FALSE(is_answered_here("GET /a", {"Pragma: no-cache"}));
    EXPECT_TRUE(is_answered_here("GET /a", {"Pragma: no-cache", "Cache-Control: max-age=60"}));
}

TEST_F(Rfc9111Fields, Section5_5_AWarningChangesNothing) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Warning", "110 x \"Response is stale\""}}));
    house.get("GET /a");
    EXPECT_TRUE(is_answered_here());
}

}  // namespace
}  // namespace etage::flow::testing
