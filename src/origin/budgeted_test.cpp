#include "origin/budgeted.hpp"

#include "limit/common_count_fixture.hpp"
#include "origin/outbound_fixture.hpp"

namespace etage::origin::testing {
namespace {

limit::Quota window(std::uint64_t calls, Duration length = 1min) {
    return {calls, length, calls, limit::Algorithm::fixed_window};
}

class BudgetedTest : public ::testing::Test {
protected:
    struct Instance {
        SlowOrigin* origin;
        std::unique_ptr<Budgeted> budgeted;
    };
    Instance instance(const limit::Quota& budget, limit::RemoteQuotas* remote = nullptr, std::string name = "api") {
        auto origin = std::make_unique<SlowOrigin>();
        SlowOrigin* const raw = origin.get();
        return {raw, std::make_unique<Budgeted>(std::move(origin), std::move(name), budget,
                                                Budgeted::Counting{remote, 50ms}, log)};
    }
    /// How many of so many calls were made.
    int made(Instance& at, int calls) {
        int count = 0;
        for (int i = 0; i < calls; ++i) {
            const auto answer = outside.call(*at.budgeted);
            if (*answer && (*answer)->has_value()) ++count;
        }
        return count;
    }

    Outside outside;
    base::Log log{{base::LogLevel::off, base::LogFormat::text, {}}};
    limit::testing::CommonCount common;
};

TEST_F(BudgetedTest, SoManyCallsInAWindowAndAgainInTheNext) {
    Instance api = instance(window(3));
    EXPECT_EQ(made(api, 10), 3);
    EXPECT_EQ(api.origin->record.calls, 3U);
    outside.skip(1min + 1s);
    EXPECT_EQ(made(api, 10), 3);
}

TEST_F(BudgetedTest, ARefusalSaysExactlyWhenThereIsSomethingLeft) {
    Instance api = instance(window(1));
    outside.skip(20s);  // 1'800'000'000 is the beginning of a minute
    EXPECT_EQ(made(api, 1), 1);
    const auto refused = outside.call(*api.budgeted);
    ASSERT_TRUE(*refused && !(*refused)->has_value());
    const Error& error = (*refused)->error();
    EXPECT_EQ(error.fault, Fault::budget_spent);
    EXPECT_EQ(error.blame, Blame::us);
    EXPECT_EQ(error.what, "origin \"api\": its budget of 1 calls in 60 s is spent");
    EXPECT_GE(error.retry_after, 40s);
    EXPECT_LE(error.retry_after, 41s);
    outside.skip(error.retry_after - 1ns);
    EXPECT_EQ(made(api, 1), 0);
    outside.skip(1ns);
    EXPECT_EQ(made(api, 1), 1);
}

TEST_F(BudgetedTest, ATokenBucketComesBackByAndBy) {
    Instance api = instance({60, 1min, 5, limit::Algorithm::token_bucket});
    EXPECT_EQ(made(api, 10), 5);
    outside.skip(2s);
    EXPECT_EQ(made(api, 10), 2);
}

TEST_F(BudgetedTest, ACallThatNeverLeftIsNotPaid) {
    Instance api = instance(window(3));
    api.origin->fails = Error{Blame::origin, Fault::origin_unreachable, true, "no connection", {}};
    EXPECT_EQ(made(api, 10), 0);
    EXPECT_EQ(api.origin->record.calls, 10U);
    api.origin->fails = Error{Blame::origin, Fault::origin_timeout, false, "silent", {}};
    made(api, 10);
    EXPECT_EQ(api.origin->record.calls, 13U) << "what left may have been answered, and cost";
}

TEST_F(BudgetedTest, WhatIsGivenBackTooLateIsNotGivenToTheNextWindow) {
    for (limit::RemoteQuotas* remote :
         {static_cast<limit::RemoteQuotas*>(nullptr), static_cast<limit::RemoteQuotas*>(&common)}) {
        Instance api = instance(window(3), remote);
        api.origin->latency = [](std::size_t) { return 2s; };
        api.origin->fails = Error{Blame::origin, Fault::origin_unreachable, true, "no connection", {}};
        const Instant last_second = Instant(1h) + (outside.clock.now().mono - Instant(1h)) / 1min * 1min + 59s + 500ms;
        outside.skip(last_second - outside.clock.now().mono);
        const auto late = outside.call(*api.budgeted);
        outside.skip(1600ms);
        api.origin->latency = [](std::size_t) { return 0s; };
        api.origin->fails.reset();
        EXPECT_EQ(made(api, 1), 1);
        api.origin->fails = Error{Blame::origin, Fault::origin_unreachable, true, "no connection", {}};
        outside.skip(1s);
        EXPECT_TRUE(*late && !(*late)->has_value());
        api.origin->fails.reset();
        EXPECT_EQ(made(api, 10), 2);
        outside.skip(2min);
    }
}

TEST_F(BudgetedTest, WhatIsLeftCanBeSeen) {
    Instance api = instance(window(3));
    made(api, 2);
    EXPECT_EQ(api.budgeted->view(outside.clock.now()).remaining, 1U);
    made(api, 5);
    const auto view = api.budgeted->view(outside.clock.now());
    EXPECT_EQ(view.budget, 3U);
    EXPECT_EQ(view.remaining, 0U);
    EXPECT_EQ(view.refused, 4U);
    EXPECT_EQ(api.budgeted->view({outside.clock.now().mono + 2min, outside.clock.now().wall + 2min}).remaining, 3U);
}

TEST_F(BudgetedTest, ItSwitchesProtocolsLikeWhatStandsBehindIt) {
    EXPECT_TRUE(instance(window(3)).budgeted->can_upgrade());
}

// ---- together

TEST_F(BudgetedTest, AllInstancesHaveOneBudget) {
    Instance a = instance(window(5), &common);
    Instance b = instance(window(5), &common);
    EXPECT_EQ(made(a, 3), 3);
    EXPECT_EQ(made(b, 10), 2);
    EXPECT_EQ(made(a, 10), 0);
    EXPECT_EQ(common.states.size(), 1U);
    EXPECT_TRUE(common.states.begin()->first.starts_with("origin:api:")) << common.states.begin()->first;
    outside.skip(1min + 1s);
    EXPECT_EQ(made(a, 10) + made(b, 10), 5);
}

TEST_F(BudgetedTest, OriginsAndRulesAreCountedApart) {
    Instance a = instance(window(5), &common);
    Instance other = instance(window(5), &common, "other");
    Instance changed = instance(window(6), &common);
    for (Instance* each : {&a, &other, &changed}) made(*each, 1);
    EXPECT_EQ(common.states.size(), 3U);
}

TEST_F(BudgetedTest, OnceItIsSpentNobodyAsksBeforeThereCanBeSomething) {
    Instance a = instance(window(5), &common);
    EXPECT_EQ(made(a, 100), 5);
    EXPECT_LE(common.calls, 6);
}

TEST_F(BudgetedTest, AnInstanceThatIsNewKnowsWhatWasSpent) {
    {
        Instance a = instance(window(5), &common);
        EXPECT_EQ(made(a, 4), 4);
    }
    Instance b = instance(window(5), &common);
    EXPECT_EQ(made(b, 10), 1);
}

TEST_F(BudgetedTest, WithTheCountAwayEachHasItsPart) {
    common.is_away = true;
    Instance a = instance(window(10), &common);
    Instance b = instance(window(10), &common);
    EXPECT_EQ(made(a, 20), 5);
    EXPECT_EQ(made(b, 20), 5);
    EXPECT_EQ(common.calls, 0);
}

TEST_F(BudgetedTest, WhatWasSpentAloneIsToldWhenTheCountIsBack) {
    Instance a = instance(window(10), &common);
    common.is_away = true;
    EXPECT_EQ(made(a, 3), 3);
    common.is_away = false;
    EXPECT_LE(made(a, 20), 7);
    Instance b = instance(window(10), &common);
    EXPECT_EQ(made(b, 20), 0);
}

TEST_F(BudgetedTest, ACountThatDoesNotAnswerHoldsNobodyUpForLong) {
    common.is_silent = true;
    Instance a = instance(window(10), &common);
    const auto answer = outside.call(*a.budgeted);
    outside.pass(49ms);
    EXPECT_FALSE(*answer);
    outside.pass(2ms);
    ASSERT_TRUE(*answer);
    EXPECT_TRUE((*answer)->has_value()) << "from the part of this instance";
}

TEST_F(BudgetedTest, WhatNeverLeftGoesBackIntoTheCommonCount) {
    for (const std::uint64_t budget : {1U, 5U}) {
        Instance a = instance(window(budget), &common);
        a.origin->fails = Error{Blame::origin, Fault::origin_unreachable, true, "no connection", {}};
        EXPECT_EQ(made(a, 20), 0);
        EXPECT_EQ(a.origin->record.calls, 20U);
        a.origin->fails.reset();
        EXPECT_EQ(made(a, 20), static_cast<int>(budget));
    }
}

}  // namespace
}  // namespace etage::origin::testing
