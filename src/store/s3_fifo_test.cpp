#include "store/s3_fifo.hpp"

#include "store/entry_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <random>
#include <unordered_map>

namespace etage::store {
namespace {

using testing::entry_of;

/// Counts without the concurrency of the store around it.
class Cache {
public:
    explicit Cache(std::size_t bytes_max) : fifo(bytes_max) {}

    static base::Hash128 hash_of(std::uint64_t id) { return testing::hash_of(std::to_string(id)); }

    bool get(std::uint64_t id) { return static_cast<bool>(fifo.touch(hash_of(id))); }
    bool has(std::uint64_t id) const { return static_cast<bool>(fifo.peek(hash_of(id)).shelf); }

    void put(std::uint64_t id, std::size_t bytes) {
        auto shelf = base::make_ref<Shelf>();
        shelf->key.assign(bytes, 'k');
        put(id, base::Ref<const Shelf>(shelf));
    }
    void put(std::uint64_t id, const base::Ref<const Shelf>& shelf) {
        const S3Fifo::Peek peek = fifo.peek(hash_of(id));
        S3Fifo::Supplies supplies{std::make_unique<Node>(), NodeTable::Slots(peek.slots_needed)};
        Discard discard;
        ASSERT_TRUE(fifo.exchange(hash_of(id), peek.shelf.get(), Load(shelf), supplies, discard));
    }
    void get_or_put(std::uint64_t id, std::size_t bytes) {
        if (!get(id)) put(id, bytes);
    }

    S3Fifo fifo;
};

constexpr std::size_t kib = 1024;

TEST(S3Fifo, FindsWhatWasPut) {
    Cache cache(100 * kib);
    EXPECT_FALSE(cache.get(1));
    cache.put(1, 100);
    EXPECT_TRUE(cache.get(1));
    EXPECT_EQ(cache.fifo.shelves(), 1U);
    EXPECT_EQ(cache.fifo.evictions(), 0U);
}

TEST(S3Fifo, AChangeOfSomethingElseIsRefused) {
    Cache cache(100 * kib);
    const auto a = base::make_ref<const Shelf>();
    const auto b = base::make_ref<const Shelf>();
    cache.put(1, a);
    S3Fifo::Supplies supplies{std::make_unique<Node>(), {}};
    Discard discard;
    EXPECT_FALSE(cache.fifo.exchange(Cache::hash_of(1), nullptr, Load(b), supplies, discard));
    EXPECT_FALSE(cache.fifo.exchange(Cache::hash_of(1), b.get(), Load(b), supplies, discard));
    EXPECT_FALSE(cache.fifo.exchange(Cache::hash_of(2), a.get(), Load(b), supplies, discard));
    EXPECT_FALSE(cache.fifo.erase(Cache::hash_of(1), b.get(), discard));
    EXPECT_FALSE(cache.fifo.erase(Cache::hash_of(2), b.get(), discard));
    EXPECT_EQ(cache.fifo.peek(Cache::hash_of(1)).shelf, a);
    EXPECT_TRUE(cache.fifo.erase(Cache::hash_of(1), a.get(), discard));
    EXPECT_FALSE(cache.has(1));
}

TEST(S3Fifo, WithoutSuppliesNothingIsPut) {
    Cache cache(100 * kib);
    Discard discard;
    S3Fifo::Supplies none;
    const Load load(base::make_ref<const Shelf>());
    EXPECT_FALSE(cache.fifo.exchange(Cache::hash_of(0), nullptr, load, none, discard));
    for (std::uint64_t id = 1; cache.fifo.peek(Cache::hash_of(0)).slots_needed == 0; ++id) cache.put(id, 10);
    S3Fifo::Supplies no_slots{std::make_unique<Node>(), {}};
    EXPECT_FALSE(cache.fifo.exchange(Cache::hash_of(0), nullptr, load, no_slots, discard));
    EXPECT_FALSE(cache.has(0));
    cache.put(0, 10);
    EXPECT_TRUE(cache.has(0));
}

TEST(S3Fifo, WeighsWhatItHolds) {
    Cache cache(100 * kib);
    const std::size_t empty = cache.fifo.bytes();
    EXPECT_LE(empty, 2 * kib);
    cache.put(1, 1000);
    const std::size_t one = cache.fifo.bytes();
    EXPECT_GE(one, empty + 1000 + sizeof(Shelf) + sizeof(Node));
    cache.put(1, 3000);
    EXPECT_NEAR(static_cast<double>(cache.fifo.bytes()), static_cast<double>(one + 2000), 16);
    Discard discard;
    EXPECT_TRUE(cache.fifo.erase(Cache::hash_of(1), cache.fifo.peek(Cache::hash_of(1)).shelf.get(), discard));
    EXPECT_EQ(cache.fifo.bytes(), empty);
    EXPECT_EQ(cache.fifo.evictions(), 0U);
}

TEST(S3Fifo, CountsEntries) {
    Cache cache(100 * kib);
    const ShelfLimits limits{.variants_max = 4, .bytes_max = cache.fifo.shelf_bytes_max()};
    const auto one = shelf_with(nullptr, entry_of({.secondary_key = "a"}), {}, limits);
    const auto two = shelf_with(one.get(), entry_of({.secondary_key = "b"}), {}, limits);
    cache.put(1, two);
    EXPECT_EQ(cache.fifo.entries(), 2U);
    cache.put(1, one);
    EXPECT_EQ(cache.fifo.entries(), 1U);
    cache.put(2, two);
    EXPECT_EQ(cache.fifo.entries(), 3U);
    for (std::uint64_t id = 100; id < 1000; ++id) cache.put(id, 1000);
    EXPECT_EQ(cache.fifo.entries(), 0U);
}

TEST(S3Fifo, IsNeverAboveItsBytes) {
    std::mt19937_64 random(3);
    Cache cache(200 * kib);
    for (int i = 0; i < 20'000; ++i) {
        cache.get(random() % 500);
        cache.put(random() % 500, random() % 100 == 0 ? random() % (90 * kib) : random() % 2000);
        ASSERT_LE(cache.fifo.bytes(), 200 * kib);
    }
    EXPECT_GT(cache.fifo.evictions(), 1000U);
    EXPECT_GT(cache.fifo.bytes(), 100 * kib);
}

TEST(S3Fifo, TheLargestShelfFindsRoomAndStays) {
    Cache cache(200 * kib);
    for (std::uint64_t id = 0; id < 1000; ++id) cache.put(id, 500);
    for (std::uint64_t id = 0; id < 1000; ++id) cache.get(id);
    cache.put(5000, cache.fifo.shelf_bytes_max() - 500);
    EXPECT_TRUE(cache.has(5000));
    EXPECT_LE(cache.fifo.bytes(), 200 * kib);
}

TEST(S3Fifo, AShelfThatGrowsIsNotItsOwnVictim) {
    Cache cache(200 * kib);
    for (std::uint64_t id = 0; id < 1000; ++id) cache.put(id, 500);
    for (const std::size_t bytes : {20 * kib, 60 * kib, 95 * kib}) {
        for (const std::uint64_t id : {999U, 998U}) {
            cache.put(id, bytes);
            ASSERT_TRUE(cache.has(id));
            ASSERT_LE(cache.fifo.bytes(), 200 * kib);
        }
    }
}

TEST(S3Fifo, AHotSetSurvivesAScan) {
    Cache cache(1000 * kib);
    constexpr std::uint64_t hot = 300;  // a third of the cache
    for (int round = 0; round < 4; ++round)
        for (std::uint64_t id = 0; id < hot; ++id) cache.get_or_put(id, kib);
    for (std::uint64_t id = 10'000; id < 20'000; ++id) cache.get_or_put(id, kib);
    std::uint64_t left = 0;
    for (std::uint64_t id = 0; id < hot; ++id) left += cache.has(id) ? 1 : 0;
    EXPECT_EQ(left, hot);
}

TEST(S3Fifo, WhatComesBackSoonIsRemembered) {
    Cache cache(1000 * kib);
    for (std::uint64_t id = 10'000; id < 12'000; ++id) {  // full, and nearly all of it in the main queue
        cache.put(id, kib);
        cache.get(id);
        cache.get(id);
    }
    cache.put(1, kib);
    for (std::uint64_t id = 20'000; id < 20'200; ++id) cache.put(id, kib);
    ASSERT_FALSE(cache.has(1));  // left the small queue unasked for
    cache.put(1, kib);           // and comes back: to the main queue
    for (std::uint64_t id = 30'000; id < 30'200; ++id) cache.put(id, kib);
    EXPECT_TRUE(cache.has(1));
}

TEST(S3Fifo, GoesOnWhenEverythingIsHot) {
    Cache cache(200 * kib);
    for (std::uint64_t id = 0; id < 5000; ++id) {
        cache.put(id, 100);
        for (std::uint64_t back = 0; back < 3; ++back)
            for (std::uint64_t n = 0; n < 3 && n <= id; ++n) cache.get(id - n);
        ASSERT_LE(cache.fifo.bytes(), 200 * kib);
    }
    EXPECT_GT(cache.fifo.evictions(), 4000U);
}

// ---- compared with LRU on a skewed trace

class Lru {
public:
    explicit Lru(std::size_t room) : room_(room) {}
    bool get_or_put(std::uint64_t id) {
        if (const auto found = where_.find(id); found != where_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return true;
        }
        if (order_.size() == room_) {
            where_.erase(order_.back());
            order_.pop_back();
        }
        order_.push_front(id);
        where_[id] = order_.begin();
        return false;
    }

private:
    std::size_t room_;
    std::list<std::uint64_t> order_;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> where_;
};

class Zipf {
public:
    Zipf(std::size_t count, double skew, std::uint64_t seed) : random_(seed) {
        double total = 0;
        for (std::size_t i = 1; i <= count; ++i) sums_.push_back(total += std::pow(static_cast<double>(i), -skew));
    }
    std::uint64_t next() {
        const double at = std::uniform_real_distribution<>(0, sums_.back())(random_);
        return static_cast<std::uint64_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
    }

private:
    std::vector<double> sums_;
    std::mt19937_64 random_;
};

struct Ratios {
    double s3_fifo;
    double lru;
};

/// Every `scan_every` requests a scan asks for a thousand things that nobody asks for again.
Ratios compare(double skew, std::size_t bytes_max, int scan_every) {
    constexpr int requests = 100'000;
    Cache cache(bytes_max);
    for (std::uint64_t id = 0; cache.fifo.evictions() == 0; ++id) cache.put(1'000'000 + id, 100);
    Lru lru(cache.fifo.shelves());  // as many as fit
    Zipf zipf(20'000, skew, 11);
    std::uint64_t scanned = 10'000'000;
    int hits = 0;
    int lru_hits = 0;
    for (int i = 0; i < requests; ++i) {
        const std::uint64_t id = zipf.next();
        lru_hits += lru.get_or_put(id) ? 1 : 0;
        if (cache.get(id))
            ++hits;
        else
            cache.put(id, 100);
        if (scan_every == 0 || i % scan_every != scan_every - 1) continue;
        for (int n = 0; n < 1000; ++n) {
            lru.get_or_put(++scanned);
            cache.get_or_put(scanned, 100);
        }
    }
    return {double(hits) / requests, double(lru_hits) / requests};
}

TEST(S3Fifo, HitsMoreOftenThanLruOnASkewedTrace) {
    for (const double skew : {0.7, 0.9, 1.1}) {
        for (const std::size_t bytes_max : {200 * kib, 600 * kib}) {
            const Ratios r = compare(skew, bytes_max, 0);
            RecordProperty("skew" + std::to_string(skew) + "KiB" + std::to_string(bytes_max / kib),
                           std::to_string(r.s3_fifo) + " lru " + std::to_string(r.lru));
            EXPECT_GT(r.s3_fifo, r.lru) << skew << " " << bytes_max;
        }
    }
}

TEST(S3Fifo, HitsMuchMoreOftenThanLruWhenScansPassThrough) {
    const Ratios r = compare(0.9, 600 * kib, 5000);
    EXPECT_GT(r.s3_fifo, r.lru * 1.05) << r.lru;
}

}  // namespace
}  // namespace etage::store
