#include "policy/freshness.hpp"

#include "policy/test_messages.hpp"

#include <rapidcheck.h>

namespace etage::policy {
namespace {

using namespace std::chrono_literals;

// Sun, 06 Nov 1994 08:49:37 GMT
constexpr WallTime wall{std::chrono::seconds(784'111'777)};
constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr Now sent{Instant{1h}, wall};

http::Stamps stamps_at(Answered& x, Now request_time, Now response_time, std::uint64_t jitter = 0) {
    const Exchange exchange = x.exchange();
    return compute_stamps({exchange, request_time, response_time, jitter});
}
http::Stamps stamps(Answered& x, std::uint64_t jitter = 0) { return stamps_at(x, sent, sent, jitter); }
http::Stamps stamps(Answered&& x) { return stamps(x); }
http::Stamps stamps(FieldPairs fields) { return stamps(Answered(200, fields)); }
Duration lifetime(FieldPairs fields) { return stamps(fields).freshness_lifetime; }
http::Stamps with_cc(std::string_view cache_control) { return stamps({{"Cache-Control", cache_control}}); }

CachePolicy ttl(Duration d) {
    CachePolicy cache;
    cache.ttl = d;
    return cache;
}

// ---- which source

TEST(FreshnessRfc9111, Section4_2_1_SMaxageBeatsMaxAge) {
    EXPECT_EQ(with_cc("max-age=3600, s-maxage=1").freshness_lifetime, 1s);
    EXPECT_EQ(with_cc("s-maxage=3600, max-age=1").freshness_lifetime, 3600s);
    EXPECT_EQ(with_cc("s-maxage=0, max-age=60").freshness_lifetime, 0s);
}

TEST(FreshnessRfc9111, Section4_2_1_MaxAgeBeatsExpires) {
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=60"}, {"Expires", "Thu, 01 Jan 1970 00:00:00 GMT"}, {"Date", date}}),
              60s);
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=0"}, {"Expires", "Fri, 06 Nov 2054 08:49:37 GMT"}, {"Date", date}}),
              0s);
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=60"}, {"Expires", "0"}}), 60s);
}

TEST(FreshnessRfc9111, Section4_2_1_ExpiresMinusDate) {
    EXPECT_EQ(lifetime({{"Expires", "Sun, 06 Nov 1994 08:54:37 GMT"}, {"Date", date}}), 300s);
    EXPECT_EQ(lifetime({{"Expires", date}, {"Date", date}}), 0s);
    EXPECT_EQ(lifetime({{"Expires", "Sun, 06 Nov 1994 08:49:36 GMT"}, {"Date", date}}), 0s);
    EXPECT_EQ(lifetime({{"Expires", "Sun, 06 Nov 1994 08:54:37 GMT"}, {"Date", "Sun, 06 Nov 1994 08:54:39 GMT"}}), 0s);
}

TEST(FreshnessRfc9110, Section6_6_1_WithoutDateTheTimeOfReceiptCounts) {
    EXPECT_EQ(lifetime({{"Expires", "Sun, 06 Nov 1994 08:54:37 GMT"}}), 300s);
    EXPECT_EQ(lifetime({{"Expires", "Sun, 06 Nov 1994 08:54:37 GMT"}, {"Date", "yesterday"}}), 300s);
}

TEST(FreshnessRfc9111, Section5_3_InvalidExpiresIsInThePast) {
    for (const char* text : {"0", "-1", "", "never", "Sun, 06 Nov 2094", "Sun, 06 Nov 2094 08:49:37 GMT, x"}) {
        Answered x(200, {{"Expires", text}});
        EXPECT_EQ(stamps_at(x, sent, sent).freshness_lifetime, 0s) << text;
        EXPECT_TRUE(has_explicit_freshness(x.exchange())) << text;
    }
}

TEST(FreshnessRfc9111, Section4_2_1_TheFirstOfSeveralExpiresCounts) {
    EXPECT_EQ(lifetime({{"Date", date}, {"Expires", date}, {"Expires", "Sun, 06 Nov 1994 08:54:37 GMT"}}), 0s);
}

TEST(FreshnessRfc9111, Section4_2_2_HeuristicIsATenthOfTheTimeSinceItChanged) {
    const auto s = stamps({{"Date", date}, {"Last-Modified", "Sun, 06 Nov 1994 07:09:37 GMT"}});
    EXPECT_EQ(s.freshness_lifetime, 600s);
    EXPECT_TRUE(s.heuristic);
    EXPECT_FALSE(with_cc("max-age=60").heuristic);
    EXPECT_EQ(lifetime({{"Last-Modified", "Sun, 06 Nov 1994 07:09:37 GMT"}}), 600s);
}

TEST(FreshnessRfc9111, Section4_2_2_HeuristicIsAtMostADay) {
    EXPECT_EQ(lifetime({{"Date", date}, {"Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"}}), heuristic_lifetime_max);
}

TEST(FreshnessRfc9111, Section4_2_2_NoHeuristicWithExplicitFreshnessOrForOtherStatuses) {
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=1"}, {"Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"}}), 1s);
    EXPECT_EQ(stamps(Answered(201, {{"Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"}})).freshness_lifetime, 0s);
    EXPECT_EQ(lifetime({{"Last-Modified", "Mon, 06 Nov 1995 08:49:37 GMT"}}), 0s);  // in the future
    EXPECT_EQ(lifetime({{"Last-Modified", "long ago"}}), 0s);
}

TEST(FreshnessRfc9111, Section4_2_2_PublicAllowsHeuristics) {
    EXPECT_EQ(stamps(Answered(299, {{"Cache-Control", "public"}, {"Last-Modified", "Sun, 06 Nov 1994 07:09:37 GMT"}}))
                  .freshness_lifetime,
              600s);
}

TEST(Freshness, WithNothingItIsZero) {
    const auto s = stamps(FieldPairs{});
    EXPECT_EQ(s.freshness_lifetime, 0s);
    EXPECT_EQ(s.response_time, sent.mono);
    EXPECT_FALSE(s.heuristic || s.no_cache || s.must_revalidate);
    Answered x(200, {});
    EXPECT_EQ(freshness_source(x.exchange()), FreshnessSource::none);
    EXPECT_FALSE(has_explicit_freshness(x.exchange()));
}

TEST(FreshnessRfc9111, Section4_2_1_ConflictsAndNonsenseMakeItStale) {
    EXPECT_EQ(with_cc("max-age=60, max-age=0").freshness_lifetime, 0s);
    EXPECT_EQ(with_cc("max-age=-5").freshness_lifetime, 0s);
    EXPECT_EQ(with_cc("max-age=a100").freshness_lifetime, 0s);
    EXPECT_EQ(with_cc("max-age=1e9").freshness_lifetime, 0s);
}

TEST(FreshnessRfc9111, Section1_2_2_LargeNumbersAreClamped) {
    constexpr std::chrono::seconds longest{std::int64_t{1} << 31};
    EXPECT_EQ(with_cc("max-age=99999999999").freshness_lifetime, longest);
    EXPECT_EQ(with_cc("max-age=99999999999999999999999999").freshness_lifetime, longest);
    EXPECT_EQ(lifetime({{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}, {"Date", "Thu, 01 Jan 1970 00:00:00 GMT"}}),
              longest);
    EXPECT_EQ(stamps(Answered(200, {}).with(ttl(Duration::max()))).freshness_lifetime, longest);
    EXPECT_EQ(stamps(Answered(200, {}).with(ttl(Duration::min()))).freshness_lifetime, 0s);
}

// ---- targeted fields

TEST(FreshnessRfc9213, Section2_2_TargetedFieldsBeatCacheControlAndExpires) {
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age=1"}, {"Cache-Control", "s-maxage=3600"}}), 1s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age=3600"}, {"Cache-Control", "max-age=1"}}), 3600s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "must-revalidate"}, {"Cache-Control", "max-age=1"}}), 0s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "foo"}, {"Expires", "Sun, 06 Nov 1994 08:54:37 GMT"}}), 0s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age=2"}, {"Etage-Cache-Control", "max-age=5"}}), 5s);
}

TEST(FreshnessRfc9213, Section2_1_AnInvalidTargetedFieldIsAsIfItWereNotThere) {
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age =100"}, {"Cache-Control", "max-age=1"}}), 1s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", ""}, {"Cache-Control", "max-age=1"}}), 1s);
    EXPECT_EQ(lifetime({{"Etage-Cache-Control", "MaX-aGe=9"}, {"CDN-Cache-Control", "max-age=2"}}), 2s);
}

// ---- routes

TEST(FreshnessRoute, TtlOverridesTheOrigin) {
    EXPECT_EQ(stamps(Answered(200, {{"Cache-Control", "max-age=1, s-maxage=2"}}).with(ttl(60s))).freshness_lifetime,
              60s);
    EXPECT_EQ(stamps(Answered(200, {{"Cache-Control", "max-age=3600"}}).with(ttl(60s))).freshness_lifetime, 60s);
    EXPECT_EQ(stamps(Answered(200, {{"CDN-Cache-Control", "max-age=1"}}).with(ttl(60s))).freshness_lifetime, 60s);
    EXPECT_EQ(stamps(Answered(200, {}).with(ttl(0s))).freshness_lifetime, 0s);
}

TEST(FreshnessRoute, TtlDoesNotGovernOtherStatuses) {
    EXPECT_EQ(stamps(Answered(302, {{"Cache-Control", "max-age=1"}}).with(ttl(60s))).freshness_lifetime, 1s);
    EXPECT_EQ(stamps(Answered(404, {}).with(ttl(60s))).freshness_lifetime, 0s);
    EXPECT_EQ(stamps(Answered(503, {}).with(ttl(60s))).freshness_lifetime, 0s);
}

TEST(FreshnessRoute, NegativeTtlCountsWhereTheResponseIsSilent) {
    CachePolicy cache = ttl(60s);
    cache.negative_ttl = 5s;
    EXPECT_EQ(stamps(Answered(404, {}).with(cache)).freshness_lifetime, 5s);
    EXPECT_EQ(
        stamps(Answered(410, {{"Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"}}).with(cache)).freshness_lifetime, 5s);
    EXPECT_EQ(stamps(Answered(404, {{"Cache-Control", "max-age=9"}}).with(cache)).freshness_lifetime, 9s);
    EXPECT_EQ(stamps(Answered(200, {}).with(cache)).freshness_lifetime, 60s);
}

TEST(FreshnessRoute, JitterShortensTheTtlByUpToATenth) {
    EXPECT_EQ(stamps(Answered(200, {}).with(ttl(100s)), 0).freshness_lifetime, 100s);
    const auto most = stamps(Answered(200, {}).with(ttl(100s)), ~std::uint64_t{0}).freshness_lifetime;
    EXPECT_GE(most, 90s);
    EXPECT_LT(most, 90s + 1us);
    Answered own(200, {{"Cache-Control", "max-age=100"}});
    EXPECT_EQ(stamps(own, ~std::uint64_t{0}).freshness_lifetime, 100s);
    EXPECT_TRUE(rc::check([](std::uint64_t jitter) {
        const auto d = stamps(Answered(200, {}).with(ttl(100s)), jitter).freshness_lifetime;
        RC_ASSERT(d >= 90s && d <= 100s);
    }));
}

TEST(FreshnessRoute, TheOriginsClockDoesNotShortenTheTtl) {
    Answered x(200, {{"Date", "Sun, 06 Nov 1994 08:39:37 GMT"}});  // ten minutes slow
    x.with(ttl(60s));
    EXPECT_EQ(stamps_at(x, sent, sent).initial_age, 0s);
    Answered aged(200, {{"Age", "20"}});
    aged.with(ttl(60s));
    EXPECT_EQ(stamps_at(aged, sent, sent).initial_age, 20s);
}

// ---- age

TEST(FreshnessRfc9111, Section4_2_3_ApparentAge) {
    EXPECT_EQ(stamps({{"Date", "Sun, 06 Nov 1994 08:48:37 GMT"}}).initial_age, 60s);
    EXPECT_EQ(stamps({{"Date", "Sun, 06 Nov 1994 08:59:37 GMT"}}).initial_age, 0s);  // fast clock: never negative
    EXPECT_EQ(stamps({{"Date", "Sun, 06 Nov 1994 08:49:36 GMT"}}).initial_age, 0s);  // both are whole seconds
    EXPECT_EQ(stamps({{"Date", "Sun, 06 Nov 1994 08:49:35 GMT"}}).initial_age, 2s);
}

TEST(FreshnessRfc9111, Section4_2_3_CorrectedAgeValueIncludesTheDelay) {
    Answered x(200, {{"Age", "10"}, {"Date", date}});
    EXPECT_EQ(stamps_at(x, sent, Now{sent.mono + 1500ms, wall + 1s}).initial_age, 11500ms);
}

TEST(FreshnessRfc9111, Section4_2_3_TheGreaterOfTheTwo) {
    EXPECT_EQ(stamps({{"Age", "10"}, {"Date", "Sun, 06 Nov 1994 08:48:37 GMT"}}).initial_age, 60s);
    EXPECT_EQ(stamps({{"Age", "100"}, {"Date", "Sun, 06 Nov 1994 08:48:37 GMT"}}).initial_age, 100s);
}

TEST(FreshnessRfc9111, Section5_1_AgeThatIsNoneIsIgnored) {
    EXPECT_EQ(stamps({{"Age", "-5"}}).initial_age, 0s);
    EXPECT_EQ(stamps({{"Age", "old"}}).initial_age, 0s);
    EXPECT_EQ(stamps({{"Age", "7200"}, {"Cache-Control", "max-age=3600"}}).initial_age, 7200s);
}

TEST(FreshnessRfc9111, Section4_2_3_HostileAgesAndClocksStayInBounds) {
    constexpr std::chrono::seconds longest{std::int64_t{1} << 31};
    Answered x(200, {{"Age", "99999999999999999999"}, {"Date", "Mon, 01 Jan 0001 00:00:00 GMT"}});
    EXPECT_EQ(stamps_at(x, sent, Now{sent.mono + 24h * 365 * 100, wall}).initial_age, longest);
    EXPECT_EQ(stamps_at(x, Now{sent.mono + 1h, wall}, sent).initial_age, longest);  // sent after it was received
}

// ---- what keeps it from being used

TEST(FreshnessRfc9111, Section5_2_2_4_NoCacheWithFieldNamesConcernsThoseFieldsOnly) {
    EXPECT_TRUE(with_cc("no-cache").no_cache);
    EXPECT_FALSE(with_cc("no-cache=\"set-cookie\", max-age=60").no_cache);
    EXPECT_TRUE(with_cc("no-cache=\"set-cookie\", no-cache, max-age=60").no_cache);
    EXPECT_TRUE(with_cc("no-cache=\"content-type\", max-age=60").no_cache);  // cannot be kept without
    EXPECT_FALSE(with_cc("max-age=60").no_cache);
    EXPECT_TRUE(stamps(Answered(200, {{"Cache-Control", "no-cache"}}).with(ttl(60s))).no_cache);
}

TEST(FreshnessRfc9111, Section5_2_2_2_MustRevalidateAndItsRelatives) {
    EXPECT_TRUE(with_cc("must-revalidate").must_revalidate);
    EXPECT_TRUE(with_cc("proxy-revalidate").must_revalidate);
    EXPECT_TRUE(with_cc("s-maxage=60").must_revalidate);  // §5.2.2.10
    EXPECT_FALSE(with_cc("max-age=60, public").must_revalidate);
}

TEST(FreshnessRfc5861, Section3And4_Windows) {
    const auto s = with_cc("max-age=60, stale-while-revalidate=30, stale-if-error=600");
    EXPECT_EQ(s.stale_while_revalidate, 30s);
    EXPECT_EQ(s.stale_if_error, 600s);
}

TEST(FreshnessRfc5861, MustRevalidateLeavesNoWindow) {
    CachePolicy cache;
    cache.stale_while_revalidate = 5s;
    cache.stale_if_error = 6s;
    for (const char* each : {"must-revalidate", "proxy-revalidate", "s-maxage=60"}) {
        Answered x(200, {{"Cache-Control", std::string(each) + ", stale-while-revalidate=30, stale-if-error=600"}});
        const auto s = stamps_at(x.with(cache), sent, sent);
        EXPECT_EQ(s.stale_while_revalidate, 0s) << each;
        EXPECT_EQ(s.stale_if_error, 0s) << each;
    }
}

TEST(FreshnessRoute, WindowsOfTheRouteBeatTheResponses) {
    CachePolicy cache;
    cache.stale_while_revalidate = 5s;
    cache.stale_if_error = 0s;
    const auto s = stamps(
        Answered(200, {{"Cache-Control", "max-age=9, stale-while-revalidate=30, stale-if-error=600"}}).with(cache));
    EXPECT_EQ(s.stale_while_revalidate, 5s);
    EXPECT_EQ(s.stale_if_error, 0s);
    EXPECT_EQ(s.freshness_lifetime, 9s);
}

TEST(FreshnessRoute, ARouteThatDoesNotRespectTheOriginDecidesAlone) {
    CachePolicy cache = ttl(60s);
    cache.respect_origin = false;
    cache.stale_while_revalidate = 5s;
    const auto s =
        stamps(Answered(200, {{"Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"}}).with(cache));
    EXPECT_EQ(s.freshness_lifetime, 60s);
    EXPECT_FALSE(s.no_cache || s.must_revalidate);
    EXPECT_EQ(s.stale_while_revalidate, 5s);
    // … and only where its ttl governs.
    EXPECT_TRUE(stamps(Answered(404, {{"Cache-Control", "no-cache"}}).with(cache)).no_cache);
}

TEST(Freshness, Law7_ErrorsAreKeptForSecondsOnlyAndAreNoFallback) {
    CachePolicy cache;
    cache.stale_while_revalidate = cache.stale_if_error = 600s;
    for (const int status : {500, 503, 599}) {
        const auto s = stamps(Answered(status, {{"Cache-Control", "max-age=3600, stale-if-error=600"}}).with(cache));
        EXPECT_EQ(s.freshness_lifetime, error_lifetime_max) << status;
        EXPECT_TRUE(s.must_revalidate) << status;
        EXPECT_EQ(s.stale_if_error + s.stale_while_revalidate, 0s) << status;
    }
    EXPECT_EQ(stamps(Answered(500, {{"Cache-Control", "max-age=1"}})).freshness_lifetime, 1s);
    EXPECT_EQ(stamps(Answered(499, {{"Cache-Control", "max-age=3600"}})).freshness_lifetime, 3600s);
}

TEST(Freshness, SourcesAreNamed) {
    const auto source = [](auto&& x) { return freshness_source(x.exchange()); };
    EXPECT_EQ(source(Answered(200, {{"Cache-Control", "max-age=1"}}).with(ttl(1s))), FreshnessSource::route_ttl);
    EXPECT_EQ(source(Answered(200, {{"Cache-Control", "max-age=1, s-maxage=1"}})), FreshnessSource::s_maxage);
    EXPECT_EQ(source(Answered(200, {{"Cache-Control", "max-age=1"}, {"Expires", "0"}})), FreshnessSource::max_age);
    EXPECT_EQ(source(Answered(200, {{"Expires", "0"}, {"Last-Modified", date}})), FreshnessSource::expires);
    EXPECT_EQ(source(Answered(200, {{"Last-Modified", date}})), FreshnessSource::heuristic);
}

}  // namespace
}  // namespace etage::policy
