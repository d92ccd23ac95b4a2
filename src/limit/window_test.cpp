// The windows, and what all algorithms have in common.

#include "limit/quota_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <map>

namespace etage::limit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::any_bucket;
using testing::any_steps;
using testing::any_window;
using testing::at;
using testing::start;
using testing::would_allow;

constexpr Quota fixed{.quota = 10, .window = minutes(1), .algorithm = Algorithm::fixed_window};
constexpr Quota sliding{.quota = 10, .window = minutes(1), .algorithm = Algorithm::sliding_window};

TEST(FixedWindow, CountsUpToTheQuotaAndBeginsAnewWithTheMinute) {
    State state;
    const Instant now = start + seconds(20);
    for (std::uint64_t left = 10; left-- > 0;) {
        const Decision d = take(fixed, state, at(now));
        EXPECT_TRUE(d.allowed);
        EXPECT_EQ(d.remaining, left);
        EXPECT_EQ(d.reset_after, seconds(40));
    }
    const Decision refused = take(fixed, state, at(now + seconds(10)));
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, seconds(30));
    EXPECT_EQ(refused.remaining, 0U);
    EXPECT_FALSE(would_allow(fixed, state, start + minutes(1) - nanoseconds(1)));
    const Decision next = take(fixed, state, at(start + minutes(1)));
    EXPECT_TRUE(next.allowed);
    EXPECT_EQ(next.remaining, 9U);
    EXPECT_EQ(next.reset_after, minutes(1));
}

TEST(FixedWindow, ADayIsADayOfTheCalendar) {
    const Quota daily{.quota = 1000, .window = hours(24), .algorithm = Algorithm::fixed_window};
    State state;
    const WallTime noon{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + hours(12)};
    EXPECT_EQ(take(daily, state, {start, noon}).reset_after, hours(12));
}

TEST(FixedWindow, ACalendarThatIsSetMakesOneOddWindow) {
    State state;
    take(fixed, state, {start, WallTime(seconds(60'000))}, 10);
    // The clock is set back by twenty seconds: what runs, runs to its end …
    EXPECT_FALSE(take(fixed, state, {start + seconds(59), WallTime(seconds(60'039))}).allowed);
    // … and the next ends by the calendar.
    const Decision next = take(fixed, state, {start + seconds(60), WallTime(seconds(60'040))}, 10);
    EXPECT_TRUE(next.allowed);
    EXPECT_EQ(next.reset_after, seconds(20));
}

TEST(FixedWindow, AWindowFollowsTheOneBeforeItWithoutAGap) {
    State state;
    const Instant late = start + milliseconds(20'700);  // the calendar says 20 s, so this window ends 0.7 s late
    EXPECT_EQ(take(fixed, state, at(late)).reset_after, seconds(40));
    const Instant end = late + seconds(40);
    for (int minute = 0; minute < 100; ++minute)
        ASSERT_EQ(take(fixed, state, at(end + minutes(minute) + milliseconds(minute * 500))).reset_after,
                  minutes(1) - milliseconds(minute * 500));
}

TEST(SlidingWindow, TheLastWindowWeighsByWhatIsStillCovered) {
    State state;
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(take(sliding, state, at(start + seconds(30))).allowed);
    const Decision refused = take(sliding, state, at(start + seconds(45)));
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, seconds(15 + 6)) << "a tenth of the next minute";
    EXPECT_FALSE(would_allow(sliding, state, start + seconds(66) - nanoseconds(1)));
    EXPECT_TRUE(would_allow(sliding, state, start + seconds(66)));
    const Decision half = take(sliding, state, at(start + seconds(90)), 2);
    EXPECT_TRUE(half.allowed);
    EXPECT_EQ(half.remaining, 3U);
    EXPECT_EQ(half.reset_after, seconds(30));
    EXPECT_TRUE(would_allow(sliding, state, start + minutes(3), 10));
}

TEST(SlidingWindow, ACostBeyondTheQuotaIsRefusedForEver) {
    for (const Quota& quota : {fixed, sliding}) {
        State state;
        const Decision d = take(quota, state, at(start), 11);
        EXPECT_FALSE(d.allowed);
        EXPECT_EQ(d.retry_after, Duration::max());
        EXPECT_FALSE(take(quota, state, at(start), UINT64_MAX).allowed);
        EXPECT_TRUE(take(quota, state, at(start), 10).allowed);
    }
}

// --- Properties of all

/// The naive count: what was granted in which window.
TEST(WindowProperty, DecidesAsTheFormulaOverAllThatWasGranted) {
    for (const Algorithm algorithm : {Algorithm::fixed_window, Algorithm::sliding_window})
        EXPECT_TRUE(rc::check([algorithm] {
            const Quota quota = any_window(algorithm);
            const std::int64_t length = quota.window.count();
            std::map<Instant, std::int64_t> granted;  // by the window's end
            State state;
            Instant now = start + Duration(*rc::gen::inRange(std::int64_t{0}, 2 * length));
            for (const Duration step : any_steps(quota.window / 10)) {
                now += step;
                const auto cost = *rc::gen::inRange<std::uint64_t>(1, quota.quota / 3 + 3);
                const Decision d = take(quota, state, at(now), cost);
                const Instant end = now + d.reset_after;
                RC_ASSERT(end > now);
                RC_ASSERT(end <= now + quota.window);
                if (const auto next = granted.lower_bound(end); next != granted.begin())
                    RC_ASSERT((end - std::prev(next)->first).count() % length == 0);
                const auto count = [&](Instant which) { return granted.contains(which) ? granted[which] : 0; };
                const bool slides = algorithm == Algorithm::sliding_window;
                const std::int64_t before = slides ? count(end - quota.window) * (end - now).count() : 0;
                const std::int64_t room = static_cast<std::int64_t>(quota.quota) * length - before;
                const auto wanted = static_cast<std::int64_t>(cost);
                RC_ASSERT(d.allowed == ((count(end) + wanted) * length <= room));
                if (d.allowed) granted[end] += wanted;
                const std::int64_t left = std::max(room - count(end) * length, std::int64_t{0}) / length;
                RC_ASSERT(d.remaining == static_cast<std::uint64_t>(left));
            }
        }));
}

Quota any_quota() {
    const int which = *rc::gen::inRange(0, 3);
    return which == 0 ? any_bucket() : any_window(which == 1 ? Algorithm::fixed_window : Algorithm::sliding_window);
}

Duration unit_of(const Quota& quota) {
    return quota.algorithm == Algorithm::token_bucket ? quota.emission() : quota.window / 10;
}

/// A state with a past of grants, debts and gifts; `now` is its present.
State any_state(const Quota& quota, Instant& now) {
    State state;
    for (const Duration step : any_steps(unit_of(quota))) {
        now += step;
        const auto cost = *rc::gen::inRange<std::uint64_t>(1, quota.most() + 3);
        switch (*rc::gen::inRange(0, 4)) {
            case 0: debit(quota, state, at(now), cost); break;
            case 1: credit(quota, state, at(now), cost); break;
            default: take(quota, state, at(now), cost);
        }
    }
    return state;
}

TEST(QuotaProperty, RetryAfterIsExactAlsoInDebtAndWhenTheClockGoesBack) {
    EXPECT_TRUE(rc::check([] {
        const Quota quota = any_quota();
        Instant now = start;
        State state = any_state(quota, now);
        if (*rc::gen::inRange(0, 4) == 0) now -= Duration(*rc::gen::inRange(std::int64_t{0}, unit_of(quota).count()));
        const auto cost = *rc::gen::inRange<std::uint64_t>(0, quota.most() + 1);
        const State before = state;
        const Decision d = take(quota, state, at(now), cost);
        if (d.allowed) return;
        RC_ASSERT(state.idle_at == before.idle_at);
        RC_ASSERT(d.retry_after > Duration::zero());
        RC_ASSERT(!would_allow(quota, state, now + d.retry_after - nanoseconds(1), cost));
        RC_ASSERT(would_allow(quota, state, now + d.retry_after, cost));
    }));
}

TEST(QuotaProperty, RemainingIsWhatMayStillBeTaken) {
    EXPECT_TRUE(rc::check([] {
        const Quota quota = any_quota();
        Instant now = start;
        State state = any_state(quota, now);
        const Decision d = take(quota, state, at(now), *rc::gen::inRange<std::uint64_t>(0, quota.most() + 2));
        RC_ASSERT(d.remaining <= quota.most());
        const bool has_that = d.remaining == 0 || would_allow(quota, state, now, d.remaining);
        RC_ASSERT(has_that);
        RC_ASSERT(!would_allow(quota, state, now, d.remaining + 1));
        RC_ASSERT(would_allow(quota, state, now, 0) == (d.remaining > 0));
    }));
}

TEST(QuotaProperty, WhatIsIdleIsAsGoodAsNew) {
    EXPECT_TRUE(rc::check([] {
        const Quota quota = any_quota();
        Instant now = start;
        const State state = any_state(quota, now);
        const Instant idle = std::max(state.idle_at, now);
        RC_ASSERT(would_allow(quota, state, idle, quota.most()));
        RC_ASSERT(used(quota, state, at(idle)).idle_after == Duration::zero());
    }));
}

std::uint64_t remaining_of(const Quota& quota, State state, Instant now) {
    return take(quota, state, at(now), 0).remaining;
}

TEST(QuotaProperty, WhatIsGivenBackIsNeverMoreThanWasUsed) {
    EXPECT_TRUE(rc::check([] {
        const Quota quota = any_quota();
        Instant now = start;
        State state = any_state(quota, now);
        const std::uint64_t before = remaining_of(quota, state, now);
        const auto cost = *rc::gen::inRange<std::uint64_t>(0, quota.most() + 3);
        State given_back = state;
        debit(quota, given_back, at(now), cost);
        RC_ASSERT(remaining_of(quota, given_back, now) == before - std::min(before, cost));
        credit(quota, given_back, at(now), cost);
        RC_ASSERT(remaining_of(quota, given_back, now) == before);
        credit(quota, given_back, at(now), UINT64_MAX);
        RC_ASSERT(given_back.idle_at == Instant{});
        RC_ASSERT(remaining_of(quota, given_back, now) == quota.most());
    }));
}

TEST(QuotaProperty, AStateThatIsToldToAnotherClockDecidesTheSame) {
    EXPECT_TRUE(rc::check([] {
        const Quota quota = any_quota();
        Instant now = start;
        State here = any_state(quota, now);
        const Duration apart = hours(24 * 7) * *rc::gen::inRange(0, 3);  // whole windows, so that calendars agree
        State there = state_of(used(quota, here, at(now)), {now + apart, at(now).wall});
        for (const Duration step : any_steps(unit_of(quota))) {
            now += step;
            const auto cost = *rc::gen::inRange<std::uint64_t>(0, quota.most() + 2);
            if (quota.algorithm != Algorithm::token_bucket && here.idle_at <= now) break;  // a window of its own
            const Decision a = take(quota, here, at(now), cost);
            const Decision b = take(quota, there, {now + apart, at(now).wall}, cost);
            RC_ASSERT(a.allowed == b.allowed);
            RC_ASSERT(a.remaining == b.remaining);
            RC_ASSERT(a.retry_after == b.retry_after);
            RC_ASSERT(a.reset_after == b.reset_after);
        }
    }));
}

TEST(QuotaProperty, TheStateThatHasUsedMoreAllowsNoMoreThanEither) {
    EXPECT_TRUE(rc::check([] {
        const Quota quota = any_quota();
        Instant now = start;
        const State common = any_state(quota, now);
        State mine = common, theirs = common;  // two go on alone
        for (State* alone : {&mine, &theirs}) {
            Instant then = now;
            for (const Duration step : any_steps(unit_of(quota)))
                if (then + step < now + unit_of(quota) * 8) take(quota, *alone, at(then += step));
        }
        now += unit_of(quota) * 8;
        const State both = more_used(quota, mine, theirs, at(now));
        const std::uint64_t left = remaining_of(quota, both, now);
        RC_ASSERT(left <= remaining_of(quota, mine, now));
        RC_ASSERT(left <= remaining_of(quota, theirs, now));
        const State again = more_used(quota, both, theirs, at(now));
        RC_ASSERT(again.idle_at == both.idle_at);
        RC_ASSERT(remaining_of(quota, again, now) == left);
    }));
}

TEST(Quota, WindowsThatAreToldAgainAndAgainDoNotGrow) {
    const Instant now = start + seconds(30);
    State common;
    take(fixed, common, at(now), 4);
    State late = common;  // heard of a little later, with one more
    late.idle_at += milliseconds(3);
    late.current = 5;
    const State raised = more_used(fixed, common, late, at(now));
    EXPECT_EQ(raised.idle_at, common.idle_at);
    EXPECT_EQ(raised.current, 5U);
    const State old = more_used(fixed, {start + minutes(2), 1, 0}, late, at(now));
    EXPECT_EQ(old.current, 1U) << "what an older window counted is over";
    const State newer = more_used(fixed, late, {start + minutes(2), 7, 0}, at(now));
    EXPECT_EQ(newer.current, 7U);
    EXPECT_EQ(newer.idle_at, late.idle_at);
    EXPECT_EQ(more_used(fixed, {}, late, at(now)).idle_at, late.idle_at);
}

TEST(Quota, TheEndsOfNumbersDoNotOverflow) {
    for (const Algorithm algorithm : {Algorithm::token_bucket, Algorithm::fixed_window, Algorithm::sliding_window})
        for (const std::uint64_t most : {std::uint64_t{1}, UINT64_MAX - 1, UINT64_MAX})
            for (const Duration window : {Duration(1), Duration(hours(24 * 365)), Duration::max()}) {
                const Quota quota{.quota = most, .window = window, .burst = most, .algorithm = algorithm};
                State state;
                for (const Duration age : {Duration::zero(), Duration(hours(24 * 365 * 50))})
                    for (const std::uint64_t cost : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX - 1, UINT64_MAX}) {
                        const Now now = at(Instant{} + age);
                        take(quota, state, now, cost);
                        debit(quota, state, now, cost);
                        debit(quota, state, now, cost);
                        const Decision d = take(quota, state, now, most);
                        EXPECT_GE(d.retry_after, Duration::zero());
                        EXPECT_GE(d.reset_after, Duration::zero());
                        const State told = state_of(used(quota, state, now), now);
                        state = more_used(quota, state, told, now);
                        credit(quota, state, now, cost);
                    }
            }
}

}  // namespace
}  // namespace etage::limit
