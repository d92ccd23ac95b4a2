#include "policy/key.hpp"

#include "policy/test_messages.hpp"

#include <rapidcheck.h>

namespace etage::policy {
namespace {

constexpr base::Hash128 secret{42, 43};

/// "refused" when there is no key.
std::string key(const Asked& asked, const Route* route = nullptr, std::string_view scheme = "http") {
    std::string out = "rest of another key";
    const Identity identity = identity_of(route, asked.head);
    return make_key(out, {asked.head, route, scheme, identity, secret}) ? out : "refused";
}

std::string key(std::string target, const Route* route = nullptr) {
    return key(Asked("GET", std::move(target)), route);
}

struct Ruled {
    explicit Ruled(const KeyPolicy& rule, Per per = Per::everyone, IdentityPolicy identity = {}) {
        RoutePolicy policy;
        policy.match = "/**";
        policy.key = rule;
        policy.cache.per = per;
        policy.identity = std::move(identity);
        router_ = router_of(std::move(policy));
    }
    const Route* route() const { return router_.routes().front().get(); }

private:
    Router router_;
};

Ruled allow(std::vector<std::string> names) {
    KeyPolicy rule;
    rule.query_mode = KeyPolicy::Query::allow;
    rule.query = std::move(names);
    return Ruled(rule);
}

TEST(Key, IsReadable) {
    EXPECT_EQ(key("/posts?a=1"), "v1 0:3:GET4:http12:example.test6:/posts3:a=1");
    EXPECT_EQ(key("/posts", Ruled({}).route()), "v1 3:all3:GET4:http12:example.test6:/posts-");
}

TEST(Key, GetAndHeadAreOneClass) {
    EXPECT_EQ(key(Asked("HEAD", "/x")), key(Asked("GET", "/x")));
    EXPECT_NE(key(Asked("POST", "/x")), key(Asked("GET", "/x")));
    EXPECT_NE(key(Asked("POST", "/x")), key(Asked("QUERY", "/x")));
}

TEST(Key, Law2_SchemeHostPortPathAndQueryAreInIt) {
    const Asked asked("GET", "/x?q");
    EXPECT_NE(key(asked, nullptr, "http"), key(asked, nullptr, "https"));
    for (const char* authority : {"other.test", "example.test:80", "example.test:1337", ""}) {
        Asked other("GET", "/x?q");
        other.head.authority = authority;
        EXPECT_NE(key(asked), key(other)) << authority;
    }
    EXPECT_NE(key("/x"), key("/X"));
    EXPECT_NE(key("/x"), key("/x/"));
    EXPECT_NE(key("//x"), key("/x"));
    EXPECT_NE(key("/x"), key("/x?"));
    EXPECT_NE(key("/x?a=1"), key("/x?a=2"));
    EXPECT_NE(key("/x%3fa=1"), key("/x?a=1"));
    EXPECT_NE(key("/x?a=1%00&b=2"), key("/x?a=1"));
}

TEST(KeyRfc9110, Section4_2_3_HostIsComparedWithoutCase) {
    Asked asked("GET", "/x");
    asked.head.authority = "EXAMPLE.Test";
    EXPECT_EQ(key(asked), key("/x"));
    EXPECT_EQ(forwarded_authority(asked.head), "example.test");
}

TEST(KeyRfc3986, Section6_2_2_EquivalentPathsShareAKey) {
    EXPECT_EQ(key("/%7Ejoe"), key("/~joe"));
    EXPECT_EQ(key("/a%2fb"), key("/a%2Fb"));
    EXPECT_EQ(key("/a/../x"), key("/x"));
    EXPECT_EQ(key("/a/%2e%2e/x"), key("/x"));
    EXPECT_EQ(key("/./x"), "v1 0:3:GET4:http12:example.test2:/x-");
    EXPECT_NE(key("/a%2Fb"), key("/a/b"));
}

TEST(Key, WhatCannotBeNormalisedHasNone) {
    for (const char* target : {"/..", "/%", "/%00", "/a%2f..%2fx", "/a\\..\\x", "/a/..%5cx"})
        EXPECT_EQ(key(target), "refused") << target;
}

TEST(Key, TooLongHasNone) {
    EXPECT_EQ(key("/" + std::string(key_bytes_max, 'a')), "refused");
    EXPECT_NE(key("/" + std::string(key_bytes_max - 100, 'a')), "refused");
}

TEST(Key, WithoutARouteTheQueryIsAsReceived) { EXPECT_NE(key("/x?a=1&b=2"), key("/x?b=2&a=1")); }

TEST(Key, WithARouteTheQueryIsSortedByName) {
    const Ruled rule{KeyPolicy{}};
    EXPECT_EQ(key("/x?a=1&b=2", rule.route()), key("/x?b=2&a=1", rule.route()));
    EXPECT_NE(key("/x?q=1&q=2", rule.route()), key("/x?q=2&q=1", rule.route()));
    EXPECT_EQ(key("/x?", rule.route()), key("/x", rule.route()));
}

TEST(Key, WhatTheRuleDropsIsNotInIt) {
    const auto rule = allow({"limit"});
    EXPECT_EQ(key("/x?utm=1&limit=5", rule.route()), key("/x?limit=5", rule.route()));
    EXPECT_NE(key("/x?limit=6", rule.route()), key("/x?limit=5", rule.route()));
    EXPECT_EQ(key("/x?utm=1", rule.route()), key("/x", rule.route()));
}

TEST(Key, ChosenHeadersCannotBeConfused) {  // WCP-34, WCP-35
    KeyPolicy rule;
    rule.headers = {"X-A", "X-B"};
    const Ruled ruled(rule);
    const auto with = [&](FieldPairs fields, std::string target = "/x") {
        return key(Asked("GET", std::move(target), fields), ruled.route());
    };
    EXPECT_NE(with({{"X-A", "1|2"}, {"X-B", "3"}}), with({{"X-A", "1"}, {"X-B", "2|3"}}));
    EXPECT_NE(with({{"X-A", "1"}}), with({{"X-B", "1"}}));
    EXPECT_NE(with({{"X-A", ""}}), with({}));
    EXPECT_NE(with({{"X-A", "1"}, {"X-A", "2"}}), with({{"X-A", "1, 2"}}));
    EXPECT_NE(with({{"X-A", "1;1:2"}}), with({{"X-A", "1"}, {"X-B", "2"}}));
    EXPECT_NE(with({{"X-A", "v__/y"}}), with({{"X-A", "/y"}}, "/x__v"));
    EXPECT_EQ(with({{"x-a", "1"}, {"Accept", "2"}}), with({{"X-A", "1"}}));
    EXPECT_TRUE(is_keyed(ruled.route(), "x-b"));
    EXPECT_FALSE(is_keyed(ruled.route(), "cookie"));
    EXPECT_FALSE(is_keyed(nullptr, "x-a"));
}

TEST(Key, NoTwoRequestsShareOneByAccident) {
    KeyPolicy rule;
    rule.headers = {"A", "B"};
    const Ruled ruled(rule);
    EXPECT_TRUE(rc::check([&] {
        const auto text = rc::gen::container<std::string>(rc::gen::element('0', '1', ':', ';', '-', 'x'));
        const auto parts = *rc::gen::container<std::vector<std::string>>(8, text);
        Asked one("GET", "/" + parts[0] + "?" + parts[1], {{"A", parts[2]}, {"B", parts[3]}});
        Asked two("GET", "/" + parts[4] + "?" + parts[5], {{"A", parts[6]}, {"B", parts[7]}});
        const bool same = parts[0] == parts[4] && parts[1] == parts[5] && parts[2] == parts[6] && parts[3] == parts[7];
        RC_ASSERT((key(one, ruled.route()) == key(two, ruled.route())) == same);
    }));
}

TEST(Key, ReusesTheCapacityOfItsBuffer) {
    KeyPolicy rule;
    rule.headers = {"Accept"};
    const Ruled ruled(rule, Per::user);
    const Asked asked("GET", "/a/./b?z=1&y=%20&x", {{"Accept", "text/html"}, {"Authorization", "Bearer t"}});
    std::string out;
    const Identity identity = identity_of(ruled.route(), asked.head);
    const KeyInput in{asked.head, ruled.route(), "https", identity, secret};
    ASSERT_TRUE(make_key(out, in));
    out.reserve(1024);
    const char* const buffer = out.data();
    ASSERT_TRUE(make_key(out, in));
    EXPECT_EQ(out.data(), buffer);
}

// ---- identity

TEST(Identity, IsAuthorizationUnlessTheRouteNamesAnother) {
    const Asked asked("GET", "/",
                      {{"Authorization", "Bearer t"}, {"X-User", "joe"}, {"Cookie", "a=1; sid=s3cret; b=2"}});
    const auto plain = identity_of(nullptr, asked.head);
    EXPECT_TRUE(plain.present && plain.from_authorization);
    EXPECT_EQ(plain.text, "Bearer t");
    const auto header = identity_of(Ruled({}, Per::user, {"X-User", {}}).route(), asked.head);
    EXPECT_TRUE(header.present && !header.from_authorization);
    EXPECT_EQ(header.text, "joe");
    EXPECT_EQ(identity_of(Ruled({}, Per::user, {{}, "sid"}).route(), asked.head).text, "s3cret");
}

TEST(Identity, AbsentOrEmptyIsNone) {
    EXPECT_FALSE(identity_of(nullptr, Asked("GET", "/").head).present);
    EXPECT_FALSE(identity_of(nullptr, Asked("GET", "/", {{"Authorization", ""}}).head).present);
    const Ruled by_cookie({}, Per::user, {{}, "sid"});
    EXPECT_FALSE(identity_of(by_cookie.route(), Asked("GET", "/", {{"Cookie", "xsid=1; sid="}}).head).present);
    EXPECT_FALSE(identity_of(by_cookie.route(), Asked("GET", "/", {{"Authorization", "x"}}).head).present);
}

TEST(Identity, OnlyAPerUserRouteKeysIt) {
    const Ruled everyone{KeyPolicy{}};
    const Ruled per_user({}, Per::user);
    const Asked anna("GET", "/me", {{"Authorization", "Bearer anna"}});
    const Asked bert("GET", "/me", {{"Authorization", "Bearer bert"}});
    EXPECT_EQ(key(anna, everyone.route()), key(bert, everyone.route()));
    EXPECT_NE(key(anna, per_user.route()), key(bert, per_user.route()));
    EXPECT_NE(key(anna, per_user.route()), key("/me", per_user.route()));
    EXPECT_EQ(key(anna, per_user.route()).find("anna"), std::string::npos);  // hashed, never as it is
}

TEST(Identity, WhoClaimsItWithOtherCredentialsGetsAnotherEntry) {
    const Ruled per_user({}, Per::user, {"X-User", {}});
    const Asked anna("GET", "/me", {{"X-User", "anna"}, {"Authorization", "Bearer a"}});
    const Asked thief("GET", "/me", {{"X-User", "anna"}, {"Authorization", "Bearer t"}});
    EXPECT_NE(key(anna, per_user.route()), key(thief, per_user.route()));
    EXPECT_NE(key(anna, per_user.route()), key(Asked("GET", "/me", {{"X-User", "anna"}}), per_user.route()));
}

TEST(CookieValueRfc6265, Section4_2_1_PairsAreSeparatedBySemicolons) {
    const auto value = [](std::string_view cookie, std::string_view name) {
        return std::string(cookie_value(fields_of({{"Accept", "x"}, {"Cookie", cookie}}), name).value_or("(none)"));
    };
    EXPECT_EQ(value("a=1; b=2", "b"), "2");
    EXPECT_EQ(value("a=1;b=2", "b"), "2");
    EXPECT_EQ(value("a=1; b=x=y", "b"), "x=y");
    EXPECT_EQ(value("a=1; a=2", "a"), "1");
    EXPECT_EQ(value("ab=1", "a"), "(none)");
    EXPECT_EQ(value("a; b=", "a"), "(none)");
    EXPECT_EQ(value("a; b=", "b"), "");
    EXPECT_EQ(value(";;", "a"), "(none)");
}

// ---- what the origin is asked

std::string target(std::string received, const Route* route = nullptr, std::string_view method = "GET") {
    return forwarded_target(route, Asked(method, std::move(received)).head);
}

TEST(ForwardedTarget, Law1_WhatTheKeyNormalisesTheOriginGetsNormalised) {
    EXPECT_EQ(target("/a/%2e%2e/%78?q=%78"), "/x?q=%78");
    EXPECT_EQ(target("/x?b=2&a=1"), "/x?b=2&a=1");
    EXPECT_EQ(target("/x?"), "/x?");
}

TEST(ForwardedTarget, Law1_WhatTheKeyDropsTheOriginNeverHears) {
    const auto rule = allow({"q"});
    EXPECT_EQ(target("/x?q=ok&utm_content=1;q=evil", rule.route()), "/x?q=ok");
    EXPECT_EQ(target("/x?utm=1", rule.route()), "/x");
    EXPECT_EQ(target("/x?b=2&a=1", Ruled({}).route()), "/x?a=1&b=2");
}

TEST(ForwardedTarget, WhatHasNoKeyIsAsReceived) {
    const auto rule = allow({"q"});
    EXPECT_EQ(target("/a/../%78?z=1", rule.route(), "POST"), "/a/../%78?z=1");
    EXPECT_EQ(target("/%zz?b&a", rule.route()), "/%zz?b&a");
    EXPECT_EQ(target("*", nullptr, "OPTIONS"), "*");
    RoutePolicy pass;
    pass.match = "/**";
    pass.cache.pass = true;
    pass.key.query_mode = KeyPolicy::Query::allow;
    const Router router = router_of(pass);
    EXPECT_EQ(target("/%78?b=1", router.routes().front().get()), "/%78?b=1");
}

TEST(ForwardedTarget, Law1_EqualKeysMeanEqualTargets) {
    const auto rule = allow({"a", "b"});
    EXPECT_TRUE(rc::check([&] {
        const auto piece =
            rc::gen::element<std::string>("/", "a", "b=1", "&", "?", "%61", ".", "..", "%2e", "utm", "%2F", "+");
        const auto join = [](const std::vector<std::string>& pieces) {
            std::string out = "/";
            for (const auto& each : pieces) out += each;
            return out;
        };
        const std::string one = join(*rc::gen::container<std::vector<std::string>>(piece));
        const std::string two = join(*rc::gen::container<std::vector<std::string>>(piece));
        for (const Route* route : {static_cast<const Route*>(nullptr), rule.route()}) {
            const std::string first = key(one, route);
            if (first == "refused") continue;
            RC_ASSERT((first == key(two, route)) ==
                      (target(one, route) == target(two, route) && key(two, route) != "refused"));
            RC_ASSERT(key(target(one, route), route) == first);  // the origin's view of it is the same request
        }
    }));
}

// ---- No-Vary-Search

std::string search_key(const std::string& of, const char* variance = "params=(\"u\")") {
    return make_search_key(of, *http::parse_no_vary_search(variance));
}

TEST(SearchKey, OnlyTheSearchMayDiffer) {
    const std::string one = search_key(key("/x?a=1&u=1"));
    EXPECT_EQ(one.size(), 32U);
    EXPECT_EQ(search_key(key("/x?u=2&a=1")), one);
    EXPECT_EQ(search_key(key("/x?%61=1&&")), one);
    EXPECT_NE(search_key(key("/x?a=2&u=1")), one);
    EXPECT_NE(search_key(key("/y?a=1")), one);
    EXPECT_NE(search_key(key(Asked("GET", "/x?a=1"), nullptr, "https")), one);
    EXPECT_NE(search_key(key("/x?a=1"), "params=(\"v\")"), one);
    EXPECT_EQ(search_key(key("/x")), search_key(key("/x?")));
    EXPECT_EQ(search_key(key("/x")), search_key(key("/x?u=3")));
}

TEST(SearchKey, WhatStandsBehindTheQueryCounts) {
    KeyPolicy rule;
    rule.headers = {"X-Tenant"};
    const Ruled ruled(rule, Per::user);
    const auto of = [&](const char* target, const char* tenant, const char* user) {
        return search_key(key(Asked("GET", target, {{"X-Tenant", tenant}, {"Authorization", user}}), ruled.route()));
    };
    const std::string one = of("/x?u=1", "t", "ann");
    EXPECT_EQ(of("/x", "t", "ann"), one);
    EXPECT_NE(of("/x", "s", "ann"), one);
    EXPECT_NE(of("/x", "t", "bob"), one);
    EXPECT_NE(search_key(key("/x")), one) << "another route, too";
}

}  // namespace
}  // namespace etage::policy
