// What other RFCs ask of a cache: RFC 5861 (stale), 8246 (immutable), 9110 (semantics), 9213 (targeted fields).

#include "flow/rfc_fixture.hpp"

namespace etage::flow::testing {
namespace {

class Rfc5861Stale : public RfcTest {};
class Rfc8246Immutable : public RfcTest {};
class Rfc9110Caching : public RfcTest {};
class Rfc9213Targeted : public RfcTest {};

// ---- RFC 5861

TEST_F(Rfc5861Stale, Section3_WithinTheWindowTheAnswerIsStaleAndRefreshedOnce) {
    Say say = says_cache_control("max-age=5, stale-while-revalidate=10");
    origin_says(say);
    house.get("GET /a");
    house.skip(15s);
    say.after = 10ms;
    origin_says(say);
    for (int i = 0; i < 3; ++i) {
        const Reply stale = house.get("GET /a");
        EXPECT_EQ(stale["cache-status"], "etage; hit; ttl=-10; detail=stale-while-revalidate");
        EXPECT_EQ(stale["age"], "15");
    }
    EXPECT_EQ(calls(), 2U);
    house.pass(11ms);
    EXPECT_EQ(house.get("GET /a")["age"], "0");
}

TEST_F(Rfc5861Stale, Section3_BehindTheWindowItIsFetchedFirst) {
    origin_says(says_cache_control("max-age=5, stale-while-revalidate=10"));
    house.get("GET /a");
    house.skip(16s);
    EXPECT_EQ(house.get("GET /a")["cache-status"], "etage; fwd=stale; fwd-status=200; stored; ttl=5");
}

TEST_F(Rfc5861Stale, Section4_TheFourErrorsOfAnOriginAndItsSilence) {
    for (const Say& failing : {with_status(500), with_status(502), with_status(503), with_status(504), no_answer(),
                               no_answer(Fault::origin_timeout)}) {
        house.store.clear();
        origin_says(says_cache_control("max-age=5, stale-if-error=10"));
        house.get("GET /a");
        house.skip(15s);
        origin_says(failing);
        EXPECT_EQ(house.get("GET /a").status, 200) << failing.status;
    }
}

TEST_F(Rfc5861Stale, Section4_NoFallbackBehindTheWindowOrForOtherAnswers) {
    origin_says(says_cache_control("max-age=5, stale-if-error=10"));
    house.get("GET /a");
    house.skip(16s);
    origin_says(with_status(503));
    EXPECT_EQ(house.get("GET /a").status, 503);
    origin_says(with_status(404, {}, "none"));
    EXPECT_EQ(house.get("GET /a").status, 404);
}

TEST_F(Rfc5861Stale, Section4_ARequestMayAskForIt) {
    origin_says(says_cache_control("max-age=5"));
    house.get("GET /a");
    house.skip(15s);
    origin_says(with_status(503));
    EXPECT_EQ(house.get("GET /a", {"Cache-Control: stale-if-error=9"}).status, 503);
    EXPECT_EQ(house.get("GET /a", {"Cache-Control: stale-if-error=10"}).status, 200);
}

// ---- RFC 8246

TEST_F(Rfc8246Immutable, Section2_IsForClientsAndPassedOn) {
    origin_says(says({{"Cache-Control", "max-age=5, immutable"}, {"ETag", "\"1\""}}));
    house.get("GET /a");
    EXPECT_EQ(house.get("GET /a")["cache-control"], "max-age=5, immutable");
    house.skip(5s);
    EXPECT_FALSE(is_answered_here()) << "no longer than it is fresh";
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "\"1\"");
    EXPECT_FALSE(is_answered_here("GET /a", {"Cache-Control: no-cache"})) << "who insists is heard";
}

// ---- RFC 9110

TEST_F(Rfc9110Caching, Section8_8_2_LastModifiedIsAValidatorForWhoIsStale) {
    const std::string modified = date(-1h);
    house.origin.script = [&](const Seen& seen) {
        const bool same = field_of(seen, "if-modified-since") == modified;
        return with_status(same ? 304 : 200, {{"Cache-Control", "max-age=5"}, {"Last-Modified", modified}},
                           same ? "" : "hello");
    };
    house.get("GET /a");
    house.skip(6s);
    const Reply again = house.get("GET /a");
    EXPECT_EQ(again.verdict.forward_status, 304);
    EXPECT_EQ(again.body, "hello");
}

TEST_F(Rfc9110Caching, Section8_8_3_TheOriginsTagIsKeptAndWithoutOneAStrongOneMade) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"ETag", "W/\"a\""}}));
    EXPECT_EQ(house.get("GET /a")["etag"], "W/\"a\"");
    origin_says(says_cache_control("max-age=60", "one"));
    const std::string one = house.get("GET /b")["etag"];
    origin_says(says_cache_control("max-age=60", "two"));
    const std::string two = house.get("GET /c")["etag"];
    EXPECT_TRUE(one.starts_with('"')) << "a strong one";
    EXPECT_NE(one, two);
}

TEST_F(Rfc9110Caching, Section8_8_3_3_CodingsHaveTagsOfTheirOwn) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Content-Type", "text/plain"}}, std::string(2000, 'x')));
    const std::string identity = house.get("GET /a")["etag"];
    house.get("GET /a", {"Accept-Encoding: gzip"});
    const Reply gzip = house.get("GET /a", {"Accept-Encoding: gzip"});
    EXPECT_EQ(gzip["content-encoding"], "gzip");
    EXPECT_NE(gzip["etag"], identity);
    EXPECT_NE(gzip["vary"].find("Accept-Encoding"), std::string::npos);
}

TEST_F(Rfc9110Caching, Section9_3_OnlyGetHeadAndQueryFindWhatIsStored) {
    house.origin.script = [](const Seen& seen) { return says_cache_control("max-age=60", seen.method); };
    house.get("GET /a");
    for (const char* method : {"OPTIONS", "PROPFIND"}) {
        const Reply reply = house.get(method + std::string(" /a"));
        EXPECT_EQ(reply.body, method);
        EXPECT_EQ(reply.verdict.forward, Forward::method);
    }
}

TEST_F(Rfc9110Caching, Section9_3_1_AGetWithContentIsPassedOnAndNeitherFindsNorLeavesAnything) {
    origin_says(says_cache_control("max-age=60"));
    house.get("GET /a", {}, "content");
    EXPECT_EQ(house.store.usage().entries, 0U);
    house.get("GET /a");
    house.get("GET /a", {}, "content");
    EXPECT_EQ(last_seen().body, "content");
    EXPECT_EQ(calls(), 3U);
}

TEST_F(Rfc9110Caching, Section9_3_2_HeadAnswersTheFieldsOfGetWithoutContent) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"X-A", "1"}}));
    const Reply get = house.get("GET /a");
    const Reply head = house.get("HEAD /a");
    for (const char* name : {"etag", "content-length", "cache-control", "x-a", "date"})
        EXPECT_EQ(head[name], get[name]) << name;
    EXPECT_EQ(head.body, "");
}

TEST_F(Rfc9110Caching, Section13_1_1_IfMatchIsAnsweredWithATagOfOurs) {
    origin_says(says_cache_control("max-age=60"));
    const std::string etag = house.get("GET /a")["etag"];
    EXPECT_EQ(house.get("GET /a", {"If-Match: " + etag}).status, 200);
    EXPECT_EQ(house.get("GET /a", {"If-Match: \"other\""}).status, 412);
    EXPECT_EQ(calls(), 1U);
}

TEST_F(Rfc9110Caching, Section13_1_2_IfNoneMatchListsStarAndWeakComparison) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}));
    house.get("GET /a");
    for (const char* value : {"\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"})
        EXPECT_EQ(house.get("GET /a", {std::string("If-None-Match: ") + value}).status, 304) << value;
    for (const char* value : {"\"2\"", "1", "\"1", "W/1"})
        EXPECT_EQ(house.get("GET /a", {std::string("If-None-Match: ") + value}).status, 200) << value;
    EXPECT_EQ(house.get("HEAD /a", {"If-None-Match: \"1\""}).status, 304);
}

TEST_F(Rfc9110Caching, Section13_1_3_IfModifiedSinceGivesWayToIfNoneMatch) {
    const std::string modified = date(-1h);
    origin_says(says({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}, {"Last-Modified", modified}}));
    house.get("GET /a");
    EXPECT_EQ(house.get("GET /a", {"If-Modified-Since: " + modified}).status, 304);
    EXPECT_EQ(house.get("GET /a", {"If-Modified-Since: " + date(-2h)}).status, 200);
    EXPECT_EQ(house.get("GET /a", {"If-None-Match: \"2\"", "If-Modified-Since: " + modified}).status, 200);
}

TEST_F(Rfc9110Caching, Section14_2_ARangeOfWhatIsStored) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}, "0123456789"));
    house.get("GET /a");
    const Reply part = house.get("GET /a", {"Range: bytes=2-4"});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "234");
    EXPECT_EQ(part["content-range"], "bytes 2-4/10");
    EXPECT_EQ(part["etag"], "\"1\"");
    EXPECT_TRUE(part.verdict.hit);
    EXPECT_EQ(house.get("GET /a", {"Range: bytes=99-"}).status, 416);
    EXPECT_EQ(calls(), 1U);
}

TEST_F(Rfc9110Caching, Section15_1_WhatIsHeuristicallyCacheable) {
    for (const int status : {200, 203, 204, 300, 301, 308, 404, 410, 501})
        EXPECT_TRUE(is_kept(with_status(status, {{"Last-Modified", date(-100s)}}, status == 204 ? "" : "x"),
                            "/" + std::to_string(status)))
            << status;
    for (const int status : {201, 302, 307, 400, 403, 405, 414, 500, 503})
        EXPECT_FALSE(is_kept(with_status(status, {{"Last-Modified", date(-100s)}}, "x"), "/" + std::to_string(status)))
            << status;
}

TEST_F(Rfc9110Caching, Section15_4_5_A304SaysWhatA200WouldHaveSaid) {
    origin_says(says({{"Cache-Control", "max-age=60"},
                      {"Content-Location", "/a.en"},
                      {"Date", date()},
                      {"ETag", "\"1\""},
                      {"Expires", date(9s)},
                      {"Vary", "X-A"}}));
    const Reply whole = house.get("GET /a");
    const Reply unchanged = house.get("GET /a", {"If-None-Match: \"1\""});
    EXPECT_EQ(unchanged.status, 304);
    for (const char* name : {"cache-control", "content-location", "date", "etag", "expires", "vary"})
        EXPECT_EQ(unchanged[name], whole[name]) << name;
    EXPECT_EQ(unchanged["content-length"], "");
    EXPECT_EQ(unchanged.body, "");
}

// ---- RFC 9213

TEST_F(Rfc9213Targeted, Section2_2_TheFirstValidOneGovernsAndCacheControlAndExpiresDoNot) {
    EXPECT_TRUE(is_kept(says({{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=60"}}), "/cdn"));
    EXPECT_FALSE(is_kept(says({{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "no-store"}}), "/no-store"));
    EXPECT_TRUE(is_kept(says({{"CDN-Cache-Control", "no-store"}, {"Etage-Cache-Control", "max-age=60"}}), "/own"));
    EXPECT_FALSE(is_kept(says({{"CDN-Cache-Control", "max-age=0"}, {"Expires", date(60s)}, {"ETag", "\"1\""}}), "/e"));
}

TEST_F(Rfc9213Targeted, Section2_1_WhatDoesNotParseOrIsEmptyIsNotThere) {
    for (const char* invalid : {"max-age=60, =", "no-store, &", ""})
        EXPECT_TRUE(is_kept(says({{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", invalid}}),
                            "/" + std::to_string(calls())))
            << invalid;
}

TEST_F(Rfc9213Targeted, Section2_1_UnknownDirectivesAndParametersMeanNothing) {
    EXPECT_TRUE(is_kept(says({{"CDN-Cache-Control", "max-age=60;x=1, unknown, y=(a b)"}})));
}

TEST_F(Rfc9213Targeted, Section2_2_TheStaleDirectivesAreReadThereToo) {
    origin_says(says({{"CDN-Cache-Control", "max-age=5, stale-while-revalidate=60"}, {"Cache-Control", "no-store"}}));
    house.get("GET /a");
    house.skip(10s);
    EXPECT_EQ(house.get("GET /a")["cache-status"], "etage; hit; ttl=-5; detail=stale-while-revalidate");
}

TEST_F(Rfc9213Targeted, Section3_CdnCacheControlIsPassedOnToTheCachesInFront) {
    origin_says(says({{"CDN-Cache-Control", "max-age=60"}}));
    EXPECT_EQ(house.get("GET /a")["cdn-cache-control"], "max-age=60");
    EXPECT_EQ(house.get("GET /a")["cdn-cache-control"], "max-age=60");
    EXPECT_EQ(calls(), 1U);
}

}  // namespace
}  // namespace etage::flow::testing
