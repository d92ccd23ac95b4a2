// No-Vary-Search from outside: which URIs are answered by what, and what a write to one of them does to the others.

#include "flow/equivalents.hpp"

#include "coherence/tag.hpp"
#include "flow/tags.hpp"
#include "flow/walk_fixture.hpp"
#include "http/no_vary_search.hpp"

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace etage::flow::testing {
namespace {

/// Answers "v1", "v2", … and says that `variance` makes no difference.
struct Counting {
    TestHouse& house;
    std::string variance = "params=(\"utm\")";
    std::string cache_control = "max-age=60";
    std::vector<std::pair<std::string, std::string>> more{};
    Duration after{};
    int fills = 0;

    void speak() {
        house.origin.script = [this](const Seen& seen) {
            Say say;
            if (seen.method != "GET" && seen.method != "QUERY") return say;
            say.body = "v" + std::to_string(++fills);
            say.fields = more;
            say.fields.emplace_back("Cache-Control", cache_control);
            if (!variance.empty()) say.fields.emplace_back("No-Vary-Search", variance);
            say.after = after;
            return say;
        };
    }
};

RoutePolicy route() {
    RoutePolicy policy;
    policy.match = "/a";
    policy.cache.ttl = 60s;
    return policy;
}

TEST(EquivalentsDraft10, Section7_AnotherUriIsAnsweredByWhatIsStored) {
    TestHouse house;
    Counting origin{house};
    origin.speak();
    EXPECT_EQ(house.get("GET /a?id=1&utm=x").verdict.detail, Detail::none);
    house.pass(3s);
    const Reply hit = house.get("GET /a?utm=y&id=1");
    EXPECT_EQ(hit.body, "v1");
    EXPECT_EQ(hit["cache-status"], "etage; hit; ttl=57; detail=no-vary-search");
    EXPECT_EQ(hit["age"], "3");
    EXPECT_EQ(hit["no-vary-search"], "params=(\"utm\")") << "the next cache wants to know it, too";
    EXPECT_EQ(house.get("GET /a?id=1").body, "v1");
    EXPECT_EQ(house.get("HEAD /a?id=1&utm").verdict.detail, Detail::no_vary_search);
    EXPECT_EQ(house.get("GET /a?id=1&utm=x").verdict.detail, Detail::none) << "its own";
    EXPECT_EQ(house.get("GET /a?id=1", {"If-None-Match: " + hit["etag"]}).status, 304);
    EXPECT_EQ(origin.fills, 1);
    EXPECT_EQ(house.metrics.sum(base::Counter::stale_served), 0U);
}

TEST(EquivalentsDraft10, Section7_WhatCountsStillCounts) {
    TestHouse house;
    Counting origin{house};
    origin.speak();
    house.get("GET /a?id=1&utm=x");
    for (const char* line : {"GET /a?id=2&utm=x", "GET /a", "GET /a?id=1&id=1", "GET /a?id=1&UTM=x", "GET /b?id=1"})
        EXPECT_FALSE(house.get(line).verdict.hit) << line;
}

TEST(EquivalentsDraft10, Section5_2_AnInvalidFieldMakesNothingEquivalent) {
    for (const char* text : {"", "params=?0", "params=(utm)", "params=()", "key-order=?0"}) {
        TestHouse house;
        Counting origin{house, text};
        origin.speak();
        house.get("GET /a?utm=1");
        EXPECT_FALSE(house.get("GET /a?utm=2").verdict.hit) << text;
        EXPECT_TRUE(house.store.signposts().empty()) << text;
    }
}

TEST(EquivalentsDraft10, Section5_2_OrderAndExcept) {
    TestHouse house;
    Counting origin{house, "key-order"};
    origin.speak();
    house.get("GET /a?x=1&y=2");
    EXPECT_TRUE(house.get("GET /a?y=2&x=1").verdict.hit);
    EXPECT_FALSE(house.get("GET /a?y=2").verdict.hit);
    origin.variance = "except=(\"id\")";
    house.get("GET /b?id=1&x=1");
    EXPECT_TRUE(house.get("GET /b?whatever&id=1").verdict.hit);
    EXPECT_FALSE(house.get("GET /b?id=2").verdict.hit);
    origin.variance = "except=()";
    house.get("GET /c");
    EXPECT_TRUE(house.get("GET /c?x=1&y=2").verdict.hit);
}

TEST(EquivalentsDraft10, Section7_TheNewestVarianceOfAPathCounts) {
    TestHouse house;
    Counting origin{house, "params=(\"x\")"};
    origin.speak();
    house.get("GET /a?x=1");  // v1
    origin.variance = "params=(\"y\")";
    house.get("GET /a?y=1");  // v2
    EXPECT_EQ(house.get("GET /a?y=2").body, "v2");
    EXPECT_FALSE(house.get("GET /a?x=2").verdict.hit) << "a cache may look by the newest alone";
    EXPECT_EQ(house.get("GET /a?x=1").body, "v1");
}

TEST(EquivalentsDraft10, Section7_TheNewestOfSeveralEquivalentsAnswers) {
    TestHouse house;
    Counting origin{house};
    origin.speak();
    house.get("GET /a?utm=1");
    house.get("GET /a?utm=2", {"Cache-Control: no-cache"});
    EXPECT_EQ(house.get("GET /a?utm=3").body, "v2");
    EXPECT_EQ(house.get("GET /a?utm=1").body, "v1");
    EXPECT_EQ(house.get("GET /a?utm=2").body, "v2") << "what was fetched for it stands under its own name";
}

TEST(EquivalentsRfc9111, Section4_1_VaryStillSelects) {
    TestHouse house;
    Counting origin{house};
    origin.more = {{"Vary", "Accept-Language"}};
    origin.speak();
    house.get("GET /a?utm=1", {"Accept-Language: de"});
    EXPECT_EQ(house.get("GET /a?utm=2", {"Accept-Language: de"}).body, "v1");
    EXPECT_EQ(house.get("GET /a?utm=2", {"Accept-Language: fr"}).verdict.forward, Forward::vary_miss);
    EXPECT_EQ(house.get("GET /a?utm=2", {"Accept-Language: fr"}).body, "v2");
}

TEST(EquivalentsRfc9111, Section3_5_CredentialsAndUsersStayApart) {
    RoutePolicy policy = route();
    policy.cache.per = Per::user;
    TestHouse house({policy});
    Counting origin{house};
    origin.speak();
    house.get("GET /a?utm=1", {"Authorization: Bearer ann"});
    EXPECT_TRUE(house.get("GET /a?utm=2", {"Authorization: Bearer ann"}).verdict.hit);
    EXPECT_FALSE(house.get("GET /a?utm=2", {"Authorization: Bearer bob"}).verdict.hit);
    house.get("GET /open?utm=1");
    const Reply bob = house.get("GET /open?utm=2", {"Authorization: Bearer bob"});
    EXPECT_EQ(bob.verdict.detail, Detail::authorization);
}

TEST(Equivalents, ARouteRulesTheQueryFirst) {
    RoutePolicy policy = route();
    policy.key.query_mode = KeyPolicy::Query::ignore;
    policy.key.query = {"session"};
    policy.key.headers = {"X-Tenant"};
    TestHouse house({policy});
    Counting origin{house};
    origin.speak();
    house.get("GET /a?session=1&utm=1&id=1", {"X-Tenant: a"});
    EXPECT_EQ(house.origin.seen.back().target, "/a?id=1&utm=1");
    EXPECT_EQ(house.get("GET /a?id=1&session=2&utm=2", {"X-Tenant: a"}).verdict.detail, Detail::no_vary_search);
    EXPECT_FALSE(house.get("GET /a?id=1&utm=2", {"X-Tenant: b"}).verdict.hit);
}

TEST(Equivalents, AQueryIsNamedByItsContent) {
    TestHouse house;
    Counting origin{house};
    origin.speak();
    house.get("GET /a?utm=1");
    const std::vector<std::string> text = {"Content-Type: text/plain"};
    EXPECT_FALSE(house.get("QUERY /a?utm=2", text, "x").verdict.hit);
    EXPECT_FALSE(house.get("QUERY /a?utm=3", text, "x").verdict.hit);
    EXPECT_EQ(house.get("GET /a?utm=3").body, "v1");
}

TEST(Equivalents, WhatAnotherUriMayNotShareIsItsOwnAffair) {
    TestHouse house;
    Counting origin{house};
    origin.speak();
    house.get("GET /a?utm=1");
    origin.cache_control = "private";
    EXPECT_EQ(house.get("GET /a?utm=1", {"Cache-Control: no-cache"}).verdict.detail, Detail::private_);
    origin.cache_control = "max-age=60";
    const Reply other = house.get("GET /a?utm=2");
    EXPECT_NE(other.verdict.detail, Detail::not_shareable);
}

TEST(Equivalents, TwoAtOnceFetchEachTheirOwn) {
    TestHouse house;
    Counting origin{house};
    origin.after = 10ms;
    origin.speak();
    const auto one = house.ask("GET /a?utm=1");
    const auto two = house.ask("GET /a?utm=2");
    house.pass(20ms);
    EXPECT_TRUE(one->verdict.stored && two->verdict.stored);
    EXPECT_NE(one->body, two->body);
    EXPECT_EQ(house.get("GET /a?utm=3").verdict.detail, Detail::no_vary_search);
}

// ---- stale

TEST(EquivalentsRfc5861, Section3_StaleWhileRevalidate) {
    TestHouse house;
    Counting origin{house};
    origin.cache_control = "max-age=1, stale-while-revalidate=60";
    origin.speak();
    house.get("GET /a?utm=1");
    house.pass(2s);
    const Reply stale = house.get("GET /a?utm=2");
    EXPECT_EQ(stale.body, "v1");
    EXPECT_EQ(stale.verdict.detail, Detail::stale_while_revalidate);
    house.pass(5ms);
    EXPECT_EQ(house.origin.seen.back().target, "/a?utm=2");
    EXPECT_EQ(house.get("GET /a?utm=2").body, "v2");
    EXPECT_EQ(house.get("GET /a?utm=3").body, "v2");
}

TEST(EquivalentsRfc5861, Section4_StaleIfError) {
    TestHouse house;
    Counting origin{house};
    origin.cache_control = "max-age=1, stale-if-error=60";
    origin.speak();
    house.get("GET /a?utm=1");
    house.pass(2s);
    house.origin.script = [](const Seen&) { return Say{.fault = Fault::origin_unreachable}; };
    const Reply stale = house.get("GET /a?utm=2");
    EXPECT_EQ(stale.body, "v1");
    EXPECT_EQ(stale.verdict.detail, Detail::stale_if_error);
    house.get("POST /a?utm=2");  // fails, and changes nothing
    house.origin.script = [](const Seen& seen) {
        return seen.method == "POST" ? Say{} : Say{.fault = Fault::origin_unreachable};
    };
    house.get("POST /a?utm=2");
    EXPECT_EQ(house.get("GET /a?utm=2").status, 502) << "what was written over is no fallback";
}

TEST(EquivalentsRfc9111, Section4_3_AnEquivalentIsValidated) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say;
        say.fields = {{"Cache-Control", "max-age=1"}, {"ETag", "\"e\""}, {"No-Vary-Search", "params"}};
        if (http::contains(seen.fields, http::FieldId::if_none_match)) say.status = 304;
        return say;
    };
    house.get("GET /a?utm=1");
    house.pass(2s);
    const Reply validated = house.get("GET /a?utm=2");
    EXPECT_EQ(validated.body, "hello");
    EXPECT_EQ(validated["cache-status"], "etage; fwd=stale; fwd-status=304; stored; ttl=1");
    EXPECT_EQ(house.origin.seen.back().target, "/a?utm=2");
    EXPECT_EQ(house.get("GET /a?utm=2").verdict.detail, Detail::none) << "it has its own now";
}

// ---- invalidation

TEST(EquivalentsRfc9111, Section4_4_AWriteToOneInvalidatesThemAll) {
    for (const char* write : {"POST /a?utm=2&id=1", "PUT /a?id=1", "DELETE /a?utm=1&id=1"}) {
        TestHouse house;
        Counting origin{house};
        origin.speak();
        house.get("GET /a?utm=1&id=1");
        house.get("GET /a?utm=1&id=2");
        house.get(write, {}, "x");
        EXPECT_EQ(house.get("GET /a?utm=2&id=1").body, "v3") << write;
        EXPECT_EQ(house.get("GET /a?utm=3&id=1").body, "v3") << write;
        EXPECT_NE(house.get("GET /a?utm=1&id=1").body, "v1") << write;
        EXPECT_EQ(house.get("GET /a?utm=9&id=2").body, "v2") << write << ": no equivalent";
    }
}

TEST(Equivalents, AWriteBeforeAnythingIsKnownStillHolds) {  // THREATS C-01
    TestHouse house;
    Counting origin{house};
    origin.after = 50ms;
    origin.speak();
    house.ask("GET /a?utm=1");
    house.pass(10ms);
    house.get("POST /a?utm=2", {}, "x");  // no signpost stands yet
    house.pass(100ms);
    EXPECT_EQ(house.get("GET /a?utm=1").body, "v1") << "nobody wrote to it";
    EXPECT_EQ(house.get("GET /a?utm=3").body, "v1") << "nor to this";
    const Reply own = house.get("GET /a?utm=2");
    EXPECT_EQ(own.verdict.detail, Detail::invalidated);
    EXPECT_EQ(own.body, "v2");
}

TEST(Equivalents, AForgottenSignpostHidesNothingFromAPurge) {
    TestHouse house;
    Counting origin{house};
    origin.speak();
    house.get("GET /a?utm=1");
    const std::string other = "http://api.test/a?utm=2";
    const TagHash tags[] = {uri_tag(other)};  // what a purge does that no signpost told of the others
    house.engine.invalidate({tags, coherence::Softness::hard});
    EXPECT_EQ(house.get("GET /a?utm=2").verdict.detail, Detail::invalidated);
    EXPECT_EQ(house.get("GET /a?utm=1").body, "v1");
}

TEST(Equivalents, APurgeOfOneIsAPurgeOfAll) {
    for (const char* url : {"http://api.test/a?utm=7&id=1", "/a?id=1", "http://API.test:80/a?id=1&utm"}) {
        TestHouse house;
        Counting origin{house};
        origin.speak();
        house.get("GET /a?utm=1&id=1");
        const auto uri = uri_of(url);
        ASSERT_TRUE(uri);
        const auto tag = equivalents_tag(house.walk->rooms(), *uri);
        ASSERT_TRUE(tag) << url;
        house.engine.invalidate({std::span(&*tag, 1), coherence::Softness::hard});
        EXPECT_EQ(house.get("GET /a?utm=1&id=1").verdict.detail, Detail::invalidated) << url;
    }
}

TEST(Equivalents, ASoftMarkOnTheOtherUriMakesItStale) {
    TestHouse house;
    Counting origin{house};
    origin.cache_control = "max-age=60, stale-while-revalidate=60";
    origin.speak();
    house.get("GET /a?utm=1");
    const TagHash tag = uri_tag("/a?utm=2");
    house.engine.invalidate({std::span(&tag, 1), coherence::Softness::soft});
    EXPECT_EQ(house.get("GET /a?utm=2").verdict.detail, Detail::stale_while_revalidate);
    EXPECT_EQ(house.get("GET /a?utm=3").verdict.detail, Detail::no_vary_search);
}

/// Reads and writes in any order against an origin that says truly what makes no difference: nobody ever gets the
/// answer to another question, or one from before a write to the very URI that was asked for.
RC_GTEST_PROP(Equivalents, NobodyReadsWhatIsOlderThanAWriteToTheSameUri, ()) {
    const auto text = *rc::gen::elementOf(std::vector<std::string>{"params=(\"u\")", "key-order", "except=(\"i\")",
                                                                   "except=()", "params=(\"u\"), key-order"});
    const http::SearchVariance variance = *http::parse_no_vary_search(text);
    const auto meaning = [&](std::string_view target) {
        std::string out;
        const auto question = target.find('?');
        http::append_search_class(out, question == std::string_view::npos ? "" : target.substr(question + 1), variance);
        return out;
    };
    TestHouse house;
    int version = 0;
    house.origin.script = [&](const Seen& seen) {
        Say say;
        if (seen.method != "GET") return say;
        say.fields = {{"Cache-Control", "max-age=2, stale-while-revalidate=2"}, {"No-Vary-Search", text}};
        say.body = std::to_string(version) + " " + meaning(seen.target);
        say.after = 1ms;
        return say;
    };
    std::map<std::string, int> written;
    const auto target = rc::gen::elementOf(std::vector<std::string>{
        "/a", "/a?", "/a?u=1", "/a?u=2", "/a?i=1", "/a?i=1&u=1", "/a?u=2&i=1", "/a?i=2", "/a?%69=2", "/a?i=2&u=1"});
    const int steps = *rc::gen::inRange(1, 30);
    for (int step = 0; step < steps; ++step) {
        const std::string uri = *target;
        switch (*rc::gen::inRange(0, 10)) {
            case 0:
            case 1:
                written[uri] = ++version;
                house.get("POST " + uri, {}, "x");
                break;
            case 2: house.ask("GET " + uri); break;  // under way while the next happens
            case 3: house.pass(900ms); break;
            default: {
                const std::string body = house.get("GET " + uri).body;
                const auto space = body.find(' ');
                RC_ASSERT(space != std::string::npos);
                RC_ASSERT(std::stoi(body.substr(0, space)) >= written[uri]);
                RC_ASSERT(body.substr(space + 1) == meaning(uri));
            }
        }
    }
    house.pass(5ms);
}

}  // namespace
}  // namespace etage::flow::testing
