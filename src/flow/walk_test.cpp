// The walk from outside: what a client and an origin see of it.

#include "flow/walk_fixture.hpp"

#include "codec/gzip.hpp"
#include "coherence/tag.hpp"

namespace etage::flow::testing {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

RoutePolicy route(std::string match, Duration ttl) {
    RoutePolicy policy;
    policy.match = std::move(match);
    policy.cache.ttl = ttl;
    return policy;
}

Say fresh(std::string body = "hello", std::string cache_control = "max-age=60") {
    Say say;
    say.fields = {{"Cache-Control", std::move(cache_control)}, {"Content-Type", "text/plain"}};
    say.body = std::move(body);
    return say;
}

TEST(Walk, MissThenHit) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh(); };
    const Reply miss = house.get("GET /a");
    EXPECT_EQ(miss.status, 200);
    EXPECT_EQ(miss.body, "hello");
    EXPECT_EQ(miss["cache-status"], "etage; fwd=uri-miss; fwd-status=200; stored; ttl=60");
    EXPECT_EQ(miss["via"], "1.1 etage");
    house.pass(3s);
    const Reply hit = house.get("GET /a");
    EXPECT_EQ(hit.body, "hello");
    EXPECT_EQ(hit["cache-status"], "etage; hit; ttl=57");
    EXPECT_EQ(hit["age"], "3");
    EXPECT_EQ(hit["content-length"], "5");
    EXPECT_EQ(house.origin.seen.size(), 1U);
    EXPECT_EQ(house.metrics.sum(base::Counter::hits), 1U);
}

TEST(Walk, HeadIsAnsweredFromTheEntryOfGet) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh(); };
    house.get("GET /a");
    const Reply head = house.get("HEAD /a");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head["content-length"], "5");
    EXPECT_EQ(head.body, "");
    EXPECT_TRUE(head.verdict.hit);
}

TEST(Walk, NoFreshnessAndNoValidatorIsNotReused) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return Say{}; };
    house.get("GET /a");
    const Reply again = house.get("GET /a");
    EXPECT_FALSE(again.verdict.hit);
    EXPECT_EQ(house.origin.seen.size(), 2U);
}

TEST(Walk, AStrongEtagIsMadeAndMatchesForA304) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh(); };
    const Reply first = house.get("GET /a");
    ASSERT_EQ(first["etag"].size(), 34U);
    for (const auto& condition : {first["etag"], "\"other\", W/" + first["etag"], std::string("*")}) {
        const Reply again = house.get("GET /a", {"If-None-Match: " + condition});
        EXPECT_EQ(again.status, 304) << condition;
        EXPECT_EQ(again.body, "");
        EXPECT_EQ(again["etag"], first["etag"]);
        EXPECT_EQ(again["cache-control"], "max-age=60");
        EXPECT_TRUE(again["content-length"].empty());
    }
    EXPECT_EQ(house.get("GET /a", {"If-None-Match: \"other\""}).status, 200);
}

TEST(Walk, ConditionsOfAClientAreAnsweredHereAlsoOnAMiss) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh(); };
    const std::string etag = house.get("GET /a")["etag"];
    house.store.clear();
    const Reply miss = house.get("GET /a", {"If-None-Match: " + etag, "Range: bytes=0-1"});
    EXPECT_EQ(miss.status, 304);
    EXPECT_FALSE(http::contains(house.origin.seen.back().fields, http::FieldId::if_none_match));
    EXPECT_FALSE(http::contains(house.origin.seen.back().fields, http::FieldId::range));
}

TEST(Walk, GzipHasItsOwnEtagAndVariesAndMatchesAcrossCodings) {
    TestHouse house;
    const std::string text(2000, 'x');
    house.origin.script = [&](const Seen&) { return fresh(text); };
    const Reply zipped = house.get("GET /a", {"Accept-Encoding: gzip"});
    EXPECT_EQ(zipped["content-encoding"], "gzip");
    EXPECT_EQ(zipped["vary"], "Accept-Encoding");
    EXPECT_TRUE(zipped["etag"].ends_with("-g\"")) << zipped["etag"];
    EXPECT_EQ(codec::gunzip(zipped.body, 1 << 20), text);
    const Reply plain = house.get("GET /a");
    EXPECT_TRUE(plain.verdict.hit);
    EXPECT_EQ(plain.body, text);
    EXPECT_EQ(plain["vary"], "Accept-Encoding");
    EXPECT_NE(plain["etag"], zipped["etag"]);
    EXPECT_EQ(house.get("GET /a", {"If-None-Match: " + zipped["etag"]}).status, 304);
    EXPECT_EQ(house.get("GET /a", {"Accept-Encoding: gzip", "If-None-Match: " + plain["etag"]}).status, 304);
}

TEST(Walk, AFillAnswersWithTheAgeOfItsResponse) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = fresh();
        say.fields.emplace_back("Age", "10");
        say.after = 40ms;
        return say;
    };
    const auto reply = house.ask("GET /a");
    house.pass(50ms);
    EXPECT_EQ((*reply)["age"], "10");
}

TEST(WalkRfc9111, Section5_2_2_7_ListedFieldsAreForTheFirstOneAlone) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = fresh("hello", "max-age=60, private=\"x-user\", no-cache=\"set-cookie\"");
        say.fields.emplace_back("X-User", "ann");
        say.fields.emplace_back("Set-Cookie", "s=1");
        say.after = 5ms;
        return say;
    };
    const auto first = house.ask("GET /a");
    const auto follower = house.ask("GET /a");
    house.pass(10ms);
    EXPECT_EQ((*first)["x-user"], "ann");
    EXPECT_EQ((*first)["set-cookie"], "s=1");
    EXPECT_TRUE(first->verdict.stored);
    for (const Reply& later : {*follower, house.get("GET /a")}) {
        EXPECT_EQ(later.body, "hello");
        EXPECT_EQ(later["x-user"], "");
        EXPECT_EQ(later["set-cookie"], "");
    }
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

TEST(WalkRfc9111, Section4_1_AVariantInThePreferredLanguageSuits) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = fresh("hallo");
        say.fields.emplace_back("Vary", "Accept-Language");
        say.fields.emplace_back("Content-Language", "de");
        return say;
    };
    house.get("GET /a", {"Accept-Language: en, de"});
    EXPECT_TRUE(house.get("GET /a", {"Accept-Language: de, en"}).verdict.hit);
    EXPECT_TRUE(house.get("GET /a", {"Accept-Language: fr;q=0.5, DE;q=1.0"}).verdict.hit);
    EXPECT_FALSE(house.get("GET /a", {"Accept-Language: fr, de;q=0.5"}).verdict.hit);
}

TEST(Walk, SmallBodiesAreNotCompressed) {
    TestHouse house;
    house.origin.script = [&](const Seen&) { return fresh(std::string(599, 'x')); };
    const Reply reply = house.get("GET /a", {"Accept-Encoding: gzip"});
    EXPECT_TRUE(reply["content-encoding"].empty());
    EXPECT_TRUE(reply["vary"].empty());
}

TEST(Walk, AThousandMissesAreOneFetch) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = fresh();
        say.after = 50ms;
        return say;
    };
    std::vector<std::shared_ptr<Reply>> replies;
    for (int i = 0; i < 1000; ++i) replies.push_back(house.ask("GET /a"));
    house.pass(60ms);
    std::size_t collapsed = 0;
    for (const auto& reply : replies) {
        EXPECT_TRUE(reply->done);
        EXPECT_EQ(reply->body, "hello");
        collapsed += reply->verdict.collapsed;
    }
    EXPECT_EQ(collapsed, 999U);
    EXPECT_EQ(house.origin.seen.size(), 1U);
    EXPECT_EQ(house.flights.size(), 0U);
}

TEST(Walk, AnUncacheableAnswerReleasesAllAtOnce) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = fresh("mine", "private");
        say.after = 50ms;
        return say;
    };
    std::vector<std::shared_ptr<Reply>> replies;
    for (int i = 0; i < 100; ++i) replies.push_back(house.ask("GET /a"));
    house.pass(110ms);  // one that finds out, then all the others side by side
    for (const auto& reply : replies) EXPECT_TRUE(reply->done);
    EXPECT_EQ(house.origin.seen.size(), 100U);
    EXPECT_EQ(house.origin.most_under_way, 99U);
    const Reply later = house.get("GET /a");
    EXPECT_EQ(later["cache-status"], "etage; fwd=bypass; fwd-status=200; detail=not-shareable");
    house.pass(31s);
    EXPECT_EQ(house.get("GET /a").verdict.forward, Forward::uri_miss);
}

TEST(Walk, AFollowerThatWaitsTooLongGoesAlone) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable {
        Say say = fresh();
        say.after = n++ == 0 ? Duration(25s) : Duration(1ms);
        return say;
    };
    const auto leader = house.ask("GET /a");
    const auto follower = house.ask("GET /a");
    house.pass(10'010ms);
    EXPECT_FALSE(leader->done);
    ASSERT_TRUE(follower->done);
    EXPECT_EQ(follower->verdict.detail, Detail::flight_too_slow);
    house.pass(15s);
    EXPECT_TRUE(leader->done);
}

TEST(Walk, AFollowerWhoseClientHasLeftAsksNobody) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = fresh();
        say.after = 25s;
        return say;
    };
    const auto leader = house.ask("GET /a");
    std::vector<std::shared_ptr<Reply>> followers;
    for (int i = 0; i < 10; ++i) followers.push_back(house.ask("GET /a"));
    for (const auto& each : followers) each->client.left = true;
    house.pass(10'010ms);
    EXPECT_EQ(house.origin.seen.size(), 1U);
    for (const auto& each : followers) EXPECT_EQ(each->status, 499);
    house.pass(15s);
    EXPECT_TRUE(leader->done);
}

TEST(Walk, AFailureIsAnsweredToAllAsProblemJson) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return Say{.after = 5ms, .fault = Fault::origin_timeout}; };
    const auto one = house.ask("GET /a");
    const auto two = house.ask("GET /a");
    house.pass(10ms);
    for (const auto& reply : {one, two}) {
        EXPECT_EQ(reply->status, 504);
        EXPECT_EQ((*reply)["content-type"], "application/problem+json");
        EXPECT_EQ(reply->verdict.detail, Detail::origin_timeout);
    }
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

TEST(Walk, AStreamIsReadByAllWhileItArrivesAndStoredWhenWhole) {
    TestHouse house;
    const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
    house.origin.script = [&](const Seen&) {
        Say say = fresh(text);
        say.stream = true;
        return say;
    };
    const auto first = house.ask("GET /a");
    house.pass(3ms);
    const auto second = house.ask("GET /a");
    house.pass(20ms);
    EXPECT_EQ(first->body, text);
    EXPECT_EQ(second->body, text);
    EXPECT_TRUE(second->verdict.collapsed);
    EXPECT_TRUE((*first)["content-length"].empty());
    EXPECT_TRUE(house.get("GET /a").verdict.hit);
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

TEST(Walk, AStreamCutShortIsNeitherCompletedNorStored) {
    TestHouse house;
    house.origin.script = [&](const Seen&) {
        Say say = fresh("0123456789");
        say.stream = say.cut = true;
        return say;
    };
    const auto reply = house.ask("GET /a");
    house.pass(20ms);
    EXPECT_TRUE(reply->body_failed);
    EXPECT_EQ(house.store.usage().entries, 0U);
    EXPECT_EQ(house.metrics.sum(Detail::incomplete), 1U);
}

TEST(Walk, AnErrorCutShortIsNotCompletedEither) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        return Say{.status = 503, .body = "0123456789", .stream = true, .sized = true, .cut = true};
    };
    const Reply reply = house.get("GET /a");
    EXPECT_EQ(reply.status, 502);
    EXPECT_EQ(reply.verdict.detail, Detail::origin_incomplete);
}

TEST(Walk, StaleWhileRevalidateAnswersAndRefreshesOnce) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable {
        Say say = fresh(n++ == 0 ? "old" : "new", "max-age=1, stale-while-revalidate=60");
        say.after = 5ms;
        return say;
    };
    house.get("GET /a");
    house.pass(2s);
    for (int i = 0; i < 10; ++i) {
        const auto stale = house.ask("GET /a");
        ASSERT_TRUE(stale->done);
        EXPECT_EQ(stale->body, "old");
        EXPECT_EQ(stale->verdict.detail, Detail::stale_while_revalidate);
    }
    house.pass(10ms);
    EXPECT_EQ(house.get("GET /a").body, "new");
    EXPECT_EQ(house.origin.seen.size(), 2U);
}

TEST(Walk, StaleIfErrorServesWhatIsThere) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable {
        if (n++ == 0) return fresh("old", "max-age=1, stale-if-error=600");
        return n == 2 ? Say{.fault = Fault::origin_unreachable} : Say{.status = 503};
    };
    house.get("GET /a");
    house.pass(2s);
    for (int i = 0; i < 2; ++i) {
        const Reply stale = house.get("GET /a");
        EXPECT_EQ(stale.status, 200);
        EXPECT_EQ(stale.body, "old");
        EXPECT_EQ(stale.verdict.detail, Detail::stale_if_error);
    }
}

TEST(Walk, AnOriginValidatorIsUsedAndA304Freshens) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = fresh("hello", "max-age=1");
        say.fields.emplace_back("ETag", "\"v1\"");
        if (http::find(seen.fields, http::FieldId::if_none_match) == "\"v1\"") {
            say.status = 304;
            say.body.clear();
        }
        return say;
    };
    house.get("GET /a");
    house.pass(2s);
    const Reply validated = house.get("GET /a");
    EXPECT_EQ(validated.status, 200);
    EXPECT_EQ(validated.body, "hello");
    EXPECT_EQ(validated["cache-status"], "etage; fwd=stale; fwd-status=304; stored; ttl=1");
    EXPECT_TRUE(house.get("GET /a").verdict.hit);
}

TEST(Walk, VaryChoosesAmongVariants) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = fresh(std::string(http::find(seen.fields, http::FieldId::accept_language).value_or("none")));
        say.fields.emplace_back("Vary", "Accept-Language");
        return say;
    };
    EXPECT_EQ(house.get("GET /a", {"Accept-Language: de"}).body, "de");
    const Reply miss = house.get("GET /a", {"Accept-Language: fr"});
    EXPECT_EQ(miss.body, "fr");
    EXPECT_EQ(miss.verdict.forward, Forward::vary_miss);
    EXPECT_TRUE(house.get("GET /a", {"Accept-Language: de"}).verdict.hit);
    EXPECT_TRUE(house.get("GET /a", {"Accept-Language: fr"}).verdict.hit);
    EXPECT_EQ(house.origin.seen.size(), 2U);
}

TEST(Walk, AnOriginThatVariesOnCodingsIsOneEntryForAllOfThem) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = fresh(std::string(1000, 'x'));
        say.fields.emplace_back("Vary", "Accept-Encoding");
        return say;
    };
    house.get("GET /a", {"Accept-Encoding: gzip"});
    for (const auto coding : {"br", "identity", "gzip;q=0.5, br", "*"})
        EXPECT_TRUE(house.get("GET /a", {std::string("Accept-Encoding: ") + coding}).verdict.hit) << coding;
    EXPECT_EQ(house.get("GET /a")["vary"], "Accept-Encoding");
    EXPECT_EQ(house.origin.seen.size(), 1U);
}

TEST(Walk, FollowersOfAnotherVariantFlyTogether) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        Say say = fresh(std::string(http::find(seen.fields, http::FieldId::accept_language).value_or("none")));
        say.fields.emplace_back("Vary", "Accept-Language");
        say.after = 5ms;
        return say;
    };
    std::vector<std::shared_ptr<Reply>> german, french;
    for (int i = 0; i < 20; ++i) {
        german.push_back(house.ask("GET /a", {"Accept-Language: de"}));
        french.push_back(house.ask("GET /a", {"Accept-Language: fr"}));
    }
    house.pass(30ms);
    for (const auto& reply : german) EXPECT_EQ(reply->body, "de");
    for (const auto& reply : french) EXPECT_EQ(reply->body, "fr");
    EXPECT_EQ(house.origin.seen.size(), 2U);
}

TEST(Walk, CredentialsAreNotShared) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable { return fresh("user " + std::to_string(n++)); };
    EXPECT_EQ(house.get("GET /a", {"Authorization: Bearer a"}).body, "user 0");
    EXPECT_EQ(house.get("GET /a", {"Authorization: Bearer b"}).body, "user 1");
    EXPECT_EQ(house.get("GET /a").body, "user 2");
    const Reply other = house.get("GET /a", {"Authorization: Bearer a"});
    EXPECT_EQ(other.body, "user 3") << "an entry for everyone does not answer a request with credentials";
    EXPECT_EQ(other.verdict.detail, Detail::authorization);
}

TEST(Walk, PublicAnswersAreSharedWithCredentials) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable { return fresh(std::to_string(n++), "public, max-age=60"); };
    house.get("GET /a", {"Authorization: Bearer a"});
    EXPECT_EQ(house.get("GET /a", {"Authorization: Bearer b"}).body, "0");
}

TEST(Walk, PerUserKeepsUsersApartAndSaysPrivate) {
    RoutePolicy policy = route("GET /me", 60s);
    policy.cache.per = Per::user;
    TestHouse house({policy});
    house.origin.script = [](const Seen& seen) {
        return Say{.body = std::string(http::find(seen.fields, http::FieldId::authorization).value_or("nobody"))};
    };
    for (int round = 0; round < 2; ++round) {
        for (const std::string user : {"Bearer a", "Bearer b"}) {
            const Reply me = house.get("GET /me", {"Authorization: " + user});
            EXPECT_EQ(me.body, user);
            EXPECT_EQ(me["cache-control"], "private");
            EXPECT_EQ(me.verdict.hit, round == 1);
        }
    }
}

TEST(Walk, SetCookieIsNotStored) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable {
        Say say = fresh(std::to_string(n));
        say.fields.emplace_back("Set-Cookie", "sid=" + std::to_string(n++));
        return say;
    };
    EXPECT_EQ(house.get("GET /a")["set-cookie"], "sid=0");
    EXPECT_EQ(house.get("GET /a")["set-cookie"], "sid=1");
}

TEST(Walk, UnsafeMethodsInvalidateTheirUriAndSayTheirToken) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable { return fresh(std::to_string(n++)); };
    house.get("GET /a?x=1");
    house.get("GET /a");
    const Reply put = house.get("PUT /a", {}, "new");
    EXPECT_EQ(put.status, 200);
    EXPECT_EQ(put["cache-status"], "etage; fwd=method; fwd-status=200");
    EXPECT_EQ(put["etage-seq"], std::to_string(house.engine.fence()));
    EXPECT_EQ(house.origin.seen.back().body, "new");
    const Reply after = house.get("GET /a");
    EXPECT_EQ(after.body, "3");
    EXPECT_EQ(after.verdict.detail, Detail::invalidated);
    EXPECT_TRUE(house.get("GET /a?x=1").verdict.hit) << "another URI";
}

TEST(Walk, ErrorsInvalidateNothing) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) { return seen.method == "GET" ? fresh() : Say{.status = 403}; };
    house.get("GET /a");
    EXPECT_TRUE(house.get("DELETE /a")["etage-seq"].empty());
    EXPECT_TRUE(house.get("GET /a").verdict.hit);
}

TEST(Walk, SurrogateTagsOfHandlersAndFieldsInvalidate) {
    TestHouse house;
    house.origin.script = [](const Seen& seen) {
        if (seen.method == "POST") return Say{.invalidates = {"post:7"}};
        Say say = fresh();
        if (seen.target == "/by-handler") say.tags = {"post:7", "posts"};
        if (seen.target == "/by-field") say.fields.emplace_back("Cache-Tag", "a, post:7");
        return say;
    };
    house.get("GET /by-handler");
    const Reply tagged = house.get("GET /by-field");
    EXPECT_TRUE(tagged["cache-tag"].empty()) << "tags stay in the house";
    house.get("GET /untagged");
    house.get("POST /x", {}, "1");
    EXPECT_EQ(house.get("GET /by-handler").verdict.detail, Detail::invalidated);
    EXPECT_EQ(house.get("GET /by-field").verdict.detail, Detail::invalidated);
    EXPECT_TRUE(house.get("GET /untagged").verdict.hit);
}

TEST(Walk, AFillThatBeganBeforeAnInvalidationIsNeverServedAfterIt) {  // THREATS C-01
    TestHouse house;
    int version = 1;
    house.origin.script = [&](const Seen& seen) {
        if (seen.method == "PUT") return Say{};
        Say say = fresh("v" + std::to_string(version));
        say.after = 50ms;
        say.tags = {"learned"};
        return say;
    };
    const auto early = house.ask("GET /a");
    house.pass(10ms);
    version = 2;
    house.get("PUT /a", {}, "x");
    const auto late = house.ask("GET /a");  // must not join the flight that is under way
    house.pass(100ms);
    EXPECT_EQ(early->body, "v1") << "it overlaps the write: either is right";
    EXPECT_EQ(early->verdict.detail, Detail::fenced);
    EXPECT_EQ(late->body, "v2");
    EXPECT_EQ(house.get("GET /a").body, "v2");
}

TEST(Walk, TagsLearnedFromTheResponseFenceAFollower) {
    TestHouse house;
    int version = 1;
    house.origin.script = [&](const Seen& seen) {
        if (seen.method == "POST") return Say{.invalidates = {"learned"}};
        Say say = fresh("v" + std::to_string(version));
        say.after = 50ms;
        say.tags = {"learned"};
        return say;
    };
    house.ask("GET /a");
    house.pass(10ms);
    version = 2;
    house.get("POST /elsewhere", {}, "x");  // nothing about /a is known yet
    const auto late = house.ask("GET /a");
    house.pass(200ms);
    EXPECT_EQ(late->body, "v2");
}

TEST(Walk, ARefreshAcrossAPurgeIsFencedAndThePurgedIsNotServedStale) {  // THREATS C-06, C-07
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable {
        Say say = fresh("v" + std::to_string(++n), "max-age=1, stale-while-revalidate=60, stale-if-error=60");
        say.after = 50ms;
        say.tags = {"t"};
        if (n == 3) say.fault = Fault::origin_unreachable;
        return say;
    };
    house.get("GET /a");
    house.pass(2s);
    house.get("GET /a");  // starts the refresh that brings v2
    house.pass(10ms);
    const TagHash tag = coherence::tag_hash(coherence::TagKind::surrogate, "t");
    house.engine.invalidate({std::span(&tag, 1), coherence::Softness::hard});
    house.pass(100ms);
    const Reply after = house.get("GET /a");
    EXPECT_EQ(after.status, 502) << "neither v1 nor the v2 that was on its way";
    EXPECT_EQ(house.get("GET /a").body, "v4");
}

TEST(Walk, ARefreshLeftToAFlightThatFailsIsTriedAgain) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable {
        Say say = fresh("v" + std::to_string(++n), "max-age=1, stale-while-revalidate=60");
        say.after = 50ms;
        if (n == 2) say.fault = Fault::origin_unreachable;
        return say;
    };
    house.get("GET /a");
    house.pass(2s);
    house.ask("GET /a", {"Cache-Control: no-cache"});
    EXPECT_EQ(house.get("GET /a").body, "v1") << "the flight under way will do";
    house.pass(100ms);
    EXPECT_EQ(house.get("GET /a").body, "v1");
    house.pass(100ms);
    EXPECT_EQ(house.get("GET /a").body, "v3");
}

TEST(Walk, ASoftMarkMakesStaleNotGone) {
    TestHouse house;
    house.origin.script = [n = 0](const Seen&) mutable {
        Say say = fresh("v" + std::to_string(++n), "max-age=60, stale-while-revalidate=60");
        say.tags = {"t"};
        return say;
    };
    house.get("GET /a");
    const TagHash tag = coherence::tag_hash(coherence::TagKind::surrogate, "t");
    house.engine.invalidate({std::span(&tag, 1), coherence::Softness::soft});
    EXPECT_EQ(house.get("GET /a").body, "v1");
    house.pass(5ms);
    EXPECT_EQ(house.get("GET /a").body, "v2");
}

TEST(Walk, ReadYourWritesBypassesUntilTheLogIsThere) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh(); };
    house.get("GET /a");
    const auto token = std::to_string(house.engine.fence());
    EXPECT_TRUE(house.get("GET /a", {"Etage-Min-Seq: " + token}).verdict.hit);
    const Reply ahead = house.get("GET /a", {"Etage-Min-Seq: " + std::to_string(house.engine.fence() + 1)});
    EXPECT_EQ(ahead["cache-status"], "etage; fwd=bypass; fwd-status=200; detail=behind-token");
}

TEST(Walk, OnlyIfCached) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return fresh(); };
    EXPECT_EQ(house.get("GET /a", {"Cache-Control: only-if-cached"}).status, 504);
    EXPECT_TRUE(house.origin.seen.empty());
    house.get("GET /a");
    EXPECT_EQ(house.get("GET /a", {"Cache-Control: only-if-cached"}).status, 200);
}

TEST(Walk, RoutesOverrideAndTellTheBrowserSomethingElse) {
    RoutePolicy policy = route("GET /posts", 60s);
    policy.client.cache_control = "public, max-age=30";
    TestHouse house({policy});
    house.origin.script = [](const Seen&) { return Say{}; };
    house.get("GET /posts");
    const Reply hit = house.get("GET /posts");
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["cache-control"], "public, max-age=30");
}

TEST(Walk, HandlersOnlyKnowsWhatItDoesNotHave) {
    TestHouse house({route("GET /posts", 60s), route("POST /posts", 0s)}, true);
    EXPECT_EQ(house.get("GET /nowhere").status, 404);
    const Reply wrong = house.get("DELETE /posts");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong["allow"], "GET, HEAD, POST");
    EXPECT_TRUE(house.origin.seen.empty());
    EXPECT_TRUE(house.get("GET /posts")["via"].empty());
}

TEST(Walk, PurgeOnTheDataAddressIsRefusedUnlessARouteNamesIt) {  // hostile INV-01, INV-02
    RoutePolicy named;
    named.match = "PURGE /open/**";
    RoutePolicy any;
    any.match = "/any/**";
    TestHouse house({named, any});
    house.origin.script = [](const Seen&) { return fresh(); };
    for (const char* path : {"/a", "/any/a"}) {
        house.get(std::string("GET ") + path);
        const std::size_t before = house.origin.seen.size();
        const Reply refused = house.get(std::string("PURGE ") + path, {"X-Forwarded-For: 127.0.0.1"});
        EXPECT_EQ(refused.status, 405);
        EXPECT_NE(refused["allow"].find("GET, HEAD"), std::string::npos);
        EXPECT_EQ(refused["allow"].find("PURGE"), std::string::npos);
        EXPECT_EQ(refused["cache-status"], "etage; detail=method-not-allowed");
        EXPECT_EQ(house.origin.seen.size(), before);
        EXPECT_TRUE(house.get(std::string("GET ") + path).verdict.hit) << "nothing was thrown away";
    }
    EXPECT_EQ(house.get("PURGE /open/a").status, 200);
    EXPECT_EQ(house.origin.seen.back().method, "PURGE");
}

TEST(Walk, LimitsRefuseWithAllTheFields) {
    RoutePolicy policy;
    policy.match = "GET /protected";
    policy.limits = {{.name = "burst", .quota = 2, .window = 60s}};
    TestHouse house({policy});
    EXPECT_EQ(house.get("GET /protected")["ratelimit"], "\"burst\";r=1;t=30");
    EXPECT_EQ(house.get("GET /protected").status, 200);
    const Reply refused = house.get("GET /protected");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused["ratelimit-policy"], "\"burst\";q=2;w=60");
    EXPECT_EQ(refused["retry-after"], "30");
    EXPECT_EQ(refused["content-type"], "application/problem+json");
    EXPECT_EQ(refused.verdict.detail, Detail::rate_limited);
    house.pass(30s);
    EXPECT_EQ(house.get("GET /protected").status, 200);
}

TEST(Walk, WhatAClientCouldPoisonWithDoesNotReachTheOrigin) {  // THREATS §2.1 law 3
    TestHouse house;
    house.get("GET /a", {"X-Forwarded-Host: evil.test",
                         "X-Original-URL: /admin",
                         "X-HTTP-Method-Override: DELETE",
                         "Forwarded: for=1.2.3.4",
                         "X-Real-IP: 1.2.3.4",
                         "X_Forwarded_For: 6.6.6.6",
                         "x_original_url: /admin",
                         "Connection: X-Hop",
                         "X-Hop: 1",
                         "TE: trailers, gzip",
                         "Max-Forwards: 0",
                         "X-Ok: 1",
                         "x_ok: 2",
                         "X-Forwarded: 1.2.3.4",
                         "Proxy: http://evil.test",
                         "If_None_Match: *",
                         "user_agent: evil",
                         "X-Middleware-Subrequest: a",
                         "CF-Connecting-IP: 1.2.3.4",
                         "X-Url-Scheme: evil"});
    const auto& fields = house.origin.seen.back().fields;
    EXPECT_EQ(http::find(fields, http::FieldId::x_forwarded_host), "api.test");
    EXPECT_EQ(http::find(fields, http::FieldId::x_forwarded_for), "192.0.2.1");
    for (const auto name :
         {"x-original-url", "x-http-method-override", "forwarded", "x-real-ip", "x_forwarded_for", "x_original_url",
          "x-hop", "connection", "te", "max-forwards", "x-forwarded", "proxy", "if_none_match", "user_agent",
          "x-middleware-subrequest", "cf-connecting-ip", "x-url-scheme"})
        EXPECT_FALSE(http::find(fields, name)) << name;
    EXPECT_EQ(http::find(fields, "x-ok"), "1");
    EXPECT_EQ(http::find(fields, "x_ok"), "2");
}

TEST(Walk, AFieldThatTheRouteKnowsHasNoDouble) {  // an origin that speaks CGI takes X_Tenant for X-Tenant
    RoutePolicy policy;
    policy.match = "/**";
    policy.key.headers = {"X-Tenant"};
    policy.identity.header = "X-User";
    TestHouse house({policy});
    house.get("GET /a", {"X_Tenant: evil", "x_user: evil", "X_Other: 1"});
    const auto& fields = house.origin.seen.back().fields;
    EXPECT_FALSE(http::find(fields, "x_tenant"));
    EXPECT_FALSE(http::find(fields, "x_user"));
    EXPECT_EQ(http::find(fields, "x_other"), "1");
}

TEST(Walk, AnOriginsErrorIsSharedByThoseWhoWaitButNotKept) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return Say{.status = 500, .body = "oops", .after = 5ms}; };
    const auto one = house.ask("GET /a");
    const auto two = house.ask("GET /a");
    house.pass(10ms);
    EXPECT_EQ(one->status, 500);
    EXPECT_EQ(two->body, "oops");
    EXPECT_EQ(house.origin.seen.size(), 1U);
    house.get("GET /a");
    EXPECT_EQ(house.origin.seen.size(), 2U);
}

}  // namespace
}  // namespace etage::flow::testing
