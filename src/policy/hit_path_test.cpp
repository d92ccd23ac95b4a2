// The rules a hit passes take nothing from the heap: this test counts what the whole program takes.

#include "base/allocation_count_fixture.hpp"
#include "policy/key.hpp"
#include "policy/reuse.hpp"
#include "policy/select.hpp"
#include "policy/test_messages.hpp"

namespace etage::policy {
namespace {

using base::testing::allocations;

TEST(HitPath, NothingIsAllocated) {
    RoutePolicy policy;
    policy.match = "GET /api/**/posts/{id}";
    policy.key.query_mode = KeyPolicy::Query::ignore;
    policy.key.query = {"utm_source", "utm_campaign"};
    policy.key.headers = {"Accept-Language"};
    policy.cache.per = Per::user;
    const Router router = router_of(policy);
    const Asked asked("GET", "/api/v1/public/posts/1234567890123456?z=%20last&utm_source=a&limit=20&offset=40",
                      {{"Authorization", "Bearer 0123456789012345678901234567890123456789"},
                       {"Accept-Language", "de-DE, de;q=0.9, en;q=0.8"},
                       {"Accept-Encoding", "gzip, br;q=0.9"},
                       {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"},
                       {"If-None-Match", "\"0123456789abcdef0123456789abcdef-g\", \"x\""}});
    const Selectable stored{200, "\"0123456789abcdef0123456789abcdef\"", "Sun, 06 Nov 1994 08:49:37 GMT",
                            http::CodingSet().with(http::Coding::identity).with(http::Coding::gzip)};
    http::Stamps stamps;
    stamps.freshness_lifetime = std::chrono::seconds(60);
    std::string key;
    key.reserve(512);

    const std::size_t before = allocations;
    const Match match = router.match(asked.head.method, asked.head.path);
    const Identity identity = identity_of(match.route, asked.head);
    const bool named = make_key(key, {asked.head, match.route, "http", identity, {7, 7}});
    const auto request_cc = http::parse_request_cache_control(asked.head.fields);
    const auto reuse = judge_reuse(stamps, request_cc, Instant{}, false);
    const auto selection = select(asked.head, stored, WallTime{});
    EXPECT_EQ(allocations, before);

    ASSERT_NE(match.route, nullptr);
    EXPECT_EQ(match.captures[0], "1234567890123456");
    EXPECT_TRUE(named && identity.present);
    EXPECT_EQ(reuse.reuse, Reuse::fresh);
    EXPECT_EQ(selection.shape, Shape::not_modified);
}

}  // namespace
}  // namespace etage::policy
