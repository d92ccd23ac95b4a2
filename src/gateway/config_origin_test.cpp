#include "gateway/config_origin.hpp"

#include "gateway/config_load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etage::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

Sources file(std::string text) { return {SourceText{"etage.toml", std::move(text)}, {}, {}, {}}; }

OriginOptions good(const Sources& sources) {
    const auto config = load_config(sources);
    EXPECT_TRUE(config) << config.error().text();
    return config ? config->origins.back().calls : OriginOptions{};
}
OriginOptions good(const std::string& keys) { return good(file("[origin]\n" + keys)); }

std::vector<std::string> bad(const std::string& text) {
    const auto config = load_config(file(text));
    return config ? std::vector<std::string>{"(accepted)"} : config.error().lines();
}

TEST(ConfigOrigin, NothingIsSaidByDefault) {
    const OriginOptions calls = good("");
    EXPECT_EQ(calls.budget.calls, 0U);
    EXPECT_EQ(calls.concurrency.mode, Concurrency::Mode::off);
    EXPECT_EQ(calls.concurrency.queue_time_max, Duration(100ms));
    EXPECT_EQ(calls.cost_per_call, 0);
}

TEST(ConfigOrigin, ABudgetIsARateInAWindowOfTheCalendar) {
    const Budget budget = good("budget = \"1000/day\"").budget;
    EXPECT_EQ(budget.calls, 1000U);
    EXPECT_EQ(budget.window, Duration(24h));
    EXPECT_EQ(budget.algorithm, Budget::Algorithm::fixed_window);
}

TEST(ConfigOrigin, OrATableThatSaysHowItIsCounted) {
    const Budget budget = good(R"(budget = { rate = "1000/day", algorithm = "token_bucket", burst = 50 })").budget;
    EXPECT_EQ(budget.calls, 1000U);
    EXPECT_EQ(budget.algorithm, Budget::Algorithm::token_bucket);
    EXPECT_EQ(budget.burst, 50U);
    EXPECT_EQ(good(R"(budget = { rate = "5/s", algorithm = "sliding_window" })").budget.algorithm,
              Budget::Algorithm::sliding_window);
}

TEST(ConfigOrigin, ACostNeedsNoCurrency) {
    EXPECT_DOUBLE_EQ(good("cost_per_call = 0.002").cost_per_call, 0.002);
    EXPECT_EQ(good("cost_per_call = 2\ncurrency = \"EUR\"").currency, "EUR");
}

TEST(ConfigOrigin, CallsAtOnceAreANumberOrFound) {
    const Concurrency fixed = good("concurrency = 20").concurrency;
    EXPECT_EQ(fixed.mode, Concurrency::Mode::fixed);
    EXPECT_EQ(fixed.max, 20U);
    const Concurrency adaptive = good("concurrency = \"adaptive\"\nqueue_time_max = \"1s\"").concurrency;
    EXPECT_EQ(adaptive.mode, Concurrency::Mode::adaptive);
    EXPECT_EQ(adaptive.max, 256U);
    EXPECT_EQ(adaptive.queue_time_max, Duration(1s));
    EXPECT_EQ(good("concurrency_max = 50\nconcurrency = \"adaptive\"").concurrency.max, 50U);
    EXPECT_EQ(good("concurrency = \"off\"\nconcurrency_max = 50").concurrency.mode, Concurrency::Mode::off);
}

TEST(ConfigOrigin, NamedOriginsHaveTheirOwn) {
    const OriginOptions calls =
        good(file("[origin]\nbudget = \"1/s\"\n[origins.api]\nurls = [\"http://a\"]\n"
                  "budget = \"9/h\"\nconcurrency = \"adaptive\"\nconcurrency_max = 7"));
    EXPECT_EQ(calls.budget.calls, 9U);
    EXPECT_EQ(calls.concurrency.max, 7U);
}

TEST(ConfigOrigin, TheEnvironmentSaysTheSame) {
    Sources sources = file("[origin]\nbudget = \"1/s\"\nconcurrency = \"adaptive\"");
    sources.environment = {"ETAGE_ORIGIN_BUDGET=500/day", "ETAGE_ORIGIN_CONCURRENCY=12"};
    const OriginOptions calls = good(sources);
    EXPECT_EQ(calls.budget.calls, 500U);
    EXPECT_EQ(calls.concurrency.mode, Concurrency::Mode::fixed);
    EXPECT_EQ(calls.concurrency.max, 12U);
}

TEST(ConfigOrigin, WhatIsWrongIsSaidWithItsPlace) {
    const std::pair<const char*, const char*> cases[] = {
        {"[origin]\nbudget = \"lots\"", "etage.toml:2:10: [origin].budget: "},
        {"[origin]\nbudget = 1000", "etage.toml:2:10: [origin].budget: "},
        {"[origin]\nbudget = \"10MiB/day\"", "a budget counts calls, not bytes"},
        {"[origin]\nbudget = \"9000000000000/day\"", "is no budget at all; leave it out"},
        {"[origin]\nbudget = { burst = 5 }", "a budget needs a rate"},
        {"[origin]\nbudget = { rate = \"5/s\", bust = 5 }",
         "unknown key \"bust\" in [origin].budget; did you mean \"burst\"?"},
        {"[origin]\nbudget = { rate = \"5/s\", burst = 5 }", "burst is of the token bucket"},
        {"[origin]\nbudget = { rate = \"5/s\", algorithm = \"leaky\" }", "unknown word \"leaky\""},
        {"[origin]\nconcurrency = \"adaptiv\"", "unknown word \"adaptiv\"; did you mean \"adaptive\"?"},
        {"[origin]\nconcurrency = \"NUMBER\"", "put a real number in place of NUMBER"},
        {"[origin]\nconcurrency = 0", "0 is not between 1 and 1000000"},
        {"[origin]\nconcurrency = true", "expected"},
        {"[origin]\nconcurrency = 5\nconcurrency_max = 9", "etage.toml:3:19: [origin].concurrency_max: is the ceiling"},
        {"[origin]\nqueue_time_max = 5", "has no unit"},
        {"[origins.api]\nurls = [\"http://a\"]\nconcurrency = 5\nconcurrency_max = 9",
         "[origins].api.concurrency_max: is the ceiling"},
        {"[origin]\nprice_per_call = 1", "unknown key \"price_per_call\" in [origin]; "},
    };
    for (const auto& [text, expected] : cases) EXPECT_THAT(bad(text), ElementsAre(HasSubstr(expected))) << text;
}

TEST(ConfigOrigin, WhatAProgramSaysIsCheckedToo) {
    EXPECT_FALSE(mistake_in({.cost_per_call = 0.1, .currency = "USD", .budget = {.calls = 5, .window = 1s}}));
    EXPECT_EQ(mistake_in({.cost_per_call = -1})->key, "cost_per_call");
    EXPECT_EQ(mistake_in({.currency = "dollar"})->key, "currency");
    EXPECT_EQ(mistake_in({.budget = {.calls = 5}})->key, "budget") << "no window";
    EXPECT_EQ(mistake_in({.budget = {.calls = 5, .window = 1s, .algorithm = Budget::Algorithm::concurrency}})->key,
              "budget");
    EXPECT_EQ(mistake_in({.concurrency = {.mode = Concurrency::Mode::fixed, .max = 0}})->key, "concurrency");
    EXPECT_EQ(mistake_in({.concurrency = {.queue_time_max = -1s}})->key, "queue_time_max");
}

}  // namespace
}  // namespace etage::gateway
