// THREATS §2.1, law 8: what a route tells caches behind us never loosens what an answer for one says.

#include "flow/walk_fixture.hpp"

namespace etage::flow::testing {
namespace {

RoutePolicy shared_route() {
    RoutePolicy policy;
    policy.match = "GET /**";
    policy.cache.ttl = 60s;
    policy.client.cache_control = "public, max-age=30";
    policy.client.cdn_cache_control = "max-age=300";
    return policy;
}

Reply answer_to(std::vector<std::string> request, std::vector<std::pair<std::string, std::string>> response,
                const RoutePolicy& policy = shared_route()) {
    TestHouse house({policy});
    house.origin.script = [&](const Seen&) {
        Say say;
        say.fields = response;
        return say;
    };
    house.get("GET /a", request);
    return house.get("GET /a", request);
}

TEST(ForOne, WhatIsForAllIsToldAsTheRouteSays) {
    const Reply hit = answer_to({}, {{"Cache-Control", "max-age=60"}});
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["cache-control"], "public, max-age=30");
    EXPECT_EQ(hit["cdn-cache-control"], "max-age=300");
}

TEST(ForOne, WhatTheOriginKeepsForOneIsToldAsTheOriginSays) {
    for (const char* said : {"private", "private, max-age=5", "no-store"}) {
        const Reply reply = answer_to({}, {{"Cache-Control", said}});
        EXPECT_EQ(reply["cache-control"], said);
        EXPECT_EQ(reply["cdn-cache-control"], "");
    }
}

TEST(ForOne, AnAnswerThatSetsACookieIsForOne) {
    const Reply reply = answer_to({}, {{"Cache-Control", "max-age=60"}, {"Set-Cookie", "sid=1"}});
    EXPECT_EQ(reply["cache-control"], "max-age=60");
    EXPECT_EQ(reply["cdn-cache-control"], "");
}

TEST(ForOne, AnAnswerToCredentialsIsForOne) {
    EXPECT_EQ(answer_to({"Authorization: Bearer a"}, {{"Cache-Control", "max-age=60"}})["cache-control"], "max-age=60");
    EXPECT_EQ(answer_to({"Authorization: Bearer a"}, {})["cache-control"], "");
    EXPECT_EQ(answer_to({"Cookie: sid=1"}, {{"Cache-Control", "max-age=60"}})["cache-control"], "max-age=60");
    RoutePolicy named = shared_route();
    named.identity.header = "X-User";
    EXPECT_EQ(answer_to({"X-User: alice"}, {{"Cache-Control", "max-age=60"}}, named)["cache-control"], "max-age=60");
    named.cache.pass = true;
    EXPECT_EQ(answer_to({"X-User: alice"}, {{"Cache-Control", "max-age=60"}}, named)["cache-control"], "max-age=60");
}

TEST(ForOne, ButNotWhatTheOriginGivesToAll) {  // RFC 9111 §3.5
    const Reply hit = answer_to({"Authorization: Bearer a"}, {{"Cache-Control", "public, max-age=60"}});
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["cache-control"], "public, max-age=30");
}

TEST(ForOne, ARouteThatKeepsItBackMaySaySo) {
    RoutePolicy policy = shared_route();
    policy.client.cache_control = "private, max-age=10";
    policy.client.cdn_cache_control = "no-store";
    const Reply reply = answer_to({"Authorization: Bearer a"}, {{"Cache-Control", "max-age=60"}}, policy);
    EXPECT_EQ(reply["cache-control"], "private, max-age=10");
    EXPECT_EQ(reply["cdn-cache-control"], "no-store");
}

}  // namespace
}  // namespace etage::flow::testing
