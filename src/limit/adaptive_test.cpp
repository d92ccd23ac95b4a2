// The guard in front of a simulated origin, in virtual time.

#include "limit/adaptive.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace etage::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// So many workers with one queue, and clients that come as they like. Every tenth request costs ten times as much.
class Origin {
public:
    struct Options {
        std::size_t workers = 50;
        double service_ms = 20;
        double thrash = 0;  // how much slower each request in flight beyond the workers makes a new one
        Duration timeout = seconds(5);
    };

    Origin(Options options, AdaptiveLimit& guard) : options_(options), guard_(guard) { set(options); }

    void set(Options options) {
        options_ = options;
        free_ = {};
        for (std::size_t i = 0; i < options.workers; ++i) free_.push(now_);
    }

    /// Clients come at this rate for so long.
    void run(double per_second, Duration time) {
        const Instant end = now_ + time;
        std::exponential_distribution<double> gap(per_second);
        for (Instant next = now_;; next += Duration(static_cast<std::int64_t>(gap(random_) * 1e9))) {
            finish_until(std::min(next, end));
            if (next >= end) break;
            now_ = next;
            arrive();
        }
        now_ = end;
    }

    std::size_t answered = 0, shed = 0, timed_out = 0;
    void forget() { answered = shed = timed_out = 0; }

private:
    struct Job {
        Instant done, begun;
        bool operator>(const Job& other) const { return done > other.done; }
    };

    void arrive() {
        if (!guard_.admit(jobs_.size())) {
            ++shed;
            return;
        }
        std::exponential_distribution<double> service(1);
        const double weight = std::uniform_int_distribution<int>(0, 9)(random_) == 0 ? 5.5 : 0.5;
        const double beyond = std::max(static_cast<double>(jobs_.size()) - static_cast<double>(options_.workers), 0.0);
        const double ms = options_.service_ms * weight * service(random_) * (1 + beyond * options_.thrash);
        const Instant done = std::max(free_.top(), now_) + Duration(static_cast<std::int64_t>(ms * 1e6));
        free_.pop();
        free_.push(done);
        jobs_.push({std::min(done, now_ + options_.timeout), now_});
    }

    void finish_until(Instant until) {
        while (!jobs_.empty() && jobs_.top().done <= until) {
            const Job job = jobs_.top();
            const Duration latency = job.done - job.begun;
            const bool dropped = latency >= options_.timeout;
            ++(dropped ? timed_out : answered);
            guard_.sample(latency, dropped, jobs_.size(), job.done);
            jobs_.pop();
        }
    }

    Options options_;
    AdaptiveLimit& guard_;
    std::mt19937_64 random_{1};
    Instant now_{std::chrono::hours(1)};
    std::priority_queue<Instant, std::vector<Instant>, std::greater<>> free_;  // when each worker is
    std::priority_queue<Job, std::vector<Job>, std::greater<>> jobs_;
};

constexpr double of_fifty = 50 / 0.020;  // answers per second of fifty workers

TEST(AdaptiveLimit, ConvergesNearTheKnee) {
    for (const double demand : {1.5, 4.0}) {
        AdaptiveLimit guard({.min = 4, .max = 1000, .start = 20});
        Origin origin({}, guard);
        origin.run(of_fifty * demand, seconds(60));
        origin.forget();
        for (int minute = 0; minute < 2; ++minute) {
            origin.run(of_fifty * demand, seconds(60));
            EXPECT_GE(guard.limit(), 25U) << "half of it, when it is measured";
            EXPECT_LE(guard.limit(), 120U);
        }
        EXPECT_GT(static_cast<double>(origin.answered), of_fifty * 120 * 0.93) << "the origin is busy";
        EXPECT_EQ(origin.timed_out, 0U);
        EXPECT_GT(origin.shed, 0U);
        std::printf("demand %.1f: limit %zu, %.1f %% of what the origin can\n", demand, guard.limit(),
                    static_cast<double>(origin.answered) / of_fifty / 1.2);
    }
}

TEST(AdaptiveLimit, KeepsAnOriginFromCollapsing) {
    const Origin::Options fragile{.thrash = 0.05};
    AdaptiveLimit guard({.min = 4, .max = 1000, .start = 200});
    Origin guarded(fragile, guard);
    AdaptiveLimit none({.min = 1000, .max = 1000, .start = 1000});
    Origin open(fragile, none);
    for (Origin* each : {&guarded, &open}) {
        each->run(of_fifty * 2, seconds(30));
        each->forget();
        each->run(of_fifty * 2, seconds(120));
    }
    EXPECT_GT(static_cast<double>(guarded.answered), of_fifty * 120 * 0.45);
    EXPECT_LT(open.answered * 5, guarded.answered);
    EXPECT_LT(guarded.timed_out * 100, guarded.answered);
}

TEST(AdaptiveLimit, StaysWhenNobodyComes) {
    AdaptiveLimit guard({.min = 4, .max = 1000, .start = 20});
    Origin origin({}, guard);
    origin.run(of_fifty * 2, seconds(60));
    const std::size_t busy = guard.limit();
    origin.run(5, seconds(600));
    EXPECT_GE(guard.limit() * 5, busy * 2) << "while it measures it is half of it";
    origin.run(of_fifty * 0.9, seconds(20));
    origin.forget();
    origin.run(of_fifty * 0.9, seconds(20));
    EXPECT_LT(origin.shed * 50, origin.answered);
}

TEST(AdaptiveLimit, DoesNotShedWhatTheOriginCanDo) {
    AdaptiveLimit guard({.min = 4, .max = 1000, .start = 20});
    Origin origin({}, guard);
    origin.run(of_fifty * 0.7, seconds(30));
    origin.forget();
    origin.run(of_fifty * 0.7, seconds(100));
    EXPECT_LT(origin.shed * 100, origin.answered);
}

TEST(AdaptiveLimit, FollowsAnOriginThatGrowsAndShrinks) {
    AdaptiveLimit guard({.min = 4, .max = 1000, .start = 20});
    Origin origin({}, guard);
    origin.run(of_fifty * 5, seconds(40));
    EXPECT_LE(guard.limit(), 120U);
    origin.set({.workers = 200});
    origin.run(of_fifty * 5, seconds(40));
    origin.forget();
    origin.run(of_fifty * 5, seconds(40));
    EXPECT_GT(static_cast<double>(origin.answered), of_fifty * 4 * 40 * 0.85) << "four times the workers are used";
    origin.set({.workers = 50});
    origin.run(of_fifty * 5, seconds(40));
    EXPECT_LE(guard.limit(), 120U);
}

TEST(AdaptiveLimit, FollowsAnOriginThatIsSlowerForGood) {
    AdaptiveLimit guard({.min = 4, .max = 1000, .start = 20});
    Origin origin({}, guard);
    origin.run(of_fifty * 2, seconds(60));
    origin.set({.service_ms = 80});
    origin.run(of_fifty, seconds(90));
    origin.forget();
    origin.run(of_fifty, seconds(120));
    EXPECT_GT(static_cast<double>(origin.answered), of_fifty / 4 * 120 * 0.85);
    EXPECT_LE(guard.limit(), 120U);
    origin.set({.service_ms = 5});
    origin.run(of_fifty * 5, seconds(40));
    origin.forget();
    origin.run(of_fifty * 5, seconds(40));
    EXPECT_GT(static_cast<double>(origin.answered), of_fifty * 4 * 40 * 0.85);
}

TEST(AdaptiveLimit, AFewTimeoutsDoNotEndInNothing) {
    AdaptiveLimit guard({.min = 4, .max = 1000, .start = 50});
    Instant now{seconds(1)};
    for (int i = 0; i < 100'000; ++i)
        guard.sample(milliseconds(20), i % 100 == 0, guard.limit(), now += milliseconds(1));
    EXPECT_GT(guard.limit(), 50U) << "one in a hundred, without a queue";
    for (int i = 0; i < 100'000; ++i) guard.sample(milliseconds(20), i % 2 == 0, guard.limit(), now += milliseconds(1));
    EXPECT_EQ(guard.limit(), 4U) << "one in two";
}

TEST(AdaptiveLimit, KeepsItsBounds) {
    EXPECT_EQ(AdaptiveLimit({.min = 10, .max = 5, .start = 1}).limit(), 10U);
    EXPECT_TRUE(AdaptiveLimit({.min = 0, .max = 5, .start = 0}).admit(0));
    AdaptiveLimit guard({.min = 4, .max = 30, .start = 20});
    for (int i = 0; i < 10'000; ++i) guard.sample(Duration(0), false, guard.limit(), Instant{seconds(1)});
    EXPECT_EQ(guard.limit(), 30U);
}

}  // namespace
}  // namespace etage::limit
