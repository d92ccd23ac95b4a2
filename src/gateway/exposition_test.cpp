#include "gateway/exposition.hpp"

#include "gateway/status_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <set>
#include <sstream>

namespace etage::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

Snapshot snapshot() {
    Snapshot now;
    now.ready = true;
    now.uptime = std::chrono::milliseconds(1500);
    now.memory = {4096, 3, 5, 7};
    now.memory_limit = 1 << 20;
    now.position = 42;
    now.floor = 41;
    now.origins = {{"default", 0.25, "EUR"}, {"se\"arch", 0, ""}};
    RoutePolicy policy;
    policy.match = "GET /posts";
    policy.cache.ttl = std::chrono::seconds(60);
    now.routes = {{"posts", policy}};
    return now;
}

class ExpositionTest : public testing::Test {
protected:
    ExpositionTest() {
        metrics_->add(base::Counter::requests, 10);
        metrics_->add(base::Counter::hits, 6);
        metrics_->add(base::Counter::forwarded, 2);
        metrics_->add(Forward::uri_miss);
        metrics_->add(Detail::no_store);
        metrics_->add(Detail::no_store);
        for (int i = 0; i < 3; ++i) metrics_->add_origin_saved(0);
        metrics_->add_origin_call(1);
    }
    std::unique_ptr<base::Metrics> metrics_ = std::make_unique<base::Metrics>();
};

TEST_F(ExpositionTest, EveryCounterHasItsLine) {
    const std::string text = expose(*metrics_, snapshot());
    EXPECT_THAT(text, HasSubstr("# HELP etage_requests_total Requests received\n# TYPE etage_requests_total "
                                "counter\netage_requests_total 10\n"));
    EXPECT_THAT(text, HasSubstr("\netage_hits_total 6\n"));
    EXPECT_THAT(text, HasSubstr("\netage_evictions_total 7\n"));  // the store's own
    for (std::size_t i = 0; i < base::counter_count; ++i)
        EXPECT_THAT(text,
                    HasSubstr("\netage_" + std::string(base::counter_name(static_cast<base::Counter>(i))) + "_total "));
}

TEST_F(ExpositionTest, EveryVerdictHasItsSeries) {
    const std::string text = expose(*metrics_, snapshot());
    EXPECT_THAT(text, HasSubstr("\netage_forwards_total{forward=\"uri-miss\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("\netage_details_total{detail=\"no-store\"} 2\n"));
    for (std::size_t i = 1; i < detail_count; ++i)
        EXPECT_THAT(text, HasSubstr("{detail=\"" + std::string(detail_name(static_cast<Detail>(i))) + "\"}"));
    EXPECT_THAT(text, Not(HasSubstr("=\"none\"")));
}

TEST_F(ExpositionTest, OriginsAndWhatTheySaved) {
    const std::string text = expose(*metrics_, snapshot());
    EXPECT_THAT(text, HasSubstr("\netage_origin_calls_saved_total{origin=\"default\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("\netage_origin_calls_total{origin=\"se\\\"arch\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("\netage_origin_cost_saved_total{origin=\"default\",currency=\"EUR\"} 0.75\n"));
    EXPECT_THAT(text, Not(HasSubstr("cost_saved_total{origin=\"se")));
}

TEST_F(ExpositionTest, ACostWithoutACurrencyHasNoLabelForOne) {
    Snapshot now = snapshot();
    now.origins[0].currency.clear();
    EXPECT_THAT(expose(*metrics_, now), HasSubstr("\netage_origin_cost_saved_total{origin=\"default\"} 0.75\n"));
    const auto stats = nlohmann::json::parse(stats_json(*metrics_, now));
    EXPECT_EQ(stats["origins"][0]["cost_saved"], 0.75);
    EXPECT_FALSE(stats["origins"][0].contains("currency"));
}

TEST_F(ExpositionTest, BudgetsAndCallsAtOnceOfOriginsThatHaveThem) {
    Snapshot now = snapshot();
    EXPECT_THAT(expose(*metrics_, now), Not(HasSubstr("budget_remaining")));
    now.origins[0].budget = {1000, 340, 7};
    now.origins[1].guard = {20, 3, 5};
    const std::string text = expose(*metrics_, now);
    for (const char* line :
         {"etage_origin_budget{origin=\"default\"} 1000", "etage_origin_budget_remaining{origin=\"default\"} 340",
          "etage_origin_budget_refused_total{origin=\"default\"} 7",
          "etage_origin_concurrency_limit{origin=\"se\\\"arch\"} 20", "etage_origin_in_flight{origin=\"se\\\"arch\"} 3",
          "etage_origin_shed_total{origin=\"se\\\"arch\"} 5"})
        EXPECT_THAT(text, HasSubstr("\n" + std::string(line) + "\n"));
    const auto stats = nlohmann::json::parse(stats_json(*metrics_, now));
    EXPECT_EQ(stats["origins"][0]["budget"], (nlohmann::json{{"calls", 1000}, {"remaining", 340}, {"refused", 7}}));
    EXPECT_EQ(stats["origins"][1]["concurrency"], (nlohmann::json{{"limit", 20}, {"in_flight", 3}, {"shed", 5}}));
    EXPECT_FALSE(stats["origins"][1].contains("budget"));
}

TEST_F(ExpositionTest, OriginsBeyondTheLastRowShareIt) {
    Snapshot now = snapshot();
    now.origins.assign(base::metered_origins_max + 5, {"x", 1, "EUR"});
    const std::string text = expose(*metrics_, now);
    EXPECT_THAT(text, HasSubstr("etage_origin_calls_total{origin=\"others\"}"));
}

TEST_F(ExpositionTest, WhatWasGivenUpForWantOfRoom) {
    Snapshot now = snapshot();
    now.given_up = {7, 8, 9};
    const std::string text = expose(*metrics_, now);
    for (const char* line :
         {"etage_log_lines_dropped_total 7", "etage_marks_forgotten_total 8", "etage_limit_clients_forgotten_total 9"})
        EXPECT_THAT(text, HasSubstr("\n" + std::string(line) + "\n"));
}

TEST_F(ExpositionTest, GaugesOfMemoryAndCoherence) {
    const std::string text = expose(*metrics_, snapshot());
    for (const char* line : {"etage_ready 1", "etage_degraded 0", "etage_uptime_seconds 1.5", "etage_memory_bytes 4096",
                             "etage_memory_limit_bytes 1048576", "etage_memory_shelves 3", "etage_memory_entries 5",
                             "etage_coherence_position 42", "etage_coherence_floor 41"})
        EXPECT_THAT(text, HasSubstr("\n" + std::string(line) + "\n"));
    EXPECT_THAT(text, HasSubstr("etage_build_info{version=\""));
}

TEST_F(ExpositionTest, NoFamilyTwiceAndAllNamesEndAsPromised) {
    std::istringstream lines(expose(*metrics_, snapshot()));
    std::set<std::string> families;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        std::istringstream words(line.substr(7));
        std::string name;
        std::string type;
        words >> name >> type;
        EXPECT_TRUE(families.insert(name).second) << name;
        EXPECT_TRUE(name.starts_with("etage_")) << name;
        EXPECT_EQ(type == "counter", name.ends_with("_total")) << name;
    }
    EXPECT_GT(families.size(), base::counter_count);
}

TEST_F(ExpositionTest, StatsAreTheSameNumbersAsJson) {
    const auto stats = nlohmann::json::parse(stats_json(*metrics_, snapshot()));
    EXPECT_EQ(stats["hit_ratio"], 0.75);
    EXPECT_EQ(stats["uptime_s"], 1);
    EXPECT_EQ(stats["counters"]["requests"], 10);
    EXPECT_EQ(stats["counters"]["evictions"], 7);
    EXPECT_EQ(stats["memory"]["entries"], 5);
    EXPECT_EQ(stats["coherence"]["position"], "42");
    EXPECT_EQ(stats["forwards"], (nlohmann::json{{"uri-miss", 1}}));
    EXPECT_EQ(stats["details"], (nlohmann::json{{"no-store", 2}}));
    EXPECT_EQ(stats["origins"][0]["cost_saved"], 0.75);
    EXPECT_EQ(stats["origins"][1]["calls"], 1);
    EXPECT_FALSE(stats["origins"][1].contains("currency"));
    EXPECT_EQ(stats["routes"][0]["match"], "GET /posts");
    EXPECT_EQ(stats["routes"][0]["does"], "ttl 60s");
}

TEST_F(ExpositionTest, StatsSurviveWhatIsNoUtf8) {
    Snapshot now = snapshot();
    now.routes[0].policy.match = "GET /\xff";
    EXPECT_FALSE(nlohmann::json::parse(stats_json(*metrics_, now)).empty());
}

TEST(StatusPage, DescribesRoutesInOneLine) {
    RoutePolicy policy;
    EXPECT_EQ(describe(policy), "as the origin says");
    policy.cache.ttl = std::chrono::seconds(60);
    policy.cache.stale_while_revalidate = std::chrono::seconds(30);
    policy.cache.tags = {"posts", "all"};
    policy.limits.push_back({.name = "a",
                             .quota = 5,
                             .window = std::chrono::seconds(1),
                             .by = LimitPolicy::By::header,
                             .by_name = "x-api-key"});
    policy.origin = "search";
    EXPECT_EQ(describe(policy),
              "ttl 60s · stale 30s while revalidating · tags posts, all · 5/1s per header x-api-key · from search");
}

TEST(StatusPage, NeedsNothingFromElsewhere) {
    const std::string_view page = status_page();
    EXPECT_THAT(std::string(page), testing::StartsWith("<!DOCTYPE html>"));
    for (const char* elsewhere : {"http://", "https://", "src=", "@import", "url(", "innerHTML", " style="})
        EXPECT_EQ(page.find(elsewhere), std::string_view::npos) << elsewhere;
}

TEST(StatusPage, ThePolicyNamesItsScriptAndStyleByHash) {
    const std::string policy = status_page_policy();
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, testing::ContainsRegex("script-src 'sha256-[A-Za-z0-9+/]{43}='"));
    EXPECT_THAT(policy, testing::ContainsRegex("style-src 'sha256-[A-Za-z0-9+/]{43}='"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

}  // namespace
}  // namespace etage::gateway
