#include "policy/route.hpp"

#include "policy/test_messages.hpp"

namespace etage::policy {
namespace {

RoutePolicy route(std::string match) {
    RoutePolicy policy;
    policy.match = std::move(match);
    return policy;
}

Router compile(std::vector<RoutePolicy> policies, const std::vector<std::string>& origins = {"api"}) {
    auto router = Router::compile(std::move(policies), origins);
    EXPECT_TRUE(router.has_value()) << router.error().what;
    return router ? std::move(*router) : Router();
}

std::string complaint(RoutePolicy policy, const std::vector<std::string>& origins = {"api"}) {
    std::vector<RoutePolicy> policies{std::move(policy)};
    const auto router = Router::compile(std::move(policies), origins);
    return router ? "" : router.error().what;
}

TEST(Router, TheFirstMatchWins) {
    const auto router = compile({route("GET /posts/new"), route("GET /posts/{id}"), route("/**")});
    EXPECT_EQ(router.match(http::Method::get, "/posts/new").route->index, 0U);
    EXPECT_EQ(router.match(http::Method::get, "/posts/7").route->index, 1U);
    EXPECT_EQ(router.match(http::Method::post, "/posts/7").route->index, 2U);
    EXPECT_EQ(router.match(http::Method::head, "/posts/7").route->index, 1U);
}

TEST(Router, CapturesOfAnEarlierAttemptDoNotStay) {
    const auto router = compile({route("GET /{a}/{b}/x"), route("GET /{c}/*/y")});
    const auto match = router.match(http::Method::get, "/1/2/y");
    ASSERT_EQ(match.route->index, 1U);
    EXPECT_EQ(match.captures[0], "1");
    EXPECT_EQ(match.route->capture_names, std::vector<std::string>{"c"});
}

TEST(Router, NothingMatches) {
    const auto router = compile({route("GET /posts")});
    const auto match = router.match(http::Method::get, "/users");
    EXPECT_EQ(match.route, nullptr);
    EXPECT_FALSE(match.path_known);
    EXPECT_EQ(router.allow("/users"), "");
    EXPECT_EQ(Router().match(http::Method::get, "/").route, nullptr);
    EXPECT_EQ(router.match(http::Method::options, "*").route, nullptr);
}

TEST(RouterRfc9110, Section15_5_6_AKnownPathWithAnotherMethodSaysWhichAreAllowed) {
    const auto router = compile({route("GET /posts"), route("POST /posts"), route("DELETE /posts/{id}")});
    const auto match = router.match(http::Method::put, "/posts");
    EXPECT_EQ(match.route, nullptr);
    EXPECT_TRUE(match.path_known);
    EXPECT_EQ(router.allow("/posts"), "GET, HEAD, POST");
    EXPECT_EQ(router.allow("/posts/7"), "DELETE");
    EXPECT_EQ(router.allow("/%70osts"), "GET, HEAD, POST");
}

TEST(Router, PathsThatCannotBeNormalisedMatchNoRoute) {
    const auto router = compile({route("/**")});
    EXPECT_EQ(router.match(http::Method::get, "/../etc").route, nullptr);
    EXPECT_EQ(router.match(http::Method::get, "/%2").route, nullptr);
}

TEST(Route, NamesAreReadableAndUnique) {
    const auto router =
        compile({route("GET /posts/{id}"), route("DELETE /posts/{id}"), route("/"), route("/**"),
                 route("/static/*/x.js"), route("/posts-id-2"), route("PUT /posts/{id}"), route("/caf%c3%a9/a:b")});
    std::vector<std::string> names;
    for (const auto& each : router.routes()) names.push_back(each->name);
    EXPECT_EQ(names, (std::vector<std::string>{"posts-id", "posts-id-2", "root", "all", "static-any-x.js",
                                               "posts-id-2-2", "posts-id-3", "caf-C3-A9-a-b"}));
}

TEST(Route, OriginsAreFoundByName) {
    auto images = route("/images/**");
    images.origin = "images";
    const auto router = compile({images, route("/**")}, {"api", "images"});
    EXPECT_EQ(router.routes()[0]->origin, 1U);
    EXPECT_EQ(router.routes()[1]->origin, 0U);
    images.origin = "imagse";
    EXPECT_EQ(complaint(images, {"api", "images"}),
              "route \"/images/**\": there is no origin named \"imagse\"; did you mean \"images\"?");
    images.origin = "zzz";
    EXPECT_EQ(complaint(images), "route \"/images/**\": there is no origin named \"zzz\"");
}

TEST(Route, MistakesNameTheRoute) {
    EXPECT_TRUE(complaint(route("posts")).starts_with("route \"posts\": "));
    auto policy = route("GET /posts/{id}");
    policy.cache.tags = {"post:{path.di}"};
    EXPECT_EQ(
        complaint(policy),
        "route \"GET /posts/{id}\": template \"post:{path.di}\": the pattern has no {di}; did you mean {path.id}?");
    policy = route("POST /posts");
    policy.invalidates = {"posts:{"};
    EXPECT_NE(complaint(policy), "");
    policy = route("/x");
    policy.key.headers = {"Accept Language"};
    EXPECT_NE(complaint(policy).find("cannot be the name of a header"), std::string::npos);
}

TEST(Route, TemplatesAreCompiledWithTheCaptures) {
    auto policy = route("GET /users/{user}/posts/{id}");
    policy.cache.tags = {"posts", "post:{path.id}"};
    policy.invalidates = {"user:{path.user}"};
    const auto router = compile({policy});
    const auto match = router.match(http::Method::get, "/users/joe/posts/7");
    const TemplateInput values{match.route->capture_names, match.captures, "", {}};
    std::string text;
    EXPECT_TRUE(match.route->tags[1].expand(text, values));
    EXPECT_TRUE(match.route->invalidates[0].expand(text, values));
    EXPECT_EQ(text, "post:7user:joe");
}

TEST(Revision, IsStableAndNeverZero) {
    EXPECT_EQ(compile({route("GET /a")}).routes()[0]->revision,
              compile({route("/b"), route("GET /a")}).routes()[1]->revision);
    EXPECT_NE(compile({route("GET /a")}).routes()[0]->revision, 0U);
}

TEST(Revision, ChangesWithEveryMember) {
    const auto revision = [](auto change) {
        RoutePolicy policy = route("GET /a/{id}");
        change(policy);
        return compile({policy}, {"api", "other"}).routes()[0]->revision;
    };
    using namespace std::chrono_literals;
    const std::vector<std::uint32_t> all = {
        revision([](RoutePolicy&) {}),
        revision([](RoutePolicy& p) { p.match = "GET /a/{no}"; }),
        revision([](RoutePolicy& p) { p.cache.pass = true; }),
        revision([](RoutePolicy& p) { p.cache.ttl = 0s; }),
        revision([](RoutePolicy& p) { p.cache.ttl = 1s; }),
        revision([](RoutePolicy& p) { p.cache.stale_while_revalidate = 1s; }),
        revision([](RoutePolicy& p) { p.cache.stale_if_error = 1s; }),
        revision([](RoutePolicy& p) { p.cache.negative_ttl = 1s; }),
        revision([](RoutePolicy& p) { p.cache.tags = {"a", "b"}; }),
        revision([](RoutePolicy& p) { p.cache.tags = {"a1:b"}; }),
        revision([](RoutePolicy& p) { p.cache.per = Per::user; }),
        revision([](RoutePolicy& p) { p.cache.allow_set_cookie = true; }),
        revision([](RoutePolicy& p) { p.cache.allow_cookie = true; }),
        revision([](RoutePolicy& p) { p.cache.respect_origin = false; }),
        revision([](RoutePolicy& p) { p.key.query_mode = KeyPolicy::Query::allow; }),
        revision([](RoutePolicy& p) { p.key.query = {"a"}; }),
        revision([](RoutePolicy& p) { p.key.headers = {"a"}; }),
        revision([](RoutePolicy& p) { p.client.cache_control = ""; }),
        revision([](RoutePolicy& p) { p.client.cdn_cache_control = ""; }),
        revision([](RoutePolicy& p) { p.client.expose_tags = true; }),
        revision([](RoutePolicy& p) { p.client.compress = false; }),
        revision([](RoutePolicy& p) { p.identity.header = "a"; }),
        revision([](RoutePolicy& p) { p.identity.cookie = "a"; }),
        revision([](RoutePolicy& p) { p.limits.emplace_back(); }),
        revision([](RoutePolicy& p) { p.limits.emplace_back().dry_run = true; }),
        revision([](RoutePolicy& p) { p.limits.emplace_back().lease = 2; }),
        revision([](RoutePolicy& p) { p.limits.emplace_back().allow = {"a"}; }),
        revision([](RoutePolicy& p) { p.client.x_ratelimit = true; }),
        revision([](RoutePolicy& p) { p.invalidates = {"a"}; }),
        revision([](RoutePolicy& p) { p.origin = "other"; }),
    };
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = i + 1; j < all.size(); ++j) EXPECT_NE(all[i], all[j]) << i << " and " << j;
}

}  // namespace
}  // namespace etage::policy
