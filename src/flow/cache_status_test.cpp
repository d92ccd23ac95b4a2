// RFC 9211: every word of the closed list is said by something that happens.

#include "coherence/tag.hpp"
#include "flow/remote_fixture.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <stdexcept>

namespace etage::flow::testing {
namespace {

RoutePolicy route(std::string match) {
    RoutePolicy policy;
    policy.match = std::move(match);
    return policy;
}

/// An origin that says these fields, once and always.
struct Saying {
    explicit Saying(const std::string& cache_control, std::vector<std::pair<std::string, std::string>> more = {},
                    std::vector<RoutePolicy> routes = {})
        : house(std::move(routes)) {
        say.fields = std::move(more);
        if (!cache_control.empty()) say.fields.emplace_back("Cache-Control", cache_control);
        house.origin.script = [this](const Seen&) { return say; };
    }
    Reply get(std::vector<std::string> more = {}) { return house.get("GET /a", std::move(more)); }
    Reply then(std::function<void()> what, std::vector<std::string> more = {}) {
        get();
        what();
        return get(std::move(more));
    }

    TestHouse house;
    Say say;
};

Reply saying(const std::string& cache_control, std::vector<std::string> request = {}) {
    return Saying(cache_control).get(std::move(request));
}

Reply twice(const std::string& cache_control, std::vector<std::string> request, Duration between = 0s) {
    Saying s(cache_control);
    return s.then([&] { s.house.pass(between); }, std::move(request));
}

Reply failing(Fault fault) {
    Saying s("");
    s.say.fault = fault;
    return s.get();
}

Reply after_a_purge(coherence::Softness softness) {
    Saying s("max-age=60", {{"Surrogate-Key", "t"}});
    return s.then([&] {
        const TagHash tag = coherence::tag_hash(coherence::TagKind::surrogate, "t");
        s.house.engine.invalidate({std::array{tag}, softness});
    });
}

Reply with_route(RoutePolicy policy, int times = 1) {
    Saying s("", {}, {std::move(policy)});
    for (int i = 1; i < times; ++i) s.get();
    return s.get();
}

Reply equivalent() {
    Saying s("max-age=60", {{"No-Vary-Search", "params=(\"utm\")"}});
    s.get();
    return s.house.get("GET /a?utm=x");
}

Reply handlers_only(const std::string& line) {
    TestHouse house({route("GET /posts")}, true);
    return house.get(line);
}

Reply fenced() {
    Saying s("max-age=60");
    s.say.after = 50ms;
    const auto early = s.house.ask("GET /a");
    s.house.pass(10ms);
    s.say.after = 0s;
    s.house.get("PUT /a", {}, "x");
    s.house.pass(100ms);
    return *early;
}

Reply too_slow() {
    Saying s("max-age=60");
    s.say.after = 11s;
    s.house.ask("GET /a");
    const auto follower = s.house.ask("GET /a");
    s.house.settle();
    s.say.after = 0s;
    s.house.pass(10'010ms);
    return *follower;
}

Reply stale_because_the_origin_failed() {
    Saying s("max-age=1");
    return s.then([&] {
        s.house.pass(2s);
        s.say.fault = Fault::origin_unreachable;
    });
}

Reply throwing() {
    TestHouse house;
    house.origin.script = [](const Seen&) -> Say { throw std::runtime_error("scripted"); };
    return house.get("GET /a");
}

Reply many_tags() {
    Saying s("max-age=60");
    for (int i = 0; i < 513; ++i) s.say.tags.push_back(std::to_string(i));
    return s.get();
}

Reply large() {
    Saying s("max-age=60");
    s.say.body.assign((std::size_t{8} << 20) + 1, 'x');
    s.say.stream = s.say.sized = true;
    s.say.piece_bytes = std::size_t{1} << 20;
    s.house.ask("GET /a");
    s.house.pass(100ms);
    s.house.store.clear();
    const auto reply = s.house.ask("GET /a");
    s.house.pass(100ms);
    return *reply;
}

Reply refused() {
    TestHouse house;
    Answer answer;
    house.walk->refuse(Fault::bad_request, "scripted", answer);
    Reply reply;
    reply.verdict = answer.verdict;
    const std::string_view tail = answer.tail.view();
    reply.fields["cache-status"] = tail.substr(14, tail.size() - 16);
    return reply;
}

RoutePolicy passing() {
    RoutePolicy policy = route("GET /a");
    policy.cache.pass = true;
    return policy;
}

RoutePolicy limited() {
    RoutePolicy policy = route("GET /a");
    policy.limits = {{.name = "burst", .quota = 1, .window = 60s}};
    return policy;
}

RoutePolicy denied() {
    RoutePolicy policy = limited();
    policy.limits[0].deny = {"192.0.2.0/24"};  // where the tests live
    return policy;
}

Reply too_many_at_once() {
    RoutePolicy policy = route("GET /a");
    policy.limits = {{.name = "seats", .algorithm = LimitPolicy::Algorithm::concurrency, .max = 1}};
    TestHouse house({std::move(policy)});
    house.origin.script = [](const testing::Seen&) { return testing::Say{.after = 1s}; };
    const auto first = house.ask("GET /a");
    house.settle();
    Reply second = house.get("GET /a?other");
    house.pass(1100ms);
    return second;
}

struct NobodyCounts final : limit::RemoteQuotas {
    asio::awaitable<Result<std::vector<limit::Grant>>> take(std::span<const limit::Claim>, Instant) override {
        co_return failure(Blame::remote_store, Fault::internal, "away", true);
    }
    bool away() const noexcept override { return true; }
    std::uint64_t instances() const noexcept override { return 1; }
};

Reply limit_unknown() {
    NobodyCounts nobody;
    RoutePolicy policy = limited();
    policy.limits[0].outage = LimitPolicy::Outage::closed;
    return TestHouse({std::move(policy)}, false, nullptr, nullptr, &nobody).get("GET /a");
}

Reply part() { return Saying("max-age=60").get({"Range: bytes=0-1"}); }

Reply unasked_part() {
    Saying s("max-age=60", {{"Content-Range", "bytes 0-4/10"}});
    s.say.status = 206;
    return s.get();
}

Reply from_the_shared_tier() {
    PlayedRemote remote;
    TestHouse house({}, false, &remote);
    house.origin.script = [](const Seen&) { return Say{.fields = {{"Cache-Control", "max-age=60"}}}; };
    house.get("GET /a");
    house.store.clear();
    return house.get("GET /a");
}

Reply not_recorded() {
    DeafLog log;
    TestHouse house({}, false, nullptr, &log);
    return house.get("PUT /a", {}, "x");
}

Reply dim() {
    Saying s("max-age=60");
    return s.then([&] { s.house.engine.sees_until(Instant{}, Instant::max()); });
}

Reply unconfirmed() {
    Saying s("max-age=60");
    return s.then([&] { s.house.engine.raise_floor(s.house.engine.fence() + 1); });
}

const std::map<Detail, std::function<Reply()>>& details() {
    static const std::map<Detail, std::function<Reply()>> all{
        {Detail::none, [] { return saying("max-age=60"); }},
        {Detail::stale_while_revalidate, [] { return twice("max-age=1, stale-while-revalidate=60", {}, 2s); }},
        {Detail::stale_if_error, stale_because_the_origin_failed},
        {Detail::request_max_stale, [] { return twice("max-age=1", {"Cache-Control: max-stale=60"}, 2s); }},
        {Detail::no_vary_search, equivalent},
        {Detail::redis, from_the_shared_tier},
        {Detail::route_pass, [] { return with_route(passing()); }},
        {Detail::authorization, [] { return saying("max-age=60", {"Authorization: Basic eDp5"}); }},
        {Detail::request_body, [] { return Saying("").house.get("GET /a", {}, "x"); }},
        {Detail::range, part},
        {Detail::upgrade, [] { return saying("max-age=60", {"Connection: Upgrade", "Upgrade: websocket"}); }},
        {Detail::behind_token, [] { return saying("max-age=60", {"Etage-Min-Seq: 99999999"}); }},
        {Detail::blind, dim},
        {Detail::key_too_long, [] { return Saying("").house.get("GET /%zz"); }},
        {Detail::not_shareable, [] { return twice("private", {}); }},
        {Detail::flight_too_slow, too_slow},
        {Detail::invalidated, [] { return after_a_purge(coherence::Softness::hard); }},
        {Detail::soft_invalidated, [] { return after_a_purge(coherence::Softness::soft); }},
        {Detail::unconfirmed, unconfirmed},
        {Detail::only_if_cached, [] { return saying("max-age=60", {"Cache-Control: only-if-cached"}); }},
        {Detail::no_store, [] { return saying("no-store"); }},
        {Detail::private_, [] { return saying("private"); }},
        {Detail::set_cookie, [] { return Saying("max-age=9", {{"Set-Cookie", "a=b"}}).get(); }},
        {Detail::vary_star, [] { return Saying("max-age=9", {{"Vary", "*"}}).get(); }},
        {Detail::vary_too_wide, [] { return Saying("max-age=9", {{"Vary", "a, b, c, d, e, f, g, h, i"}}).get(); }},
        {Detail::no_freshness, [] { return Saying("").get(); }},
        {Detail::status_not_cacheable,
         [] {
             Saying s("max-age=60");
             s.say.status = 403;
             return s.get();
         }},
        {Detail::partial, unasked_part},
        {Detail::too_large, large},
        {Detail::fenced, fenced},
        {Detail::too_many_tags, many_tags},
        {Detail::not_recorded, not_recorded},
        {Detail::origin_unreachable, [] { return failing(Fault::origin_unreachable); }},
        {Detail::origin_timeout, [] { return failing(Fault::origin_timeout); }},
        {Detail::origin_protocol, [] { return failing(Fault::origin_protocol); }},
        {Detail::origin_incomplete, [] { return failing(Fault::origin_incomplete); }},
        {Detail::overloaded, [] { return failing(Fault::overloaded); }},
        {Detail::internal, throwing},
        {Detail::rate_limited, [] { return with_route(limited(), 2); }},
        {Detail::too_many_at_once, too_many_at_once},
        {Detail::limit_unknown, limit_unknown},
        {Detail::denied, [] { return with_route(denied()); }},
        {Detail::no_route, [] { return handlers_only("GET /nowhere"); }},
        {Detail::method_not_allowed, [] { return handlers_only("DELETE /posts"); }},
        {Detail::bad_request, refused},
    };
    return all;
}

/// Said in another way: incomplete comes when the field is long sent, and is counted
/// (Walk.AStreamCutShortIsNeitherCompletedNorStored); method_not_cacheable needs a method that fills and is not stored,
/// which none is.
constexpr Detail never_in_a_field[] = {Detail::incomplete, Detail::method_not_cacheable};

TEST(CacheStatusRfc9211, Section2_8_EveryDetailIsSaid) {
    for (std::size_t i = 0; i < detail_count; ++i) {
        const auto detail = static_cast<Detail>(i);
        if (std::ranges::find(never_in_a_field, detail) != std::end(never_in_a_field)) continue;
        const auto scenario = details().find(detail);
        ASSERT_NE(scenario, details().end()) << "nothing that happens says " << detail_name(detail);
        const Reply reply = scenario->second();
        EXPECT_EQ(detail_name(reply.verdict.detail), detail_name(detail));
        const std::string said = reply.fields.at("cache-status");
        const std::string word = "; detail=" + std::string(detail_name(detail));
        EXPECT_EQ(said.ends_with(word), detail != Detail::none) << said;
    }
}

TEST(CacheStatusRfc9211, Section2_2_EveryReasonToGoForwardIsSaid) {
    const std::map<Forward, std::function<Reply()>> reasons{
        {Forward::none, [] { return twice("max-age=60", {}); }},
        {Forward::bypass, [] { return with_route(passing()); }},
        {Forward::method, [] { return Saying("").house.get("POST /a"); }},
        {Forward::uri_miss, [] { return saying("max-age=60"); }},
        {Forward::vary_miss,
         [] {
             Saying s("max-age=60", {{"Vary", "X-A"}});
             return s.then([] {}, {"X-A: 1"});
         }},
        {Forward::request, [] { return twice("max-age=60", {"Cache-Control: no-cache"}); }},
        {Forward::stale, [] { return twice("max-age=1", {}, 2s); }},
        {Forward::partial,
         [] {
             Saying s("max-age=60", {{"ETag", "\"1\""}, {"Content-Range", "bytes 0-4/10"}});
             s.say.status = 206;
             s.get({"Range: bytes=0-4"});
             s.say = Say{.fields = {{"Cache-Control", "max-age=60"}}, .body = "0123456789"};
             return s.get();
         }},
    };
    for (std::size_t i = 0; i < forward_count; ++i) {
        const auto forward = static_cast<Forward>(i);
        ASSERT_TRUE(reasons.contains(forward)) << forward_name(forward);
        const Reply reply = reasons.at(forward)();
        EXPECT_EQ(forward_name(reply.verdict.forward), forward_name(forward));
        const std::string said = reply.fields.at("cache-status");
        const std::string word = "; fwd=" + std::string(forward_name(forward));
        EXPECT_EQ(said.find(word) != std::string::npos, forward != Forward::none) << said;
        EXPECT_EQ(said.find("; hit") != std::string::npos, forward == Forward::none) << said;
    }
}

TEST(CacheStatusRfc9211, Section2_6_CollapsedIsSaidToThoseWhoWaited) {
    Saying s("max-age=60");
    s.say.after = 5ms;
    const auto first = s.house.ask("GET /a");
    const auto second = s.house.ask("GET /a");
    s.house.pass(10ms);
    EXPECT_EQ((*first)["cache-status"], "etage; fwd=uri-miss; fwd-status=200; stored; ttl=59");
    EXPECT_EQ((*second)["cache-status"], "etage; fwd=uri-miss; fwd-status=200; stored; collapsed; ttl=59");
}

TEST(CacheStatusRfc9211, Section2_OtherCachesMembersStandBeforeOurs) {
    Saying s("max-age=60", {{"Cache-Status", "Inner; hit"}});
    EXPECT_EQ(s.get()["cache-status"], "Inner; hit, etage; fwd=uri-miss; fwd-status=200; stored; ttl=60");
}

}  // namespace
}  // namespace etage::flow::testing
