// Methods with rules of their own, from outside.

#include "flow/walk_fixture.hpp"

namespace etage::flow::testing {
namespace {

Say fresh(std::string body = "hello", std::string cache_control = "max-age=60") {
    Say say;
    say.fields = {{"Cache-Control", std::move(cache_control)}, {"Content-Type", "text/plain"}};
    say.body = std::move(body);
    return say;
}

// ---- HEAD

TEST(WalkRfc9111, Section4_3_5_AHeadFreshensAStaleEntry) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = fresh("hello", seen.method == "HEAD" ? "max-age=600" : "max-age=2");
        say.fields.emplace_back("A", seen.method == "HEAD" ? "2" : "1");
        say.fields.emplace_back("ETag", "\"1\"");
        return say;
    };
    house.get("GET /a");
    house.pass(3s);
    const Reply head = house.get("HEAD /a");
    EXPECT_EQ(house.origin.seen.back().method, "HEAD");
    EXPECT_FALSE(http::contains(house.origin.seen.back().fields, http::FieldId::if_none_match));
    EXPECT_EQ(head["a"], "2");
    EXPECT_EQ(head["cache-status"], "etage; fwd=stale; fwd-status=200; stored; ttl=600");
    house.pass(5s);
    const Reply hit = house.get("GET /a");
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["a"], "2");
    EXPECT_EQ(hit.body, "hello");
    EXPECT_EQ(house.origin.seen.size(), 2U);
}

TEST(WalkRfc9111, Section4_3_5_AHeadThatSpeaksOfOtherContentEndsTheEntry) {
    TestHouse house;
    std::string etag = "\"1\"";
    house.origin.script = [&](const Seen&) {
        Say say = fresh("hello", "max-age=2");
        say.fields.emplace_back("ETag", etag);
        return say;
    };
    house.get("GET /a");
    house.pass(3s);
    etag = "\"2\"";
    EXPECT_EQ(house.get("HEAD /a")["etag"], "\"2\"");
    const Reply next = house.get("GET /a");
    EXPECT_EQ(next.verdict.forward, Forward::uri_miss);
    EXPECT_FALSE(http::contains(house.origin.seen.back().fields, http::FieldId::if_none_match));
}

TEST(WalkLaw10, AHeadNeverMakesAnEntry) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh(); };
    house.get("HEAD /a");
    EXPECT_EQ(house.origin.seen.back().method, "GET");  // what is asked for the shelf is asked whole
    EXPECT_EQ(house.get("GET /a").body, "hello");
}

TEST(WalkRfc9111, Section4_2_4_AHeadFallsBackOnAStaleEntryToo) {
    TestHouse house;
    bool dead = false;
    house.origin.script = [&](const Seen&) {
        Say say = fresh("hello", "max-age=2");
        if (dead) say.fault = Fault::origin_unreachable;
        return say;
    };
    house.get("GET /a");
    house.pass(3s);
    dead = true;
    const Reply head = house.get("HEAD /a");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.verdict.detail, Detail::stale_if_error);
}

TEST(WalkRfc9111, Section5_2_1_7_OnlyIfCachedHoldsForHeadToo) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh("hello", "max-age=2"); };
    house.get("GET /a");
    house.pass(3s);
    EXPECT_EQ(house.get("HEAD /a", {"Cache-Control: only-if-cached"}).status, 504);
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

// ---- QUERY

TEST(WalkRfc10008, Section2_7_AQueryIsNamedByItsContentAndItsType) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) { return fresh(seen.method + ":" + seen.body); };
    const std::vector<std::string> json = {"Content-Type: application/json"};
    EXPECT_EQ(house.get("QUERY /q", json, "one").body, "QUERY:one");
    const Reply again = house.get("QUERY /q", json, "one");
    EXPECT_EQ(again.body, "QUERY:one");
    EXPECT_TRUE(again.verdict.hit);
    EXPECT_EQ(house.get("QUERY /q", json, "two").body, "QUERY:two");
    EXPECT_FALSE(house.get("QUERY /q", {"Content-Type: text/plain"}, "one").verdict.hit);
    EXPECT_FALSE(house.get("GET /q").verdict.hit);
    EXPECT_EQ(house.origin.seen.size(), 4U);
}

TEST(WalkRfc10008, Section2_AQueryInvalidatesNothingAndIsCollapsedLikeAGet) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = fresh(seen.body);
        say.after = 5ms;
        return say;
    };
    house.ask("GET /q");
    house.pass(10ms);
    const auto one = house.ask("QUERY /q", {}, "x");
    const auto two = house.ask("QUERY /q", {}, "x");
    house.pass(10ms);
    EXPECT_EQ(one->body, "x");
    EXPECT_EQ(two->body, "x");
    EXPECT_TRUE(two->verdict.collapsed);
    EXPECT_TRUE(house.get("GET /q").verdict.hit);
}

TEST(WalkRfc10008, AStaleQueryIsValidatedWithItsContent) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = fresh("r:" + seen.body, "max-age=1");
        say.fields.emplace_back("ETag", "\"1\"");
        if (http::contains(seen.fields, http::FieldId::if_none_match)) say.status = 304;
        return say;
    };
    house.get("QUERY /q", {}, "x");
    house.pass(2s);
    const Reply again = house.get("QUERY /q", {}, "x");
    EXPECT_EQ(again.body, "r:x");
    EXPECT_EQ(again.verdict.forward_status, 304);
    EXPECT_EQ(house.origin.seen.back().body, "x");
    EXPECT_EQ(house.get("QUERY /q", {"If-None-Match: \"1\""}, "x").status, 304);
}

TEST(WalkRfc10008, ContentThatIsTooMuchForAKeyGoesOnWhole) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) { return fresh(std::to_string(seen.body.size())); };
    const std::string large((64 << 10) + 1, 'x');
    const Reply reply = house.get("QUERY /q", {}, large);
    EXPECT_EQ(reply.body, std::to_string(large.size()));
    EXPECT_EQ(reply["cache-status"], "etage; fwd=bypass; fwd-status=200; detail=request-body");
    EXPECT_EQ(house.store.usage().entries, 0U);
}

// ---- POST

Say posted(std::string content_location = "/p", std::string cache_control = "max-age=60") {
    Say say = fresh("made by POST", std::move(cache_control));
    say.fields.emplace_back("Content-Location", std::move(content_location));
    return say;
}

TEST(WalkRfc9110, Section9_3_3_APostThatAnswersForItsTargetAnswersLaterGets) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) { return seen.method == "POST" ? posted() : fresh("made by GET"); };
    const Reply post = house.get("POST /p", {}, "x");
    EXPECT_EQ(post.body, "made by POST");
    EXPECT_FALSE(post["etage-seq"].empty());
    const Reply get = house.get("GET /p");
    EXPECT_TRUE(get.verdict.hit);
    EXPECT_EQ(get.body, "made by POST");
    EXPECT_TRUE(house.get("HEAD /p").verdict.hit);
    EXPECT_FALSE(house.get("POST /p", {}, "x").verdict.hit);
}

TEST(WalkRfc9111, Section4_4_ThePostReplacesWhatWasStoredBefore) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) { return seen.method == "POST" ? posted() : fresh("made by GET"); };
    EXPECT_EQ(house.get("GET /p").body, "made by GET");
    house.get("POST /p", {}, "x");
    EXPECT_EQ(house.get("GET /p").body, "made by POST");
}

TEST(WalkRfc9110, Section9_3_3_OtherPostsAreNotKept) {
    const auto kept = [](Say say, std::vector<std::string> fields = {}) {
        TestHouse house;
        house.origin.script = [&](const Seen& seen) { return seen.method == "POST" ? say : fresh("made by GET"); };
        house.get("POST /p", std::move(fields), "x");
        return house.get("GET /p").body == "made by POST";
    };
    EXPECT_TRUE(kept(posted()));
    EXPECT_FALSE(kept(posted("/other")));
    EXPECT_FALSE(kept(posted("http://elsewhere.test/p")));
    EXPECT_FALSE(kept(posted("/p", "private, max-age=60")));
    EXPECT_FALSE(kept(posted("/p", "public")));  // no freshness of its own
    EXPECT_FALSE(kept(posted(), {"Authorization: Basic x"}));
    Say created = posted();
    created.status = 201;
    EXPECT_FALSE(kept(created));
    Say cookie = posted();
    cookie.fields.emplace_back("Set-Cookie", "s=1");
    EXPECT_FALSE(kept(cookie));
}

TEST(WalkCoherence, APostIsNotKeptWhenSomethingWasInvalidatedMeanwhile) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = seen.method == "POST" ? posted() : fresh("made by GET");
        if (seen.target == "/slow") say.fields.back().second = "/slow";
        say.after = seen.target == "/slow" ? 50ms : 1ms;
        return say;
    };
    const auto slow = house.ask("POST /slow", {}, "x");
    house.pass(5ms);
    house.ask("DELETE /slow");
    house.pass(60ms);
    EXPECT_TRUE(slow->done);
    house.ask("GET /slow");
    house.pass(60ms);
    EXPECT_EQ(house.origin.seen.back().method, "GET");
}

// ---- groups

TEST(WalkRfc9875, Section3_AGroupIsInvalidatedTogether) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = fresh(seen.target);
        if (seen.target == "/a") say.fields.emplace_back("Cache-Groups", "\"scripts\", \"x\"");
        if (seen.method == "POST") say.fields.emplace_back("Cache-Group-Invalidation", "\"scripts\"");
        return say;
    };
    house.get("GET /a");
    house.get("GET /b");
    const Reply post = house.get("POST /c", {}, "x");
    EXPECT_EQ(post["cache-group-invalidation"], "");
    EXPECT_FALSE(house.get("GET /a").verdict.hit);
    EXPECT_TRUE(house.get("GET /b").verdict.hit);
}

}  // namespace
}  // namespace etage::flow::testing
