#include "gateway/config_limits.hpp"
#include "gateway/config_load.hpp"

#include <gmock/gmock.h>

namespace etage::gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Sources file(const std::string& text) {
    Sources sources;
    sources.file = SourceText{"etage.toml", text};
    return sources;
}

Config good(const std::string& text) {
    auto config = load_config(file(text));
    EXPECT_TRUE(config) << (config ? "" : config.error().text());
    return config ? std::move(*config) : Config{};
}

/// One line of a route's limits.
std::string limits(const std::string& inside) {
    return "[[route]]\nmatch = \"GET /\"\nlimits = [{ " + inside + " }]\n";
}

LimitPolicy only(const std::string& inside) {
    const auto config = good(limits(inside));
    return config.routes.empty() || config.routes[0].limits.empty() ? LimitPolicy{} : config.routes[0].limits[0];
}

TEST(ConfigLimits, EveryKeyIsRead) {
    const auto limit = only(
        "name = \"a\", rate = \"100/min\", burst = 20, by = \"header:x-api-key\", cost = \"header:X-Cost\", "
        "count = \"misses\", allow = [\"one\"], deny = [\"two\", \"three\"], outage = \"closed\", lease = 7, "
        "retry_jitter = \"2s\", dry_run = true");
    EXPECT_EQ(limit.name, "a");
    EXPECT_EQ(limit.quota, 100U);
    EXPECT_EQ(limit.window, Duration(1min));
    EXPECT_EQ(limit.burst, 20U);
    EXPECT_EQ(limit.by, LimitPolicy::By::header);
    EXPECT_EQ(limit.by_name, "x-api-key");
    EXPECT_EQ(limit.cost_by, LimitPolicy::Cost::request_header);
    EXPECT_EQ(limit.cost_name, "X-Cost");
    EXPECT_EQ(limit.count, LimitPolicy::Count::misses);
    EXPECT_THAT(limit.allow, ElementsAre("one"));
    EXPECT_THAT(limit.deny, ElementsAre("two", "three"));
    EXPECT_EQ(limit.outage, LimitPolicy::Outage::closed);
    EXPECT_EQ(limit.lease, 7U);
    EXPECT_EQ(limit.retry_jitter, Duration(2s));
    EXPECT_TRUE(limit.dry_run);
}

TEST(ConfigLimits, AlgorithmsAndCosts) {
    using Algorithm = LimitPolicy::Algorithm;
    EXPECT_EQ(only("name = \"a\", rate = \"1/s\"").algorithm, Algorithm::token_bucket);
    EXPECT_EQ(only("name = \"a\", rate = \"1/s\", algorithm = \"fixed_window\"").algorithm, Algorithm::fixed_window);
    EXPECT_EQ(only("name = \"a\", rate = \"1/s\", algorithm = \"sliding_window\"").algorithm,
              Algorithm::sliding_window);
    const auto seats = only("name = \"a\", algorithm = \"concurrency\", max = 5");
    EXPECT_EQ(seats.algorithm, Algorithm::concurrency);
    EXPECT_EQ(seats.max, 5U);
    const auto bytes = only("name = \"a\", rate = \"10MiB/min\", burst = \"1MiB\", cost = \"response-bytes\"");
    EXPECT_EQ(bytes.quota, 10U << 20U);
    EXPECT_EQ(bytes.burst, 1U << 20U);
    EXPECT_EQ(bytes.cost_by, LimitPolicy::Cost::response_bytes);
    EXPECT_EQ(only("name = \"a\", rate = \"9/s\", cost = 3").cost, 3U);
    EXPECT_EQ(only("name = \"a\", rate = \"9/s\", cost = \"response-header:X-C\"").cost_name, "X-C");
}

TEST(ConfigLimits, OfTheHouse) {
    const auto config = good(
        "[[limit]]\nname = \"all\"\nrate = \"5000/min\"\nby = \"everyone\"\n"
        "[server]\nlimits_page = \"/limits/me\"\n");
    ASSERT_EQ(config.limits.size(), 1U);
    EXPECT_EQ(config.limits[0].by, LimitPolicy::By::everyone);
    EXPECT_EQ(config.server.limits_page, "/limits/me");
}

TEST(ConfigLimits, WhatIsWrongIsSaid) {
    const std::pair<const char*, const char*> cases[] = {
        {"name = \"a\"", "a limit needs a rate"},
        {"rate = \"1/s\"", "a limit needs a name"},
        {"name = \"a\", rate = \"1/s\" }, { name = \"a\", rate = \"2/s\"", "is taken by another limit"},
        {"name = \"a\", rate = \"1 per s\"", "is not a rate"},
        {"name = \"a b\", rate = \"1/s\"", "is no name"},
        {"name = \"abcdefghijklmnopqrstuvwxyzabcdefg\", rate = \"1/s\"", "is longer than 32 characters"},
        {"name = \"a\", rate = \"1/s\", by = \"ipp\"", "unknown word \"ipp\"; did you mean \"ip\"?"},
        {"name = \"a\", rate = \"1/s\", by = \"header:\"", "cannot be the name"},
        {"name = \"a\", rate = \"1/s\", by = \"header:NAME\"", "put the real name in place of NAME"},
        {"name = \"a\", rate = \"1/s\", algorithm = \"fixed_windo\"", "did you mean \"fixed_window\"?"},
        {"name = \"a\", rate = \"1/s\", algorithm = \"concurrency\"", "concurrency needs max"},
        {"name = \"a\", rate = \"1/s\", max = 3, algorithm = \"concurrency\"", "it has max, no rate"},
        {"name = \"a\", max = 3, cost = 2, algorithm = \"concurrency\"", "no cost"},
        {"name = \"a\", max = 3, count = \"misses\", algorithm = \"concurrency\"", "hits too"},
        {"name = \"a\", rate = \"1/s\", max = 3", "max is of algorithm = \"concurrency\""},
        {"name = \"a\", rate = \"1/s\", burst = 3, algorithm = \"sliding_window\"", "burst is of the token bucket"},
        {"name = \"a\", rate = \"5/s\", cost = 6", "is never let in"},
        {"name = \"a\", rate = \"5MiB/s\"", "needs cost = \"response-bytes\""},
        {"name = \"a\", rate = \"5/s\", by = \"route\", deny = [\"x\"]", "allow and deny name clients"},
        {"name = \"a\", rate = \"5/s\", allow = [\"10.0.0.0/99\"]", "10.0.0.0/99"},
        {"name = \"a\", rate = \"5/s\", lease = 0", "lease"},
        {"name = \"a\", rate = \"5/s\", outage = \"shut\"", "outage"},
        {"name = \"a\", max = 3, algorithm = \"concurrency\" }, { name = \"b\", max = 3, algorithm = \"concurrency\"",
         "takes one limit of concurrency"},
    };
    for (const auto& [inside, what] : cases) {
        const auto config = load_config(file(limits(inside)));
        ASSERT_FALSE(config) << inside;
        EXPECT_THAT(config.error().text(), HasSubstr(what)) << inside;
        EXPECT_THAT(config.error().text(), HasSubstr("etage.toml:3:")) << inside;
    }
    for (const char* text : {"[server]\nlimits_page = \"limits\"", "[limit]\nname = \"a\""})
        EXPECT_FALSE(load_config(file(text))) << text;
}

}  // namespace
}  // namespace etage::gateway
