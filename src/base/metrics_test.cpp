#include "base/metrics.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <cctype>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace etage::base {
namespace {

TEST(Metrics, EveryCounterHasANameAndAHelp) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < counter_count; ++i) {
        const auto c = static_cast<Counter>(i);
        EXPECT_FALSE(counter_help(c).empty());
        EXPECT_TRUE(names.insert(counter_name(c)).second) << counter_name(c);
        for (const char ch : counter_name(c)) EXPECT_TRUE(std::islower(ch) != 0 || ch == '_') << counter_name(c);
    }
    EXPECT_EQ(counter_name(Counter::requests), "requests");
    EXPECT_EQ(counter_name(Counter::deadlines_hit), "deadlines_hit");
    EXPECT_EQ(counter_help(Counter::stored), "Responses stored");
}

TEST(Metrics, StartsAtZeroAndCountsApart) {
    const auto m = std::make_unique<Metrics>();
    m->add(Counter::requests);
    m->add(Counter::bytes_sent, 1'000'000'000'000);
    m->add(Counter::bytes_sent, 5);
    m->add(Forward::stale);
    m->add(Detail::no_store);
    m->add(Detail::no_store);
    EXPECT_EQ(m->sum(Counter::requests), 1U);
    EXPECT_EQ(m->sum(Counter::bytes_sent), 1'000'000'000'005U);
    EXPECT_EQ(m->sum(Counter::hits), 0U);
    EXPECT_EQ(m->sum(Forward::stale), 1U);
    EXPECT_EQ(m->sum(Forward::uri_miss), 0U);
    EXPECT_EQ(m->sum(Detail::no_store), 2U);
    EXPECT_EQ(m->sum(Detail::private_), 0U);
}

TEST(Metrics, TwoMetricsOfOneProcessKnowNothingOfEachOther) {
    const auto a = std::make_unique<Metrics>();
    const auto b = std::make_unique<Metrics>();
    a->add(Counter::hits);
    EXPECT_EQ(b->sum(Counter::hits), 0U);
}

TEST(Metrics, OriginsBeyondTheLastShareItsRow) {
    const auto m = std::make_unique<Metrics>();
    m->add_origin_call(0);
    m->add_origin_call(metered_origins_max - 1);
    m->add_origin_call(metered_origins_max);
    m->add_origin_saved(1'000'000);
    EXPECT_EQ(m->sum_origin_calls(0), 1U);
    EXPECT_EQ(m->sum_origin_calls(metered_origins_max - 1), 2U);
    EXPECT_EQ(m->sum_origin_saved(metered_origins_max - 1), 1U);
    EXPECT_EQ(m->sum_origin_saved(0), 0U);
}

TEST(Metrics, NothingIsLostWithMoreThreadsThanRows) {
    constexpr std::size_t threads = Metrics::rows_max + 8;
    constexpr std::uint64_t each = 1000;
    const auto m = std::make_unique<Metrics>();
    std::barrier all_alive(static_cast<std::ptrdiff_t>(threads));
    {
        std::vector<std::jthread> pool;
        for (std::size_t t = 0; t < threads; ++t)
            pool.emplace_back([&] {
                m->add(Detail::range);
                all_alive.arrive_and_wait();  // everybody holds a row now
                for (std::uint64_t i = 0; i < each; ++i) m->add(Counter::requests);
            });
    }
    EXPECT_EQ(m->sum(Counter::requests), threads * each);
    EXPECT_EQ(m->sum(Detail::range), threads);
}

TEST(Metrics, SumsOutliveThreadsAndNeverGoDown) {
    const auto m = std::make_unique<Metrics>();
    for (std::uint64_t i = 1; i <= 3 * Metrics::rows_max; ++i) {
        std::jthread([&] { m->add(Counter::stored); }).join();
        ASSERT_EQ(m->sum(Counter::stored), i);
    }
}

}  // namespace
}  // namespace etage::base
