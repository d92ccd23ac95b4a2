#include "limit/share.hpp"

#include "limit/quota_fixture.hpp"

#include <gtest/gtest.h>

namespace etage::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::at;
using testing::start;
using Then = Spending::Then;

constexpr Quota bucket{.quota = 1000, .window = seconds(10), .burst = 100};  // a token in 10 ms
constexpr Quota fixed{.quota = 100, .window = minutes(1), .algorithm = Algorithm::fixed_window};
constexpr std::uint64_t lease = 10;

/// The common count, exact and near.
struct Common {
    Quota quota = bucket;
    State state{};

    Grant take(const Claim& claim, Instant now) {
        state = more_used(quota, state, state_of(claim.at_least, at(now)), at(now));
        credit(quota, state, at(now), claim.back);
        debit(quota, state, at(now), claim.debt);
        const std::uint64_t free = limit::take(quota, state, at(now), 0).remaining;
        const bool granted = free >= std::max<std::uint64_t>(claim.need, 1);
        const std::uint64_t n = granted ? std::min(claim.want, free) : 0;
        debit(quota, state, at(now), n);
        return {n, used(quota, state, at(now))};
    }
    std::uint64_t left(Instant now) { return limit::take(quota, state, at(now), 0).remaining; }
};

Claim claim_of(const Quota& quota, const Spending& s) {
    return {quota, "client", s.need, s.want, s.back, s.debt, s.at_least, true};
}

/// One instance: a share, and the calls it makes.
struct Instance {
    Common& common;
    Share share{};
    int calls = 0;

    Decision request(Instant now, std::uint64_t cost = 1) {
        const Spending s = spend(common.quota, lease, share, at(now), cost);
        if (s.then == Then::nothing) return s.decision;
        ++calls;
        const Claim claim = claim_of(common.quota, s);
        const Decision d = settle(common.quota, lease, share, claim, common.take(claim, now), at(now));
        return s.then == Then::ask ? d : s.decision;
    }
    int requests(int count, Instant now) {
        int allowed = 0;
        for (int i = 0; i < count; ++i) allowed += request(now).allowed ? 1 : 0;
        return allowed;
    }
};

TEST(Share, IsALineOfACacheWithItsKey) { EXPECT_EQ(sizeof(Share) + sizeof(std::uint64_t), 64U); }

TEST(Share, OneCallBringsALease) {
    Common common;
    Instance one{common};
    EXPECT_TRUE(one.request(start).allowed);
    EXPECT_EQ(one.calls, 1);
    EXPECT_EQ(one.share.leased, 9U);
    EXPECT_EQ(common.left(start), 90U);
    EXPECT_EQ(one.requests(7, start), 7);
    EXPECT_EQ(one.calls, 1);
    EXPECT_EQ(one.requests(1, start), 1) << "with the last but one it is filled up";
    EXPECT_EQ(one.calls, 2);
    EXPECT_EQ(one.share.leased, 10U);
    EXPECT_EQ(one.requests(200, start), 91) << "all there is, and no more";
    EXPECT_LE(one.calls, 13);
    EXPECT_EQ(common.left(start), 0U);
}

TEST(Share, WhatIsLeftIsWhatAllHaveLeft) {
    Common common;
    Instance one{common};
    EXPECT_EQ(one.request(start).remaining, 99U);
    EXPECT_EQ(one.request(start).remaining, 98U);
    EXPECT_EQ(look(bucket, one.share, at(start)).remaining, 98U);
}

TEST(Share, WhereNothingIsLeftNobodyAsksForAWhileAndSaysForHowLong) {
    Common common;
    Instance one{common};
    one.requests(101, start);
    const int calls = one.calls;
    const Decision refused = one.request(start);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.remaining, 0U);
    EXPECT_GE(refused.retry_after, milliseconds(10)) << "never earlier than a token is back";
    EXPECT_EQ(one.requests(100, start + refused.retry_after - Duration(1)), 0);
    EXPECT_EQ(one.calls, calls);
    EXPECT_TRUE(one.request(start + refused.retry_after).allowed);
    EXPECT_EQ(one.calls, calls + 1);
}

TEST(Share, ALeaseLapsesAndGoesBack) {
    Common common;
    Instance one{common};
    one.request(start);
    one.common.state.idle_at += seconds(5);  // others
    const Spending later = spend(bucket, lease, one.share, at(start + lease_time), 1);
    EXPECT_EQ(later.then, Then::ask);
    EXPECT_EQ(later.need, 1U);
    EXPECT_EQ(later.want, lease);
    EXPECT_EQ(later.back, 0U) << "as far as is known all is there again";

    Share share;
    Common slow{{.quota = 10, .window = minutes(1), .burst = 100}};
    Instance other{slow, share};
    other.request(start);
    EXPECT_EQ(spend(slow.quota, lease, other.share, at(start + lease_time), 1).back, 9U);
    EXPECT_EQ(other.share.leased, 0U);
}

TEST(Share, ALeaseEndsWithItsWindow) {
    Common common{fixed};
    Instance one{common};
    const Instant late = start + minutes(1) - milliseconds(300);
    one.request(late);
    const Instant end = counts_until(fixed, common.state);
    EXPECT_EQ(one.share.lease_ends, std::min(end, late + lease_time));
    const Spending next = spend(fixed, lease, one.share, at(end), 1);
    EXPECT_EQ(next.then, Then::ask);
    EXPECT_EQ(next.back, 0U) << "the next window has not counted them";
}

TEST(Share, OnlyOneCallAtATimeBringsALease) {
    Share share;
    const Spending first = spend(bucket, lease, share, at(start), 1);
    EXPECT_EQ(first.want, lease);
    const Spending second = spend(bucket, lease, share, at(start), 2);
    EXPECT_EQ(second.then, Then::ask);
    EXPECT_EQ(second.need, 2U);
    EXPECT_EQ(second.want, 2U);
    EXPECT_TRUE(settle(bucket, lease, share, claim_of(bucket, second), {2, {}}, at(start)).allowed);
    EXPECT_TRUE(share.is_asking) << "the first is still under way";
    EXPECT_EQ(share.idle_at(), Instant::max());
    EXPECT_TRUE(settle(bucket, lease, share, claim_of(bucket, first), {10, {}}, at(start)).allowed);
    EXPECT_FALSE(share.is_asking);
    EXPECT_EQ(share.leased, 9U);
}

TEST(Share, ACallThatFailsLeavesNothingToSpend) {
    Share share;
    const Spending first = spend(bucket, lease, share, at(start), 1);
    fail(share, first);
    EXPECT_FALSE(share.is_asking);
    EXPECT_EQ(share.leased, 0U);
    EXPECT_EQ(spend(bucket, lease, share, at(start), 1).then, Then::ask);
}

TEST(Share, ACallThatIsNotMadeLeavesEverythingAsItWas) {
    Common common;
    Instance one{common};
    one.request(start);
    owe(bucket, one.share, at(start), 12);
    EXPECT_EQ(one.share.leased, 0U);
    EXPECT_EQ(one.share.debt, 3U) << "what is leased pays first";
    const Spending s = spend(bucket, lease, one.share, at(start), 1);
    EXPECT_EQ(s.debt, 3U);
    withdraw(one.share, s);
    EXPECT_EQ(one.share.debt, 3U);
    EXPECT_FALSE(one.share.is_asking);
}

TEST(Share, ADebtIsToldEvenWhenNothingIsLeft) {
    Common common;
    Instance one{common};
    one.request(start);
    owe(bucket, one.share, at(start), 500);
    const Decision refused = one.request(start);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(one.calls, 2);
    EXPECT_FALSE(take(bucket, common.state, at(start + seconds(3)), 1).allowed) << "the others know";
    EXPECT_FALSE(one.request(start + seconds(1)).allowed);
    EXPECT_EQ(one.calls, 2);
}

TEST(Share, WhatAnotherLimitRefusesIsNotThisOnes) {
    Share share;
    const Spending s = spend(bucket, lease, share, at(start), 1);
    const Decision d = settle(bucket, lease, share, claim_of(bucket, s), {0, {milliseconds(30), 0, 0}}, at(start));
    EXPECT_FALSE(d.allowed);
    EXPECT_EQ(d.retry_after, Duration::zero());
    EXPECT_EQ(d.remaining, 97U);
    EXPECT_EQ(spend(bucket, lease, share, at(start), 1).then, Then::ask) << "nothing is known to be used up";
}

TEST(Share, WhatIsSpentButNotUsedIsLeasedAgain) {
    Common common;
    Instance one{common};
    one.request(start);
    one.request(start);
    EXPECT_EQ(one.share.leased, 8U);
    unspend(bucket, one.share, at(start), 1);
    EXPECT_EQ(one.share.leased, 9U);
}

TEST(Share, ACostAboveTheMostIsRefusedForEverAndAsksNobody) {
    Share share;
    const Spending s = spend(bucket, lease, share, at(start), 101);
    EXPECT_FALSE(s.decision.allowed);
    EXPECT_EQ(s.decision.retry_after, Duration::max());
    EXPECT_EQ(s.then, Then::nothing);
    EXPECT_EQ(spend_alone(bucket, share, at(start), 101, 2).retry_after, Duration::max());
}

TEST(Share, ACostOfNothingAsksWhetherThereIsAnythingLeft) {
    Common common;
    Instance one{common};
    EXPECT_TRUE(one.request(start, 0).allowed);
    EXPECT_EQ(one.share.leased, lease) << "the call was worth it";
    one.requests(100, start);
    EXPECT_FALSE(one.request(start, 0).allowed);
}

TEST(Share, ALargerCostThanIsLeasedPutsTheLeaseBack) {
    Common common;
    Instance one{common};
    EXPECT_TRUE(one.request(start, 95).allowed);
    EXPECT_TRUE(one.request(start, 1).allowed);
    EXPECT_EQ(one.share.leased, 4U);
    EXPECT_EQ(common.left(start), 0U);
    EXPECT_TRUE(one.request(start + milliseconds(200), 20).allowed);
    EXPECT_EQ(one.share.leased + common.left(start + milliseconds(200)), 4U);
}

TEST(Share, AloneEachInstanceGrantsItsPart) {
    Share share;
    int allowed = 0;
    for (int i = 0; i < 100; ++i) allowed += spend_alone(bucket, share, at(start), 1, 4).allowed ? 1 : 0;
    EXPECT_EQ(allowed, 25);
    const Decision refused = spend_alone(bucket, share, at(start), 1, 4);
    EXPECT_EQ(refused.retry_after, milliseconds(40));
    EXPECT_FALSE(spend_alone(bucket, share, at(start + milliseconds(40) - Duration(1)), 1, 4).allowed);
    EXPECT_TRUE(spend_alone(bucket, share, at(start + milliseconds(40)), 1, 4).allowed);
    EXPECT_EQ(spend_alone(bucket, share, at(start + milliseconds(480)), 1, 4).remaining, 10U);
}

TEST(Share, AloneThereIsAlwaysOneTokenWhenNothingIsUsed) {
    Share share;
    const Quota small{.quota = 2, .window = seconds(2), .burst = 2};
    EXPECT_TRUE(spend_alone(small, share, at(start), 1, 5).allowed);
    const Decision refused = spend_alone(small, share, at(start + seconds(1)), 1, 5);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, seconds(4)) << "a fifth of the rate";
    EXPECT_TRUE(spend_alone(small, share, at(start + seconds(5)), 1, 5).allowed);
}

TEST(Share, TheSwitchToAloneAndBackIsNoBurst) {
    for (const Quota& quota : {bucket, fixed}) {
        Common common{quota};
        Instance one{common}, two{common};
        for (int i = 0; i < 30; ++i) EXPECT_EQ(one.requests(1, start) + two.requests(1, start), 2);
        EXPECT_LE(common.left(start), 40U);
        int alone = 0;
        for (Instance* each : {&one, &two})
            for (int i = 0; i < 100; ++i) alone += spend_alone(quota, each->share, at(start), 1, 2).allowed ? 1 : 0;
        EXPECT_LE(alone, 40 + 10) << "what is left, and what the other had not heard of";
        EXPECT_GE(alone, 20);
        EXPECT_LE(one.requests(100, start) + two.requests(100, start), 1) << "and nothing when it is back";
        one.request(start + milliseconds(500));
        EXPECT_LE(common.left(start + milliseconds(500)), 50U) << "the common count has been told";
    }
}

TEST(Share, ACountThatWasLostIsToldAgain) {
    Common common{fixed};
    Instance one{common};
    one.requests(70, start);
    common.state = {};
    one.requests(20, start);
    EXPECT_LE(common.left(start), 20U);
}

TEST(Share, TheDefaultLeaseIsATenthOfASecondAndAnEighthAtMost) {
    EXPECT_EQ(lease_of(bucket), 10U);
    EXPECT_EQ(lease_of({.quota = 100'000, .window = seconds(1), .burst = 100}), 12U);
    EXPECT_EQ(lease_of({.quota = 100, .window = minutes(1), .burst = 20}), 1U);
    EXPECT_EQ(lease_of({.quota = UINT64_MAX, .window = seconds(1), .burst = UINT64_MAX}), lease_max);
    EXPECT_EQ(lease_of({.quota = 10'000, .window = minutes(1), .algorithm = Algorithm::sliding_window}), 16U);
}

TEST(Share, WithALeaseOfOneEveryDecisionIsTheCommonOne) {
    Common common;
    Share share;
    for (int i = 0; i < 100; ++i) {
        const Spending s = spend(bucket, 1, share, at(start), 1);
        ASSERT_EQ(s.then, Then::ask);
        ASSERT_EQ(s.want, 1U);
        ASSERT_TRUE(
            settle(bucket, 1, share, claim_of(bucket, s), common.take(claim_of(bucket, s), start), at(start)).allowed);
    }
    const Spending known = spend(bucket, 1, share, at(start), 1);
    EXPECT_EQ(known.then, Then::nothing) << "that there is nothing is known";
    EXPECT_EQ(known.decision.retry_after, milliseconds(10));
}

}  // namespace
}  // namespace etage::limit
