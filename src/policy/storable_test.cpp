#include "policy/storable.hpp"

#include "policy/test_messages.hpp"

namespace etage::policy {
namespace {

using namespace std::chrono_literals;

constexpr std::pair<std::string_view, std::string_view> max_age{"Cache-Control", "max-age=60"};

Detail why_not(Answered& x) {
    const auto verdict = judge_storable(x.exchange());
    EXPECT_EQ(verdict.yes, verdict.why_not == Detail::none);
    return verdict.why_not;
}
Detail why_not(Answered&& x) { return why_not(x); }

Detail with_cc(std::string_view cache_control) { return why_not(Answered(200, {{"Cache-Control", cache_control}})); }

CachePolicy ttl(Duration d = 60s) {
    CachePolicy cache;
    cache.ttl = d;
    return cache;
}

// ---- method and request

TEST(StorableRfc9111, Section3_TheMethodIsUnderstood) {
    for (const auto method : {http::Method::get, http::Method::head, http::Method::query}) {
        Answered x(200, {max_age});
        x.request.method = method;
        EXPECT_EQ(why_not(x), Detail::none);
    }
    for (const auto method : {http::Method::post, http::Method::put, http::Method::delete_, http::Method::options,
                              http::Method::purge, http::Method::other}) {
        Answered x(200, {max_age});
        x.request.method = method;
        EXPECT_EQ(why_not(x.with(ttl())), Detail::method_not_cacheable);
    }
}

TEST(Storable, Law5_ARequestWithContentIsNotStored) {
    Answered x(200, {max_age});
    x.request.body = http::BodyKind::length;
    x.request.content_length = 1;
    EXPECT_EQ(why_not(x), Detail::request_body);
}

TEST(StorableRfc9111, Section5_2_1_5_RequestNoStoreBeatsARouteToo) {
    CachePolicy cache = ttl();
    cache.respect_origin = false;
    EXPECT_EQ(why_not(Answered(200, {max_age}).asked_with({{"Cache-Control", "no-store"}}).with(cache)),
              Detail::no_store);
}

// ---- statuses

TEST(StorableRfc9111, Section3_3_APartThatWasAskedFor) {
    const auto part = std::pair<std::string_view, std::string_view>{"Content-Range", "bytes 0-4/10"};
    EXPECT_EQ(why_not(Answered(206, {max_age, part}).asked_with({{"Range", "bytes=0-4"}})), Detail::none);
    EXPECT_EQ(why_not(Answered(206, {max_age, part})), Detail::partial);
    EXPECT_EQ(why_not(Answered(206, {max_age}).asked_with({{"Range", "bytes=0-4"}})), Detail::partial);
    EXPECT_EQ(why_not(Answered(206, {max_age, part}).asked_with({{"Range", "bytes=0-4,6-7"}})), Detail::partial);
    EXPECT_EQ(why_not(Answered(206, {{"Cache-Control", "no-store"}, part}).asked_with({{"Range", "bytes=0-4"}})),
              Detail::no_store);
}

TEST(StorableRfc9111, Section3_OnlyFinalStatuses) {
    EXPECT_EQ(why_not(Answered(103, {max_age})), Detail::status_not_cacheable);
    EXPECT_EQ(why_not(Answered(304, {max_age})), Detail::status_not_cacheable);
    EXPECT_FALSE(status_storable(0, true));
    EXPECT_FALSE(status_storable(199, true));
    EXPECT_FALSE(status_storable(1000, true));
}

TEST(Storable, Law7_WithExplicitFreshnessEveryStatusThatDoesNotDescribeTheRequest) {
    for (const int status : {200, 201, 203, 204, 299, 300, 301, 302, 303, 307, 308, 402,
                             404, 408, 410, 422, 451, 499, 500, 502, 503, 504, 599, 999})
        EXPECT_EQ(why_not(Answered(status, {max_age})), Detail::none) << status;
    for (const int status :
         {400, 401, 403, 405, 406, 407, 412, 413, 414, 415, 416, 417, 421, 425, 426, 428, 429, 431, 511})
        EXPECT_EQ(why_not(Answered(status, {{"Cache-Control", "public, max-age=60"}, {"ETag", "\"a\""}}).with(ttl())),
                  Detail::status_not_cacheable)
            << status;
}

TEST(Storable, Law7_WithoutExplicitFreshnessOnlyTheCacheableOnes) {
    for (const int status : {200, 203, 204, 300, 301, 308, 404, 410})
        EXPECT_EQ(why_not(Answered(status, {{"ETag", "\"a\""}})), Detail::none) << status;
    for (const int status : {201, 202, 302, 303, 307, 500, 502, 503, 504, 599})
        EXPECT_EQ(why_not(Answered(status, {{"ETag", "\"a\""}, {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}})),
                  Detail::status_not_cacheable)
            << status;
}

TEST(StorableRfc9110, Section15_1_A501MayBeKeptOnAGuessForSeconds) {
    EXPECT_EQ(why_not(Answered(501, {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}})), Detail::none);
    EXPECT_EQ(why_not(Answered(501, {{"ETag", "\"a\""}})), Detail::status_not_cacheable);
    EXPECT_EQ(why_not(Answered(501, {})), Detail::status_not_cacheable);
}

TEST(Storable, Law7_ARoutesTtlIsNoFreshnessForOtherStatuses) {
    for (const int status : {201, 302, 500, 503})
        EXPECT_EQ(why_not(Answered(status, {}).with(ttl())), Detail::status_not_cacheable);
    for (const int status : {404, 410}) EXPECT_EQ(why_not(Answered(status, {}).with(ttl())), Detail::no_freshness);
    for (const int status : {200, 203, 204, 300, 301, 308})
        EXPECT_EQ(why_not(Answered(status, {}).with(ttl())), Detail::none);
}

TEST(Storable, NegativeTtlIsForMissingThings) {
    CachePolicy cache;
    cache.negative_ttl = 5s;
    EXPECT_EQ(why_not(Answered(404, {}).with(cache)), Detail::none);
    EXPECT_EQ(why_not(Answered(410, {}).with(cache)), Detail::none);
    EXPECT_EQ(why_not(Answered(200, {}).with(cache)), Detail::no_freshness);
    EXPECT_EQ(why_not(Answered(403, {}).with(cache)), Detail::status_not_cacheable);
}

TEST(StorableRfc9110, Section15_1_HeuristicallyCacheable) {
    for (int status = 100; status < 600; ++status) {
        const bool listed = status == 200 || status == 203 || status == 204 || status == 206 || status == 300 ||
                            status == 301 || status == 308 || status == 404 || status == 405 || status == 410 ||
                            status == 414 || status == 501;
        EXPECT_EQ(heuristically_cacheable(status), listed) << status;
    }
}

TEST(StorableRfc9111, Section4_2_2_PublicAllowsHeuristicsForAnyStatus) {
    EXPECT_EQ(why_not(Answered(599, {{"Cache-Control", "public"}, {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}})),
              Detail::none);
}

// ---- directives

TEST(StorableRfc9111, Section5_2_2_5_NoStore) {
    EXPECT_EQ(with_cc("no-store"), Detail::no_store);
    EXPECT_EQ(with_cc("max-age=60, No-Store"), Detail::no_store);
    EXPECT_EQ(with_cc("no-store, public, max-age=60"), Detail::no_store);
    EXPECT_EQ(why_not(Answered(200, {max_age, {"Cache-Control", "no-store"}})), Detail::no_store);
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "no-store"}}).with(ttl())), Detail::no_store);
}

TEST(StorableRfc9111, Section5_2_2_7_Private) {
    EXPECT_EQ(with_cc("private, max-age=60"), Detail::private_);
    EXPECT_EQ(with_cc("PRIVATE, max-age=60"), Detail::private_);
    EXPECT_EQ(with_cc("public, max-age=60, private"), Detail::private_);
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "private"}}).with(ttl())), Detail::private_);
}

TEST(StorableRfc9111, Section5_2_2_7_PrivateWithFieldNamesConcernsThoseFieldsOnly) {
    EXPECT_EQ(with_cc("private=\"set-cookie\", max-age=60"), Detail::none);
    EXPECT_EQ(with_cc("private=\"set-cookie\", private, max-age=60"), Detail::private_);
    EXPECT_EQ(with_cc("private=\"vary\", max-age=60"), Detail::private_);  // cannot be kept without
}

TEST(StorableRfc9111, Section5_2_2_4_ACookieThatIsWithheldKeepsNothingFromBeingKept) {
    const auto with_cookie = [](const char* cc) {
        return why_not(Answered(200, {{"Cache-Control", cc}, {"Set-Cookie", "s=1"}}));
    };
    EXPECT_EQ(with_cookie("max-age=60"), Detail::set_cookie);
    EXPECT_EQ(with_cookie("no-cache=\"Set-Cookie\", max-age=60"), Detail::none);
    EXPECT_EQ(with_cookie("private=\"x-a, set-cookie\", max-age=60"), Detail::none);
    EXPECT_EQ(with_cookie("no-cache=\"x-a\", max-age=60"), Detail::set_cookie);
    EXPECT_EQ(with_cookie("no-cache=\"set-cookie, vary\", max-age=60"), Detail::set_cookie);
}

TEST(StorableRfc9111, Section5_2_2_7_AKeyOfTheUsersOwnMakesItAPrivateCache) {
    Answered x(200, {{"Cache-Control", "private, max-age=60"}});
    x.per_user_key = true;
    EXPECT_EQ(why_not(x), Detail::none);
}

TEST(Storable, ARouteMayOverruleNoStoreAndPrivateInSoManyWords) {
    CachePolicy cache = ttl();
    cache.respect_origin = false;
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "no-store"}}).with(cache)), Detail::none);
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "private, no-cache, no-store"}}).with(cache)), Detail::none);
    EXPECT_EQ(why_not(Answered(200, {{"Set-Cookie", "a=1"}}).with(cache)), Detail::set_cookie);
    EXPECT_EQ(why_not(Answered(200, {{"Vary", "*"}}).with(cache)), Detail::vary_star);
    EXPECT_EQ(why_not(Answered(200, {}).asked_with({{"Authorization", "x"}}).with(cache)), Detail::authorization);
}

TEST(StorableRfc9111, Section5_2_2_3_MustUnderstand) {
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "must-understand, no-store, max-age=60"}})), Detail::none);
    EXPECT_EQ(why_not(Answered(302, {{"Cache-Control", "must-understand, no-store, max-age=60"}})), Detail::none);
    EXPECT_EQ(why_not(Answered(599, {{"Cache-Control", "must-understand, no-store, max-age=60"}})),
              Detail::status_not_cacheable);
    EXPECT_EQ(why_not(Answered(599, {{"Cache-Control", "must-understand, max-age=60"}})), Detail::status_not_cacheable);
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "must-understand, private, max-age=60"}})), Detail::private_);
}

TEST(StorableRfc9111, Section5_2_2_4_NoCacheIsStoredOnlyWhereItCanBeValidated) {
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}})), Detail::none);
    EXPECT_EQ(with_cc("no-cache, max-age=60"), Detail::no_freshness);
    EXPECT_EQ(with_cc("no-cache=\"content-type\", max-age=60"), Detail::no_freshness);
}

// ---- freshness

TEST(StorableRfc9111, Section3_FreshnessOrAValidator) {
    EXPECT_EQ(why_not(Answered(200, {})), Detail::no_freshness);
    EXPECT_EQ(with_cc("public"), Detail::no_freshness);
    EXPECT_EQ(with_cc("max-age=60"), Detail::none);
    EXPECT_EQ(with_cc("s-maxage=60"), Detail::none);
    EXPECT_EQ(why_not(Answered(200, {{"Expires", "Sun, 06 Nov 1994 08:49:37 GMT"}})), Detail::none);
    EXPECT_EQ(why_not(Answered(200, {{"ETag", "\"a\""}})), Detail::none);
    EXPECT_EQ(why_not(Answered(200, {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}})), Detail::none);
    EXPECT_EQ(why_not(Answered(200, {}).with(ttl())), Detail::none);
}

TEST(StorableRfc9213, Section2_2_ATargetedFieldGovernsAlone) {
    const auto with = [](std::string_view cdn, std::string_view cc) {
        return why_not(Answered(200, {{"CDN-Cache-Control", cdn}, {"Cache-Control", cc}}));
    };
    EXPECT_EQ(with("max-age=60", "no-store"), Detail::none);
    EXPECT_EQ(with("max-age=60", "private"), Detail::none);
    EXPECT_EQ(with("no-store", "max-age=60"), Detail::no_store);
    EXPECT_EQ(with("private", "max-age=60"), Detail::private_);
    EXPECT_EQ(with("max-age=60, &&&", "no-store"), Detail::no_store);
}

// ---- credentials

TEST(StorableRfc9111, Section3_5_AuthorizationNeedsADirectiveThatAllowsIt) {
    const auto with = [](std::string_view cc) {
        return why_not(Answered(200, {{"Cache-Control", cc}}).asked_with({{"Authorization", "Bearer t"}}));
    };
    EXPECT_EQ(with("max-age=60"), Detail::authorization);
    EXPECT_EQ(with("public, max-age=60"), Detail::none);
    EXPECT_EQ(with("s-maxage=60"), Detail::none);
    EXPECT_EQ(with("max-age=60, must-revalidate"), Detail::none);
    EXPECT_EQ(with("max-age=60, proxy-revalidate"), Detail::authorization);
    EXPECT_EQ(with("public, private, max-age=60"), Detail::private_);
    EXPECT_EQ(why_not(Answered(200, {}).asked_with({{"Authorization", "t"}}).with(ttl())), Detail::authorization);
    EXPECT_EQ(why_not(Answered(200, {{"CDN-Cache-Control", "max-age=60"}}).asked_with({{"Authorization", "t"}})),
              Detail::authorization);
}

TEST(Storable, Section6_TheIdentityARouteNamesCountsAsCredentials) {
    RoutePolicy policy;
    policy.match = "/**";
    policy.identity.header = "X-User";
    EXPECT_EQ(why_not(Answered(200, {max_age}).asked_with({{"X-User", "joe"}}).with_route(policy)),
              Detail::authorization);
    EXPECT_EQ(why_not(Answered(200, {max_age}).with_route(policy)), Detail::none);
}

TEST(Storable, Section6_WithTheIdentityInTheKeyItIsStored) {
    Answered x(200, {max_age});
    x.asked_with({{"Authorization", "Bearer t"}, {"Cookie", "a=1"}});
    x.per_user_key = true;
    EXPECT_EQ(why_not(x), Detail::none);
}

/// A response to a request with Cookie.
Detail with_cookie(FieldPairs response, RoutePolicy policy = {}) {
    policy.match = "/**";
    return why_not(Answered(200, response).asked_with({{"Cookie", "s=victim"}}).with_route(policy));
}

TEST(Storable, Law1_WhatCookiesGotIsNotStoredForEverybody) {  // WCP-13, WCD-13
    EXPECT_EQ(why_not(Answered(200, {max_age}).asked_with({{"Cookie", "s=victim"}})), Detail::authorization);
    EXPECT_EQ(with_cookie({{"Cache-Control", "max-age=60, must-revalidate"}}), Detail::authorization);
    RoutePolicy policy;
    policy.cache.ttl = 60s;
    EXPECT_EQ(with_cookie({}, policy), Detail::authorization);
}

TEST(Storable, Law1_CookiesAreNoObstacleWhereSomebodySaysSo) {
    EXPECT_EQ(with_cookie({{"Cache-Control", "public, max-age=60"}}), Detail::none);
    EXPECT_EQ(with_cookie({{"Cache-Control", "s-maxage=60"}}), Detail::none);
    EXPECT_EQ(with_cookie({{"CDN-Cache-Control", "max-age=60"}}), Detail::none);
    EXPECT_EQ(with_cookie({max_age, {"Vary", "Accept, cookie"}}), Detail::none);
    RoutePolicy allowed;
    allowed.cache.allow_cookie = true;
    EXPECT_EQ(with_cookie({max_age}, allowed), Detail::none);
    RoutePolicy keyed;
    keyed.key.headers = {"Cookie"};
    EXPECT_EQ(with_cookie({max_age}, keyed), Detail::none);
}

// ---- fields

TEST(Storable, Law8_SetCookieIsNotStoredUnlessTheRouteAllowsIt) {
    EXPECT_EQ(why_not(Answered(200, {max_age, {"Set-Cookie", "a=1"}})), Detail::set_cookie);
    EXPECT_EQ(why_not(Answered(200, {{"Cache-Control", "public, s-maxage=9"}, {"Set-Cookie", "a=1"}}).with(ttl())),
              Detail::set_cookie);
    CachePolicy cache;
    cache.allow_set_cookie = true;
    EXPECT_EQ(why_not(Answered(200, {max_age, {"Set-Cookie", "a=1"}}).with(cache)), Detail::none);
}

TEST(StorableRfc9111, Section4_1_VaryStarNeverMatches) {
    EXPECT_EQ(why_not(Answered(200, {max_age, {"Vary", "*"}})), Detail::vary_star);
    EXPECT_EQ(why_not(Answered(200, {max_age, {"Vary", "Accept"}, {"Vary", "x, *"}})), Detail::vary_star);
    EXPECT_EQ(why_not(Answered(200, {max_age, {"Vary", "Accept"}})), Detail::none);
}

TEST(Storable, Law1_ADoubleOfAFieldInVaryChoosesNoVariant) {  // hostile OWP-43
    const auto varied = [](std::string_view vary, std::string_view asked) {
        return why_not(Answered(200, {max_age, {"Vary", vary}}).asked_with({{asked, "evil"}}));
    };
    EXPECT_EQ(varied("Accept, X-Tenant", "x_tenant"), Detail::vary_star);
    EXPECT_EQ(varied("X-Tenant-Id", "X-Tenant_ID"), Detail::vary_star);
    EXPECT_EQ(varied("X-Tenant", "X-Tenant"), Detail::none);
    EXPECT_EQ(varied("x_tenant", "X_Tenant"), Detail::none);
    EXPECT_EQ(varied("X-Tenant", "X_Other"), Detail::none);
}

}  // namespace
}  // namespace etage::policy
