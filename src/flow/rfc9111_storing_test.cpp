// RFC 9111 §2 and §3: under which name, what, whose, and what of it.

#include "flow/rfc_fixture.hpp"

namespace etage::flow::testing {
namespace {

class Rfc9111Storing : public RfcTest {};

// ---- §2: the key

TEST_F(Rfc9111Storing, Section2_TheKeyIsTheTargetUri) {
    origin_says(says_cache_control("max-age=60"));
    house.get("GET /a");
    for (const char* other : {"GET /A", "GET /a/", "GET /a?", "GET /a?x=1", "GET /b"})
        EXPECT_FALSE(is_answered_here(other)) << other;
    EXPECT_TRUE(is_answered_here("GET /%61")) << "RFC 3986 §6.2.2: the same URI";
    EXPECT_TRUE(is_answered_here());
}

TEST_F(Rfc9111Storing, Section2_TheMethodIsPartOfTheKey) {
    house.origin.script = [](const Seen& seen) { return says_cache_control("max-age=60", seen.method); };
    house.get("GET /a");
    EXPECT_EQ(house.get("OPTIONS /a").body, "OPTIONS");
    EXPECT_EQ(house.get("GET /a").body, "GET");
    EXPECT_EQ(calls(), 2U);
}

// ---- §3: which responses

TEST_F(Rfc9111Storing, Section3_OnlyMethodsThatAreUnderstood) {
    origin_says(says_cache_control("max-age=60, public"));
    for (const char* method : {"OPTIONS", "PROPFIND", "REPORT", "PUT", "DELETE", "PATCH"}) {
        const std::string line = std::string(method) + " /" + method;
        house.get(line);
        EXPECT_FALSE(is_answered_here(line)) << method;
        EXPECT_FALSE(is_answered_here(std::string("GET /") + method)) << method;
    }
}

TEST_F(Rfc9111Storing, Section3_A304ThatNobodyAskedForIsNotStored) {
    EXPECT_FALSE(is_kept(with_status(304, {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}})));
    EXPECT_EQ(house.store.usage().entries, 0U);
}

TEST_F(Rfc9111Storing, Section3_EachOfTheReasonsToStoreIsEnough) {
    const auto explicitly = [](int status, FieldList fields) { return with_status(status, std::move(fields), "x"); };
    EXPECT_TRUE(is_kept(explicitly(302, {{"Cache-Control", "max-age=60"}}), "/max-age"));
    EXPECT_TRUE(is_kept(explicitly(302, {{"Cache-Control", "s-maxage=60"}}), "/s-maxage"));
    EXPECT_TRUE(is_kept(explicitly(302, {{"Expires", date(60s)}}), "/expires"));
    EXPECT_TRUE(is_kept(explicitly(302, {{"Cache-Control", "public"}, {"Last-Modified", date(-24h)}}), "/public"));
    EXPECT_TRUE(is_kept(explicitly(404, {{"Last-Modified", date(-24h)}}), "/heuristically"));
    EXPECT_TRUE(is_kept(explicitly(200, {{"CDN-Cache-Control", "max-age=60"}}), "/extension"));
}

TEST_F(Rfc9111Storing, Section3_NoneOfThemIsNoReason) {
    EXPECT_FALSE(is_kept(with_status(302, {{"Last-Modified", date(-24h)}}), "/modified"));
    EXPECT_FALSE(is_kept(with_status(307, {}), "/redirect"));
    EXPECT_FALSE(is_kept(with_status(299, {{"ETag", "\"1\""}}), "/unknown"));
    EXPECT_EQ(house.store.usage().entries, 0U);
}

TEST_F(Rfc9111Storing, Section3_AnUnknownStatusIsStoredOnlyWithExplicitFreshnessAndWithoutMustUnderstand) {
    EXPECT_TRUE(is_kept(with_status(299, {{"Cache-Control", "max-age=60"}}), "/explicit"));
    EXPECT_FALSE(is_kept(with_status(299, {{"Cache-Control", "max-age=60, must-understand"}}), "/must"));
}

TEST_F(Rfc9111Storing, Section3_NoStoreAndPrivateForbidWhateverElseIsSaid) {
    EXPECT_FALSE(is_kept(says_cache_control("max-age=60, public, no-store"), "/no-store"));
    EXPECT_FALSE(is_kept(says_cache_control("max-age=60, s-maxage=60, private"), "/private"));
    EXPECT_EQ(house.store.usage().entries, 0U);
}

// ---- §3.1: which fields

TEST_F(Rfc9111Storing, Section3_1_FieldsOfTheWayToTheOriginAreNotStored) {
    origin_says(says({{"Cache-Control", "max-age=60"},
                      {"Proxy-Authenticate", "Basic realm=\"x\""},
                      {"Proxy-Authentication-Info", "nextnonce=1"},
                      {"Proxy-Authorization", "Basic eDp5"},
                      {"TE", "trailers"},
                      {"Upgrade", "h3"}}));
    house.get("GET /a");
    const Reply hit = house.get("GET /a");
    EXPECT_TRUE(hit.verdict.hit);
    for (const char* name : {"proxy-authenticate", "proxy-authentication-info", "proxy-authorization", "te", "upgrade"})
        EXPECT_EQ(hit[name], "") << name;
}

TEST_F(Rfc9111Storing, Section3_1_SeveralLinesStayInTheirOrder) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Link", "</1>"}, {"X-A", "1"}, {"Link", "</2>"}}));
    house.get("GET /a");
    EXPECT_EQ(house.get("GET /a")["link"], "</1>, </2>");
    EXPECT_EQ(calls(), 1U);
}

// ---- §3.2: updating

TEST_F(Rfc9111Storing, Section3_2_EveryFieldIsReplacedButThoseThatDescribeTheMessage) {
    origin_says(says({{"Cache-Control", "max-age=1"}, {"ETag", "\"1\""}, {"X-A", "old"}, {"X-B", "old"}}));
    house.get("GET /a");
    house.skip(2s);
    origin_says(with_status(304, {{"Cache-Control", "max-age=60"},
                                  {"ETag", "\"1\""},
                                  {"X-A", "new"},
                                  {"X-A", "newer"},
                                  {"Connection", "X-Hop"},
                                  {"X-Hop", "1"},
                                  {"Content-Encoding", "gzip"},
                                  {"Content-Range", "bytes 0-0/1"}}));
    house.get("GET /a");
    const Reply hit = house.get("GET /a");
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["x-a"], "new, newer");
    EXPECT_EQ(hit["x-b"], "old");
    EXPECT_EQ(hit["x-hop"], "") << "what is not stored is not updated";
    EXPECT_EQ(hit["content-encoding"], "");
    EXPECT_EQ(hit["content-range"], "");
    EXPECT_EQ(hit["content-length"], "5");
}

TEST_F(Rfc9111Storing, Section3_2_WhatMayNotBeStoredAnyMoreIsGone) {
    origin_says(says({{"Cache-Control", "max-age=1"}, {"ETag", "\"1\""}}));
    house.get("GET /a");
    house.skip(2s);
    origin_says(with_status(304, {{"Cache-Control", "no-store"}, {"ETag", "\"1\""}}));
    EXPECT_EQ(house.get("GET /a").body, "hello");
    EXPECT_EQ(house.store.usage().entries, 0U);
}

// ---- §3.3, §3.4: incomplete responses

TEST_F(Rfc9111Storing, Section3_3_WhatIsCutShortIsNoWholeResponse) {
    Say cut = says({{"Cache-Control", "max-age=60"}}, "0123456789");
    cut.stream = cut.sized = cut.cut = true;
    origin_says(cut);
    house.get("GET /a");
    EXPECT_EQ(house.store.usage().entries, 0U);
    origin_says(says_cache_control("max-age=60", "whole"));
    EXPECT_EQ(house.get("GET /a").body, "whole");
    EXPECT_EQ(calls(), 2U);
}

TEST_F(Rfc9111Storing, Section3_3_APartNeverAnswersForTheWholeAs200) {
    house.origin.script = [](const Seen& seen) {
        Say say = says({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}, "0123456789");
        if (field_of(seen, "range") != "bytes=0-3") return say;
        say.status = 206;
        say.fields.emplace_back("Content-Range", "bytes 0-3/10");
        say.body = "0123";
        return say;
    };
    EXPECT_EQ(house.get("GET /a", {"Range: bytes=0-3"}).status, 206);
    const Reply whole = house.get("GET /a");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, "0123456789");
    EXPECT_EQ(calls(), 2U);
}

TEST_F(Rfc9111Storing, Section3_4_PartsOfDifferentValidatorsAreNotCombined) {
    int version = 1;
    house.origin.script = [&](const Seen& seen) {
        const auto tag = "\"" + std::to_string(version) + "\"";
        Say say = says({{"Cache-Control", "max-age=60"}, {"ETag", tag}}, version == 1 ? "aaaaaaaaaa" : "bbbbbbbbbb");
        const bool rest = field_of(seen, "range") == "bytes=5-" && field_of(seen, "if-range") == tag;
        if (!rest && field_of(seen, "range") != "bytes=0-4") return say;
        say.status = 206;
        say.fields.emplace_back("Content-Range", rest ? "bytes 5-9/10" : "bytes 0-4/10");
        say.body.resize(5);
        return say;
    };
    house.get("GET /a", {"Range: bytes=0-4"});
    version = 2;
    EXPECT_EQ(house.get("GET /a").body, "bbbbbbbbbb");
}

// ---- §3.5: credentials

TEST_F(Rfc9111Storing, Section3_5_CredentialsAreStoredForOnlyWithADirectiveThatAllowsIt) {
    const std::vector<std::string> mine{"Authorization: Basic bWluZQ=="};
    for (const char* allowing : {"public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60"}) {
        house.store.clear();
        origin_says(says_cache_control(allowing));
        house.get("GET /a", mine);
        EXPECT_TRUE(is_answered_here("GET /a", {"Authorization: Basic eW91cnM="})) << allowing;
        EXPECT_TRUE(is_answered_here("GET /a")) << allowing;
    }
    for (const char* silent : {"max-age=60", "max-age=60, proxy-revalidate", "max-age=60, immutable"}) {
        house.store.clear();
        origin_says(says_cache_control(silent));
        house.get("GET /a", mine);
        EXPECT_EQ(house.store.usage().entries, 0U) << silent;
        EXPECT_FALSE(is_answered_here("GET /a", mine)) << silent;
    }
}

}  // namespace
}  // namespace etage::flow::testing
