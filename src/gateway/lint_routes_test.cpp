#include "gateway/lint_routes.hpp"

#include "gateway/lint_answer_rules.hpp"
#include "gateway/lint_fixture.hpp"
#include "gateway/lint_route_rules.hpp"

#include <gmock/gmock.h>

namespace etage::gateway {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Findings lint(std::string text) {
    const Sources sources{SourceText{"etage.toml", std::move(text)}, {}, {}, {}};
    const auto config = load_config(sources);
    EXPECT_TRUE(config) << config.error().text();
    return config ? lint_routes(*config, sources.file) : Findings{};
}

std::set<std::string_view> of(std::string text) { return ids(lint(std::move(text))); }

/// One GET route that is cached in a way with which nothing is wrong, and `more`.
std::string route(std::string_view more, std::string_view cache = "") {
    return "[[route]]\nmatch = \"GET /posts\"\ncache = { ttl = \"60s\"" + std::string(cache) + " }\n" +
           std::string(more);
}

constexpr std::string_view keyed = "key = { query = [\"limit\"] }\n";

struct Case {
    std::string_view rule;
    std::string text;
};

std::vector<Case> cases() {
    const auto fine = [](std::string_view more, std::string_view cache = "") {
        return route(std::string(keyed) + std::string(more), cache);
    };
    const std::string write = "[[route]]\nmatch = \"POST /posts\"\n";
    return {
        {"route-never-reached", "[[route]]\nmatch = \"/posts/**\"\n[[route]]\nmatch = \"GET /posts/{id}\"\n"},
        {"tag-from-unkeyed-input", fine("", ", tags = [\"cat:{query.category}\"]")},
        {"user-cache-public-client", fine("client = { cache_control = \"public, max-age=60\" }\n", ", per = \"user\"")},
        {"user-cache-shared-client", fine("client = { cache_control = \"max-age=60\" }\n", ", per = \"user\"")},
        {"allow-set-cookie", fine("", ", allow_set_cookie = true")},
        {"identity-by-claim", fine("identity = { header = \"X-User\" }\n", ", per = \"user\"")},
        {"ignores-no-store", fine("", ", respect_origin = false")},
        {"ttl-never-stored",
         "[[route]]\nmatch = \"PUT /posts\"\ncache = { ttl = \"1s\" }\ninvalidates = [\"x\"]\n"
         "[[route]]\nmatch = \"GET /other\"\ncache = { tags = [\"x\"] }\n"},
        {"pass-ignores-settings", "[[route]]\nmatch = \"GET /x\"\ncache = { pass = true, stale_if_error = \"1s\" }\n"},
        {"invalidates-never", fine("invalidates = [\"posts\"]\n", ", tags = [\"posts\"]")},
        {"invalidates-typo", fine("", ", tags = [\"posts\"]") + write + "invalidates = [\"posts\", \"posst\"]\n"},
        {"invalidates-untagged", fine("", ", tags = [\"posts\"]") + write + "invalidates = [\"posts\", \"quotes\"]\n"},
        {"ttl-without-invalidation", fine("") + write},
        {"client-longer-than-ttl", fine("client = { cache_control = \"max-age=61\" }\n")},
        {"client-shorter-than-ttl", fine("client = { cache_control = \"max-age=59\" }\n")},
        {"swr-without-ttl", "[[route]]\nmatch = \"GET /x\"\ncache = { stale_while_revalidate = \"1s\" }\n"},
        {"negative-ttl-long", fine("", ", negative_ttl = \"61s\"")},
        {"key-headers-unbounded", route("key = { query = \"none\", headers = [\"User-Agent\"] }\n")},
        {"key-headers-pointless", route("key = { query = \"none\", headers = [\"accept-encoding\"] }\n")},
        {"query-all-on-ttl", route("")},
        {"limit-by-claim", fine("limits = [{ name = \"a\", rate = \"1/s\", by = \"header:X-Key\" }]\n")},
        {"limit-dry-run", fine("limits = [{ name = \"a\", rate = \"1/s\", dry_run = true }]\n")},
    };
}

TEST(LintRoutes, NothingIsSaidOfRoutesWithWhichNothingIsWrong) {
    EXPECT_THAT(of(""), IsEmpty());
    EXPECT_THAT(of("[[route]]\nmatch = \"/**\"\n"), IsEmpty());
    EXPECT_THAT(of(R"(
[[route]]
match = "GET /posts"
cache = { ttl = "60s", stale_while_revalidate = "30s", negative_ttl = "10s", tags = ["posts", "cat:{query.category}"] }
key = { query = ["limit", "category"], headers = ["Accept-Language"] }
client = { cache_control = "private, max-age=60", cdn_cache_control = "max-age=60" }
limits = [{ name = "a", rate = "10/s", by = "header:X-Key" }, { name = "b", rate = "100/s", by = "ip" }]
[[route]]
match = "POST|DELETE /posts/**"
invalidates = ["posts", "cat:{query.category}"]
)"),
                IsEmpty());
}

TEST(LintRoutes, EachRuleIsBrokenAlone) {
    for (const auto& [rule, text] : cases()) EXPECT_THAT(of(text), ElementsAre(rule)) << text;
}

TEST(LintRoutes, AnIdentityThatIsASecretIsNoClaim) {
    for (const std::string_view identity :
         {"", "identity = { cookie = \"sid\" }\n", "identity = { header = \"authorization\" }\n"})
        EXPECT_THAT(of(route(std::string(keyed) + std::string(identity), ", per = \"user\"")), IsEmpty()) << identity;
    EXPECT_THAT(of(route(std::string(keyed) + "identity = { header = \"X-User\" }\n")), IsEmpty()) << "nothing is kept";
}

TEST(LintRoutes, NoRuleIsWithoutACase) {
    std::set<std::string_view> provoked;
    for (const Case& each : cases()) provoked.insert(each.rule);
    for (const LintRule& rule : route_rules) EXPECT_THAT(provoked, Contains(rule.id));
}

TEST(LintRoutes, PointsAtTheKey) {
    const auto findings = lint(
        "\n[[route]]\nmatch = \"GET /x\"\n\n[route.cache]\nttl = \"1s\"\nnegative_ttl = \"9m\"\n"
        "[[route.limits]]\nname = \"a\"\nrate = \"1/s\"\nby = \"user\"\n");
    std::set<std::string> places;
    for (const Finding& finding : findings.list()) places.insert(std::string(finding.rule->id) + " " + finding.where);
    EXPECT_THAT(places, ElementsAre("limit-by-claim etage.toml:11:1", "negative-ttl-long etage.toml:7:1",
                                    "query-all-on-ttl etage.toml:6:1"));
}

TEST(LintRoutes, WhatIsNotInTheFilePointsAtTheRoute) {
    const auto findings = lint("[default]\nttl = \"5s\"\n[[route]]\nmatch = \"GET /x\"\n");
    ASSERT_EQ(findings.list().size(), 1U);
    EXPECT_EQ(findings.list()[0].rule->id, "query-all-on-ttl") << "the ttl is from [default]";
    EXPECT_EQ(findings.list()[0].where, "etage.toml:3:1");
    EXPECT_THAT(RoutePlaces(std::nullopt).of(0, {"match"}), IsEmpty());
}

TEST(LintRoutes, ReachIsAskedOfEachMethod) {
    const auto two = [](std::string_view first, std::string_view second) {
        return of("[[route]]\nmatch = \"" + std::string(first) + "\"\n[[route]]\nmatch = \"" + std::string(second) +
                  "\"\n");
    };
    EXPECT_THAT(two("GET /x", "HEAD /x"), ElementsAre("route-never-reached")) << "GET answers HEAD";
    EXPECT_THAT(two("GET /x", "GET|POST /x"), IsEmpty());
    EXPECT_THAT(two("GET /x", "/x"), IsEmpty());
    const auto three =
        lint("[[route]]\nmatch = \"GET /*\"\n[[route]]\nmatch = \"POST /**\"\n[[route]]\nmatch = \"GET|POST /x\"\n");
    EXPECT_EQ(what(three, "route-never-reached"),
              "\"GET|POST /x\": everything it matches goes to \"GET /*\", \"POST /**\"");
}

TEST(LintRoutes, WritesThatNeedNoTag) {
    const std::string one =
        "[[route]]\nmatch = \"GET /posts/{id}\"\ncache = { ttl = \"1m\" }\nkey = { query = \"none\" }\n";
    EXPECT_THAT(of(one + "[[route]]\nmatch = \"PUT /posts/*\"\n"), IsEmpty()) << "its own URI is invalidated unasked";
    EXPECT_THAT(of(one + "[[route]]\nmatch = \"PUT /posts/{id}/title\"\n"), ElementsAre("ttl-without-invalidation"));
    EXPECT_THAT(of(one + "[[route]]\nmatch = \"POST /posts\"\n"), IsEmpty()) << "above, not below";
    EXPECT_THAT(of(one + "[[route]]\nmatch = \"/posts/**\"\n"), IsEmpty()) << "not a route for writes";
}

TEST(LintRoutes, TemplatesMayMeet) {
    const auto two = [](std::string_view tag, std::string_view name) {
        return of("[[route]]\nmatch = \"GET /a/{id}\"\ncache = { tags = [\"" + std::string(tag) +
                  "\"] }\n[[route]]\nmatch = \"PUT /a/{id}\"\ninvalidates = [\"" + std::string(name) + "\"]\n");
    };
    EXPECT_THAT(two("post:{path.id}", "post:{path.id}"), IsEmpty());
    EXPECT_THAT(two("post:{path.id}", "post:7"), IsEmpty());
    EXPECT_THAT(two("post:7", "{query.kind}:7"), IsEmpty());
    EXPECT_THAT(two("{{x}:{path.id}", "{{x}:1"), IsEmpty());
    EXPECT_THAT(two("post:{path.id}", "posts:all"), ElementsAre("invalidates-untagged"));
    EXPECT_THAT(two("post:{path.id}", "pots:{path.id}"), ElementsAre("invalidates-typo"));
}

TEST(LintRoutes, HeadersOfTagsAreInTheKeyOrNot) {
    EXPECT_THAT(of(route("key = { query = \"none\", headers = [\"X-Shop\"] }\n", ", tags = [\"{header.x-shop}\"]")),
                IsEmpty());
    EXPECT_THAT(of(route("key = { query = \"none\" }\n", ", tags = [\"{header.x-shop}\"]")),
                ElementsAre("tag-from-unkeyed-input"));
    EXPECT_THAT(of(route("key = { query_ignore = [\"c\"] }\n", ", tags = [\"{query.c}\", \"{query.d}\"]")),
                ElementsAre("tag-from-unkeyed-input"));
}

TEST(LintRoutes, WhatClientsAreToldIsJudgedAsAnAnswerIs) {
    EXPECT_THAT(of(route(std::string(keyed) + "client = { cache_control = \"max-age=60, imutable\" }\n")),
                ElementsAre("unknown-directive"));
    EXPECT_THAT(of(route(std::string(keyed) + "client = { cdn_cache_control = \"Max-Age=60\" }\n")),
                ElementsAre("targeted-invalid"));
    EXPECT_THAT(of(route(std::string(keyed) + "client = { cdn_cache_control = \"max-age=60\" }\n", ", per = \"user\"")),
                ElementsAre("user-cache-public-client"));
    EXPECT_THAT(of(route(std::string(keyed) + "client = { cache_control = \"no-cache\" }\n")), IsEmpty());
}

}  // namespace
}  // namespace etage::gateway
