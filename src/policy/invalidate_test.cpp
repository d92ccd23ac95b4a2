#include "policy/invalidate.hpp"

#include "policy/test_messages.hpp"

namespace etage::policy {
namespace {

using Texts = std::vector<std::string>;

struct Collected {
    Texts uris;
    Texts tags;
    Texts groups;
};

Collected collect(std::string target, FieldPairs response, const Router& router = {}) {
    const Asked asked("POST", std::move(target), {{"X-Tenant", "t1"}});
    Collected out;
    collect_invalidations(asked.head, "http", fields_of(response), router.match(asked.head.method, asked.head.path),
                          {[&](std::string_view tag) { out.tags.emplace_back(tag); },
                           [&](std::string_view group) { out.groups.emplace_back(group); },
                           [&](std::string_view uri) { out.uris.emplace_back(uri); }});
    return out;
}

TEST(InvalidateRfc9111, Section4_4_SuccessfulUnsafeMethods) {
    using http::Method;
    for (const auto method : {Method::post, Method::put, Method::patch, Method::delete_, Method::other}) {
        for (const int status : {200, 201, 204, 303}) EXPECT_TRUE(invalidates(method, status));
        for (const int status : {100, 400, 404, 500, 503}) EXPECT_FALSE(invalidates(method, status));
    }
    for (const auto method : {Method::get, Method::head, Method::options, Method::trace, Method::query})
        EXPECT_FALSE(invalidates(method, 200));
}

TEST(InvalidateRfc9111, Section4_4_TheTargetUri) {
    EXPECT_EQ(collect("/posts/7?x=1", {}).uris, Texts{"http://example.test/posts/7?x=1"});
    EXPECT_EQ(collect("/a/../posts/%37", {}).uris, Texts{"http://example.test/posts/7"});
    EXPECT_EQ(collect("/..", {}).uris, Texts{});
}

TEST(InvalidateRfc9111, Section4_4_LocationAndContentLocationOfTheSameOrigin) {
    EXPECT_EQ(
        collect("/posts", {{"Location", "/posts/8"}, {"Content-Location", "http://example.test:80/posts/latest?x"}})
            .uris,
        (Texts{"http://example.test/posts", "http://example.test/posts/8", "http://example.test/posts/latest?x"}));
    EXPECT_EQ(collect("/posts/7", {{"Location", "../users/1#top"}}).uris,
              (Texts{"http://example.test/posts/7", "http://example.test/users/1"}));
}

TEST(InvalidateRfc9111, Section4_4_NeverAnotherOrigin) {  // INV-08
    for (const char* other :
         {"http://other.test/x", "//other.test/x", "https://example.test/x", "http://example.test:81/x",
          "http://example.test@other.test/x", "ftp://example.test/x", "data:text/plain,x"})
        EXPECT_EQ(collect("/z", {{"Location", other}, {"Content-Location", other}}).uris,
                  Texts{"http://example.test/z"})
            << other;
}

TEST(InvalidateRfc9875, Section3_CacheGroupInvalidation) {
    const std::string origin = "http://example.test ";
    EXPECT_EQ(collect("/z", {{"Cache-Group-Invalidation", "\"posts\", \"users\";x=1"}}).groups,
              (Texts{origin + "posts", origin + "users"}));
    EXPECT_EQ(collect("/z", {{"Cache-Group-Invalidation", "\"a\""}, {"Cache-Group-Invalidation", "\"b\""}}).groups,
              (Texts{origin + "a", origin + "b"}));
    EXPECT_EQ(collect("/z", {{"Cache-Group-Invalidation", "\"a\", b"}}).groups, Texts{});
    EXPECT_EQ(collect("/z", {{"Cache-Group-Invalidation", "\"a\""}}).tags, Texts{});
}

TEST(InvalidateRfc9875, Section2_AGroupIsOfItsOrigin) {
    const Asked asked("GET", "/a");
    Texts groups;
    for_each_cache_group(asked.head, "https", fields_of({{"Cache-Groups", "\"x\", \"y\""}}),
                         [&](std::string_view group) { groups.emplace_back(group); });
    EXPECT_EQ(groups, (Texts{"https://example.test x", "https://example.test y"}));
    EXPECT_EQ(group_text("http", "A.test:80", "x"), group_text("http", "a.test", "x"));
    EXPECT_NE(group_text("http", "a.test", "x"), group_text("https", "a.test", "x"));
}

TEST(Invalidate, TheTagsTheRouteNames) {
    RoutePolicy policy;
    policy.match = "POST /posts/{id}";
    policy.invalidates = {"posts", "post:{path.id}", "cat:{query.category}", "tenant:{header.X-Tenant}"};
    const Router router = router_of(policy);
    EXPECT_EQ(collect("/posts/7", {}, router).tags, (Texts{"posts", "post:7", "tenant:t1"}));
    EXPECT_EQ(collect("/posts/7?category=news", {}, router).tags, (Texts{"posts", "post:7", "cat:news", "tenant:t1"}));
}

TEST(UriText, SpellingsOfOneUriHaveOneName) {
    EXPECT_EQ(uri_text("http", "example.test", "/a", "", false), "http://example.test/a");
    EXPECT_EQ(uri_text("HTTP", "EXAMPLE.test:80", "/x/../%61", "b=2&a=1", true), "http://example.test/a?a=1&b=2");
    EXPECT_EQ(uri_text("https", "example.test:443", "/%2f", "q", true), "https://example.test/%2F?q");
    EXPECT_EQ(uri_text("https", "example.test:80", "/", "", true), "https://example.test:80/");
    EXPECT_NE(uri_text("http", "a", "/", "q=1&q=2", true), uri_text("http", "a", "/", "q=2&q=1", true));
    EXPECT_EQ(uri_text("http", "a", "/../x", "", false), "");
    EXPECT_EQ(uri_text("http", "a", "*", "", false), "");
}

Texts surrogates(FieldPairs response) {
    Texts out;
    for_each_surrogate(fields_of(response), [&](std::string_view tag) { out.emplace_back(tag); });
    return out;
}

TEST(Surrogates, EachFieldInItsOwnWriting) {
    EXPECT_EQ(surrogates({{"Cache-Tag", "a, b c ,,d"}}), (Texts{"a", "b c", "d"}));
    EXPECT_EQ(surrogates({{"Surrogate-Key", " a b,c  d "}}), (Texts{"a", "b,c", "d"}));
    EXPECT_EQ(surrogates({{"xkey", "a b"}, {"xkey", "c"}}), (Texts{"a", "b", "c"}));
    EXPECT_EQ(surrogates({{"Cache-Groups", "\"a b\", \"c\""}}), (Texts{"a b", "c"}));
    EXPECT_EQ(surrogates({{"Cache-Groups", "a, b"}, {"Cache-Tag", ""}, {"Surrogate-Key", "  "}}), Texts{});
}

TEST(Surrogates, AreRemovedBeforeAClientSeesThem) {
    auto fields = fields_of({{"Cache-Tag", "a"},
                             {"Surrogate-Key", "a"},
                             {"XKey", "a"},
                             {"Cache-Groups", "\"a\""},
                             {"Cache-Group-Invalidation", "\"a\""},
                             {"ETag", "\"a\""}});
    remove_tag_fields(fields);
    ASSERT_EQ(fields.size(), 1U);
    EXPECT_EQ(fields.span()[0].id, http::FieldId::etag);
}

}  // namespace
}  // namespace etage::policy
