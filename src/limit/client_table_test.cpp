#include "limit/client_table.hpp"

#include "limit/quota_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

namespace etage::limit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

using testing::any_bucket;
using testing::any_steps;
using testing::at;
using testing::start;
using Table = ClientTable<State>;

constexpr std::uint64_t golden = 0x9E37'79B9'7F4A'7C15U;

Decision take_of(Table& table, const Quota& quota, std::uint64_t key, Instant now) {
    return table.visit(key, now, [&](State& state) { return take(quota, state, at(now)); });
}

TEST(ClientTable, ClientsDoNotShareBuckets) {
    Table table;
    const Quota one{.quota = 1, .window = seconds(1), .burst = 1};
    for (std::uint64_t key = 0; key < 1000; ++key) EXPECT_TRUE(take_of(table, one, key << 30U, start).allowed);
    for (std::uint64_t key = 0; key < 1000; ++key) ASSERT_FALSE(take_of(table, one, key << 30U, start).allowed);
    EXPECT_EQ(table.size(), 1000U);
    EXPECT_EQ(table.clients_forgotten(), 0U);
}

TEST(ClientTable, DecidesAsSingleBucketsWouldWhileThereIsRoom) {
    EXPECT_TRUE(rc::check([] {
        Table table(std::size_t{1} << 12);
        std::map<std::uint64_t, State> exact;
        const Quota rate = any_bucket();
        Instant now = start;
        for (const Duration step : any_steps(rate)) {
            now += step;
            const auto key = *rc::gen::inRange<std::uint64_t>(0, 20) * golden;
            const Decision d = take_of(table, rate, key, now);
            const Decision expected = take(rate, exact[key], at(now));
            RC_ASSERT(d.allowed == expected.allowed);
            RC_ASSERT(d.remaining == expected.remaining);
            RC_ASSERT(d.retry_after == expected.retry_after);
            RC_ASSERT(d.reset_after == expected.reset_after);
        }
        RC_ASSERT(table.clients_forgotten() == 0U);
    }));
}

TEST(ClientTable, IsBoundedAndRoundsItsBoundDown) {
    EXPECT_EQ(Table(0).clients_max(), 8U);
    EXPECT_EQ(Table(1000).clients_max(), 512U);
    EXPECT_EQ(Table().clients_max(), std::size_t{1} << 20);
    Table table(1000);
    const Quota one{.quota = 1, .window = hours(1), .burst = 1};
    for (std::uint64_t key = 1; key <= 20'000; ++key) take_of(table, one, key * golden, start);
    EXPECT_LE(table.size(), 512U);
    EXPECT_GT(table.size(), 400U);
    EXPECT_EQ(table.clients_forgotten(), 20'000U - table.size());
}

TEST(ClientTable, IdleBucketsMakeRoomAndNobodyIsForgottenForThem) {
    Table table(512);
    const Quota one{.quota = 1, .window = seconds(1), .burst = 1};
    Instant now = start;
    for (std::uint64_t round = 1; round <= 100; ++round, now += seconds(2))
        for (std::uint64_t key = 0; key < 8; ++key) EXPECT_TRUE(take_of(table, one, (round << 40U) | key, now).allowed);
    EXPECT_EQ(table.clients_forgotten(), 0U);
}

TEST(ClientTable, WhoPressesHardestIsForgottenLast) {
    Table table(8);
    const Quota rate{.quota = 60, .window = minutes(1), .burst = 10};
    constexpr std::uint64_t greedy = 7'000'000;
    while (take_of(table, rate, greedy, start).allowed) {
    }
    for (std::uint64_t key = 1; key <= 1000; ++key) EXPECT_TRUE(take_of(table, rate, key, start).allowed);
    EXPECT_FALSE(take_of(table, rate, greedy, start).allowed);
    EXPECT_EQ(table.clients_forgotten(), 1000U - 7U);
    EXPECT_EQ(take_of(table, rate, 1, start).remaining, 9U) << "forgotten, so it has got its one token back";
}

TEST(ClientTable, TheKeyZeroIsAKeyLikeAnyOther) {
    Table table(8);
    const Quota one{.quota = 1, .window = seconds(10), .burst = 1};
    EXPECT_TRUE(take_of(table, one, 5, start).allowed);
    EXPECT_TRUE(take_of(table, one, 0, start + seconds(9)).allowed);
    EXPECT_TRUE(take_of(table, one, 6, start + seconds(11)).allowed);
    EXPECT_FALSE(take_of(table, one, 0, start + seconds(12)).allowed);
    EXPECT_TRUE(take_of(table, one, 0, start + seconds(19)).allowed);
}

TEST(ClientTable, ThreadsTogetherGetOneBurst) {
    Table table;
    const Quota rate{.quota = 1, .window = hours(1), .burst = 5000};
    std::atomic<int> granted{0};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < 5000; ++i) {
                if (take_of(table, rate, 42, start).allowed) granted.fetch_add(1, std::memory_order_relaxed);
                take_of(table, rate, (i * 4 + t) * golden, start);  // the shard grows meanwhile
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(granted.load(), 5000);
    EXPECT_EQ(table.clients_forgotten(), 0U);
}

TEST(ClientTable, AMillionLiveClientsFitWithinTheNamedBound) {
    Table table;
    const Quota one{.quota = 1, .window = hours(1), .burst = 1};
    constexpr std::uint64_t million = 1'000'000;
    for (std::uint64_t i = 1; i <= million; ++i) take_of(table, one, i * golden ^ (i << 7U), start);
    EXPECT_EQ(Table::bytes_each(), 32U);
    EXPECT_EQ(table.clients_max() * Table::bytes_each(), std::size_t{32} << 20);
    EXPECT_EQ(table.size() + table.clients_forgotten(), million);
    EXPECT_LT(table.clients_forgotten(), million / 100 * 3) << "of 95 in 100 places";
    std::uint64_t remembered = 0;
    for (std::uint64_t i = million; i > million / 2; --i)
        remembered += take_of(table, one, i * golden ^ (i << 7U), start).allowed ? 0 : 1;
    EXPECT_GT(remembered, million / 2 / 100 * 97);
}

TEST(ClientTable, VisitsEachClientInUse) {
    Table table;
    const Quota one{.quota = 1, .window = seconds(10), .burst = 1};
    for (std::uint64_t key = 1; key <= 100; ++key) take_of(table, one, key * golden, start + seconds(key % 2 * 10));
    std::map<std::uint64_t, int> seen;
    table.for_each(start + seconds(10), [&](std::uint64_t key, State& state) {
        ++seen[key];
        state = {};
    });
    EXPECT_EQ(seen.size(), 50U);
    EXPECT_TRUE(seen.contains(golden));
    EXPECT_EQ(table.size(), 50U) << "the idle ones; the others have been emptied";
    table.for_each(start + seconds(10), [&](std::uint64_t, State&) { FAIL(); });
}

/// A client that keeps time in a function, and refers to more.
struct Counter {
    std::vector<int> seen;
    Instant until{};
    Instant idle_at() const noexcept { return until; }
};

TEST(ClientTable, ReturnsWhatTheVisitReturns) {
    ClientTable<Counter> table(64);
    for (int i = 0; i < 3; ++i) {
        const std::size_t count = table.visit(7, start, [&](Counter& counter) {
            counter.seen.push_back(i);
            counter.until = start + seconds(1);
            return counter.seen.size();
        });
        EXPECT_EQ(count, static_cast<std::size_t>(i) + 1);
    }
}

/// Counts how often the table looks at one.
struct Watched {
    static inline std::uint64_t looks = 0;
    Instant until{};
    Instant idle_at() const noexcept {
        ++looks;
        return until;
    }
};

TEST(ClientTable, AMillionRandomKeysCostNoMoreThanAThousand) {
    ClientTable<Watched> table;
    const auto looks_of = [&](std::uint64_t from, std::uint64_t to) {
        const std::uint64_t before = Watched::looks;
        for (std::uint64_t i = from; i < to; ++i)
            table.visit(i * golden ^ (i << 9U), start, [](Watched& watched) { watched.until = start + seconds(60); });
        return static_cast<double>(Watched::looks - before) / static_cast<double>(to - from);
    };
    const double first = looks_of(1, 1000);
    const double middle = looks_of(1000, 500'000);
    const double last = looks_of(1'000'000, 1'500'000);  // more than there is room for
    EXPECT_LE(first, 60);
    EXPECT_LE(middle, 60);
    EXPECT_LE(last, 80) << "sixteen places, looked at thrice";
    EXPECT_LE(looks_of(1'400'000, 1'450'000), 60);
    EXPECT_LE(looks_of(1'499'000, 1'500'000), 6) << "who is known is found at once";
}

}  // namespace
}  // namespace etage::limit
