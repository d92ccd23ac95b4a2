#include "policy/reuse.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace etage::policy {
namespace {

using namespace std::chrono_literals;
using http::RequestCacheControl;
using http::Stamps;

constexpr Instant arrival{1000h};

Stamps stamps(Duration lifetime, Duration swr = 0s, Duration sie = 0s) {
    Stamps s;
    s.response_time = arrival;
    s.freshness_lifetime = lifetime;
    s.stale_while_revalidate = swr;
    s.stale_if_error = sie;
    return s;
}

ReuseVerdict judge(const Stamps& s, Duration later, const RequestCacheControl& cc = {}, bool soft = false) {
    return judge_reuse(s, cc, arrival + later, soft);
}

#define EXPECT_FRESH(verdict) EXPECT_EQ((verdict).reuse, Reuse::fresh)
#define EXPECT_VALIDATE(verdict, why) EXPECT_EQ(refusal(verdict), why)

/// Forward::none when it is reused.
Forward refusal(const ReuseVerdict& v) {
    EXPECT_EQ(v.reuse == Reuse::validate, v.forward != Forward::none);
    EXPECT_TRUE(v.reuse != Reuse::validate || v.detail == Detail::none);
    return v.forward;
}

TEST(ReuseRfc9111, Section4_2_FreshMeansLifetimeGreaterThanAge) {
    EXPECT_FRESH(judge(stamps(60s), 0s));
    EXPECT_FRESH(judge(stamps(60s), 60s - 1ns));
    EXPECT_EQ(judge(stamps(60s), 0s).detail, Detail::none);
    EXPECT_VALIDATE(judge(stamps(60s), 60s), Forward::stale);
    EXPECT_VALIDATE(judge(stamps(0s), 0s), Forward::stale);
}

TEST(ReuseRfc9111, Section4_2_3_InitialAgeCounts) {
    auto s = stamps(60s);
    s.initial_age = 50s;
    EXPECT_FRESH(judge(s, 9s));
    EXPECT_VALIDATE(judge(s, 10s), Forward::stale);
    s.initial_age = 7200s;
    EXPECT_VALIDATE(judge(s, 0s), Forward::stale);
}

TEST(ReuseRfc9111, Section5_2_2_4_NoCacheIsValidatedBeforeEveryUse) {
    auto s = stamps(60s, 60s);
    s.no_cache = true;
    EXPECT_VALIDATE(judge(s, 0s), Forward::stale);
    RequestCacheControl cc;
    cc.any_stale = true;
    EXPECT_VALIDATE(judge(s, 0s, cc), Forward::stale);
    EXPECT_FALSE(usable_on_error(s, {}, arrival));
}

TEST(ReuseRfc9111, Section5_2_1_4_RequestNoCache) {
    RequestCacheControl cc;
    cc.no_cache = true;
    EXPECT_VALIDATE(judge(stamps(60s), 1s, cc), Forward::request);
    EXPECT_VALIDATE(judge(stamps(60s, 60s), 61s, cc), Forward::stale);
    EXPECT_FALSE(usable_on_error(stamps(60s), cc, arrival));
}

TEST(ReuseRfc9111, Section5_2_1_5_RequestNoStoreDoesNotKeepItFromWhatIsStored) {
    RequestCacheControl cc;
    cc.no_store = true;
    EXPECT_FRESH(judge(stamps(60s), 1s, cc));
}

TEST(ReuseRfc9111, Section5_2_1_1_RequestMaxAge) {
    RequestCacheControl cc;
    cc.max_age = 10;
    EXPECT_FRESH(judge(stamps(60s), 10s, cc));
    EXPECT_VALIDATE(judge(stamps(60s), 10s + 1ns, cc), Forward::request);
    auto aged = stamps(3600s);
    aged.initial_age = 1800s;
    EXPECT_VALIDATE(judge(aged, 0s, cc), Forward::request);
    cc.max_age = 0;  // a reload
    EXPECT_VALIDATE(judge(stamps(60s), 0s, cc), Forward::request);
    cc.max_age = std::int64_t{1} << 31;
    EXPECT_FRESH(judge(stamps(60s), 10s, cc));
}

TEST(ReuseRfc9111, Section5_2_1_1_WithMaxAgeNoStaleResponseIsWished) {
    RequestCacheControl cc;
    cc.max_age = 1000;
    EXPECT_VALIDATE(judge(stamps(60s, 60s), 70s, cc), Forward::stale);
    cc.max_stale = 30;
    const auto v = judge(stamps(60s, 60s), 70s, cc);
    EXPECT_FRESH(v);
    EXPECT_EQ(v.detail, Detail::request_max_stale);
}

TEST(ReuseRfc9111, Section5_2_1_3_RequestMinFresh) {
    RequestCacheControl cc;
    cc.min_fresh = 20;
    EXPECT_FRESH(judge(stamps(60s), 40s, cc));
    EXPECT_VALIDATE(judge(stamps(60s), 41s, cc), Forward::request);
    EXPECT_VALIDATE(judge(stamps(60s, 60s), 61s, cc), Forward::stale);
}

TEST(ReuseRfc9111, Section5_2_1_2_RequestMaxStale) {
    RequestCacheControl cc;
    cc.max_stale = 10;
    EXPECT_FRESH(judge(stamps(60s), 70s, cc));
    EXPECT_EQ(judge(stamps(60s), 70s, cc).detail, Detail::request_max_stale);
    EXPECT_VALIDATE(judge(stamps(60s), 71s, cc), Forward::stale);
    EXPECT_EQ(judge(stamps(60s), 1s, cc).detail, Detail::none);
    RequestCacheControl any;
    any.any_stale = true;
    EXPECT_FRESH(judge(stamps(60s), 100h, any));
}

TEST(ReuseRfc9111, Section4_2_4_MustRevalidateForbidsEveryStaleUse) {
    auto s = stamps(60s);
    s.must_revalidate = true;
    RequestCacheControl cc;
    cc.any_stale = true;
    EXPECT_FRESH(judge(s, 59s, cc));
    EXPECT_VALIDATE(judge(s, 60s, cc), Forward::stale);
    EXPECT_TRUE(usable_on_error(s, cc, arrival + 59s));
    EXPECT_FALSE(usable_on_error(s, cc, arrival + 60s));
}

TEST(ReuseRfc5861, Section3_StaleWhileRevalidate) {
    const auto v = judge(stamps(60s, 30s), 60s);
    EXPECT_EQ(v.reuse, Reuse::stale_while);
    EXPECT_EQ(v.detail, Detail::stale_while_revalidate);
    EXPECT_EQ(v.forward, Forward::none);
    EXPECT_EQ(judge(stamps(60s, 30s), 90s).reuse, Reuse::stale_while);
    EXPECT_VALIDATE(judge(stamps(60s, 30s), 90s + 1ns), Forward::stale);
    EXPECT_VALIDATE(judge(stamps(60s), 60s), Forward::stale);
}

TEST(Reuse, ASoftMarkMakesItStale) {
    EXPECT_VALIDATE(judge(stamps(60s), 1s, {}, true), Forward::stale);
    EXPECT_EQ(judge(stamps(60s, 30s), 1s, {}, true).reuse, Reuse::stale_while);
    EXPECT_EQ(judge(stamps(60s, 30s), 80s, {}, true).reuse, Reuse::stale_while);
    EXPECT_VALIDATE(judge(stamps(60s, 30s), 91s, {}, true), Forward::stale);
    RequestCacheControl cc;
    cc.any_stale = true;
    EXPECT_VALIDATE(judge(stamps(60s), 1s, cc, true), Forward::stale);
}

TEST(ReuseRfc5861, Section4_StaleIfError) {
    const auto s = stamps(60s, 0s, 600s);
    for (const auto how : {OriginFailure::silent, OriginFailure::error_status}) {
        EXPECT_TRUE(usable_on_error(s, {}, arrival + 660s, how));
        EXPECT_FALSE(usable_on_error(s, {}, arrival + 661s, how));
        EXPECT_TRUE(usable_on_error(stamps(60s), {}, arrival + 1s, how));  // still fresh: somebody asked for validation
    }
    RequestCacheControl cc;
    cc.stale_if_error = 1000;
    EXPECT_TRUE(usable_on_error(s, cc, arrival + 1060s, OriginFailure::error_status));
    EXPECT_FALSE(usable_on_error(s, cc, arrival + 1061s, OriginFailure::error_status));
}

TEST(ReuseRfc5861, Section4_RegardlessOfOtherFreshnessInformation) {
    RequestCacheControl cc;
    cc.max_age = 0;
    cc.min_fresh = 100;
    EXPECT_TRUE(usable_on_error(stamps(60s, 0s, 600s), cc, arrival + 100s, OriginFailure::error_status));
}

TEST(ReuseRfc9111, Section4_2_4_DisconnectedStaleIsServedForADay) {
    EXPECT_TRUE(usable_on_error(stamps(2s), {}, arrival + 3s, OriginFailure::silent));
    EXPECT_FALSE(usable_on_error(stamps(2s), {}, arrival + 3s, OriginFailure::error_status));
    EXPECT_FALSE(usable_on_error(stamps(0s), {}, arrival, OriginFailure::error_status));
    EXPECT_TRUE(usable_on_error(stamps(0s), {}, arrival + stale_without_origin_max));
    EXPECT_FALSE(usable_on_error(stamps(0s), {}, arrival + stale_without_origin_max + 1ns));
    RequestCacheControl cc;
    cc.max_stale = 200'000;
    EXPECT_TRUE(usable_on_error(stamps(0s), cc, arrival + 30h));
}

TEST(Reuse, NoArithmeticOverflows) {
    constexpr auto longest = std::chrono::seconds(std::int64_t{1} << 31);
    auto s = stamps(longest, longest, longest);
    s.initial_age = longest;
    RequestCacheControl cc;
    cc.max_age = cc.min_fresh = cc.max_stale = cc.stale_if_error = longest.count();
    EXPECT_VALIDATE(judge(s, 24h * 365, cc), Forward::stale);
    EXPECT_TRUE(usable_on_error(s, cc, arrival + 24h * 365));
}

TEST(Reuse, StaleIsNeverServedWithoutPermission) {
    EXPECT_TRUE(rc::check([] {
        const auto seconds = [] { return *rc::gen::inRange<std::int64_t>(0, 50); };
        const auto maybe = [&](std::optional<http::Seconds>& value) {
            if (*rc::gen::arbitrary<bool>()) value = seconds();
        };
        auto s = stamps(std::chrono::seconds(seconds()), std::chrono::seconds(seconds()));
        s.initial_age = std::chrono::seconds(seconds());
        s.must_revalidate = *rc::gen::arbitrary<bool>();
        if (s.must_revalidate) s.stale_while_revalidate = 0s;
        RequestCacheControl cc;
        maybe(cc.max_age);
        maybe(cc.min_fresh);
        maybe(cc.max_stale);
        const Instant now = arrival + std::chrono::seconds(seconds());
        const auto v = judge_reuse(s, cc, now, false);
        if (v.reuse == Reuse::validate) return;
        if (cc.max_age) RC_ASSERT(s.age(now) <= std::chrono::seconds(*cc.max_age));
        if (cc.min_fresh) RC_ASSERT(s.ttl(now) >= std::chrono::seconds(*cc.min_fresh));
        if (s.ttl(now) > 0s) return;
        RC_ASSERT(!s.must_revalidate);
        const bool by_request = cc.max_stale && -s.ttl(now) <= std::chrono::seconds(*cc.max_stale);
        RC_ASSERT(by_request || -s.ttl(now) <= s.stale_while_revalidate);
    }));
}

}  // namespace
}  // namespace etage::policy
