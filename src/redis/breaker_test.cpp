#include "redis/breaker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace etage::redis {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1h};
constexpr Breaker::Options options{.failures_max = 3, .retry_first = 100ms, .retry_max = 400ms, .probe_time_max = 2s};

void open(Breaker& breaker, Instant now = start) {
    for (std::uint32_t i = 0; i < options.failures_max; ++i) breaker.failed(now);
    ASSERT_TRUE(breaker.is_open());
}

TEST(Breaker, OpensAfterFailuresInARow) {
    Breaker breaker(options, 1);
    EXPECT_FALSE(breaker.failed(start));
    EXPECT_FALSE(breaker.failed(start));
    breaker.succeeded();
    EXPECT_FALSE(breaker.failed(start));
    EXPECT_FALSE(breaker.failed(start));
    EXPECT_FALSE(breaker.is_open());
    EXPECT_TRUE(breaker.failed(start));
    EXPECT_TRUE(breaker.is_open());
    EXPECT_FALSE(breaker.failed(start)) << "it opens once";
}

TEST(Breaker, OneProbeAtATime) {
    Breaker breaker(options, 1);
    EXPECT_FALSE(breaker.begin_probe(start)) << "closed: nothing to find out";
    open(breaker);
    EXPECT_FALSE(breaker.begin_probe(start));
    const Instant due = breaker.probe_due();
    EXPECT_FALSE(breaker.begin_probe(due - 1ns));
    EXPECT_TRUE(breaker.begin_probe(due));
    EXPECT_FALSE(breaker.begin_probe(due + 1s));
    EXPECT_TRUE(breaker.begin_probe(due + 2s)) << "the first one was lost with its io_context";
}

TEST(Breaker, RepliesOfOldCallsDoNotCloseIt) {
    Breaker breaker(options, 1);
    open(breaker);
    breaker.succeeded();
    EXPECT_TRUE(breaker.is_open());
}

TEST(Breaker, BackOffDoublesUpToItsBoundWithJitter) {
    std::set<Duration> waits;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Breaker breaker(options, seed);
        open(breaker);
        Instant now = start;
        for (const Duration expected : {100ms, 200ms, 400ms, 400ms, 400ms}) {
            const Duration wait = breaker.probe_due() - now;
            EXPECT_GE(wait, expected * 3 / 4);
            EXPECT_LE(wait, expected * 5 / 4);
            waits.insert(wait);
            now = breaker.probe_due();
            ASSERT_TRUE(breaker.begin_probe(now));
            breaker.end_probe(false, now);
        }
    }
    EXPECT_GT(waits.size(), 200U);
}

TEST(Breaker, AProbeClosesItAndOneFailureOpensItAgain) {
    Breaker breaker(options, 1);
    open(breaker);
    const Instant due = breaker.probe_due();
    ASSERT_TRUE(breaker.begin_probe(due));
    breaker.end_probe(true, due);
    EXPECT_FALSE(breaker.is_open());
    EXPECT_TRUE(breaker.failed(due));
    // It went on where it was: who flaps is asked seldom.
    EXPECT_GE(breaker.probe_due() - due, 150ms);

    ASSERT_TRUE(breaker.begin_probe(breaker.probe_due()));
    breaker.end_probe(true, due);
    breaker.succeeded();
    EXPECT_FALSE(breaker.failed(due));
    EXPECT_FALSE(breaker.failed(due));
    EXPECT_TRUE(breaker.failed(due));
    EXPECT_LE(breaker.probe_due() - due, 125ms) << "a success forgives";
}

TEST(Breaker, ManyThreadsOneProbe) {
    Breaker breaker(options, 1);
    open(breaker);
    const Instant due = breaker.probe_due();
    std::atomic<int> probes{0}, opened_by{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n) {
                if (breaker.begin_probe(due)) ++probes;
                if (breaker.failed(due)) ++opened_by;
                breaker.succeeded();
                (void)breaker.is_open();
            }
        });
    threads.clear();
    EXPECT_EQ(probes, 1);
    EXPECT_EQ(opened_by, 0);
}

}  // namespace
}  // namespace etage::redis
