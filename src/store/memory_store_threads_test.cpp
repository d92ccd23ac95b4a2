// The store under real threads. What is checked holds in every interleaving; which of them occur is up to the machine,
// and what goes wrong without being seen here is for the thread sanitizer to say.

#include "store/entry_fixture.hpp"
#include "store/memory_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace etage::store {
namespace {

using testing::entry_of;
using testing::hash_of;
using testing::vary_on;

constexpr int threads = 4;
constexpr Instant later{std::chrono::seconds(100)};

template <class F>
void on_all_threads(F&& run) {
    std::barrier start(threads);
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            start.arrive_and_wait();
            run(t);
        });
}

TEST(MemoryStoreThreads, NoVariantIsLostWhenAllWriteToOneShelf) {
    constexpr int each = 16;
    MemoryStore store({.variants_max = threads * each});
    on_all_threads([&](int t) {
        for (int i = 0; i < each; ++i)
            store.put(entry_of({.secondary_key = std::to_string(t * each + i)}), vary_on({"a"}));
    });
    const auto shelf = store.find(hash_of("k"), "k");
    ASSERT_TRUE(shelf);
    EXPECT_EQ(shelf->variants.size(), std::size_t{threads * each});
    EXPECT_EQ(store.usage().entries, std::size_t{threads * each});
}

TEST(MemoryStoreThreads, TheHighestFenceIsTheOneThatStays) {
    constexpr Sequence each = 500;
    MemoryStore store{{}};
    on_all_threads([&](int t) {
        Sequence seen = 0;
        for (Sequence i = 1; i <= each; ++i) {
            store.put(entry_of({.fence = i * threads + static_cast<Sequence>(t)}), {});
            const auto shelf = store.find(hash_of("k"), "k");
            const Sequence now = shelf->variants.front()->parts().fence;
            ASSERT_GE(now, seen);
            seen = now;
        }
    });
    EXPECT_EQ(store.find(hash_of("k"), "k")->variants.front()->parts().fence, each * threads + threads - 1);
}

TEST(MemoryStoreThreads, EverythingAtOnceOnASmallStore) {
    constexpr std::size_t bytes_max = 300'000;
    constexpr int steps = 3000;
    MemoryStore store({.bytes_max = bytes_max, .entry_bytes_max = 20'000, .variants_max = 3});
    std::atomic<std::uint64_t> hits{0};
    on_all_threads([&](int t) {
        std::mt19937_64 random(static_cast<std::uint64_t>(t));
        for (int i = 0; i < steps; ++i) {
            const std::string key = "GET /posts/" + std::to_string(random() % 200);
            const auto shelf = store.find(hash_of(key), key);
            if (shelf) {
                ASSERT_EQ(shelf->key, key);
                for (const auto& entry : shelf->variants) ASSERT_EQ(entry->parts().key, key);
                hits.fetch_add(1, std::memory_order_relaxed);
            }
            const std::uint64_t what = random() % 100;
            if (what < 50) {
                store.put(entry_of({.key = key,
                                    .secondary_key = std::to_string(random() % 4),
                                    .fence = random() % 10,
                                    .body_bytes = random() % 4000}),
                          vary_on({what < 45 ? "a" : "b"}));
            } else if (what < 60) {
                store.mark_not_shareable(hash_of(key), key, later);
            } else if (what < 80 && shelf && !shelf->variants.empty()) {
                store.remove(*shelf->variants.back());
            } else if (what == 98) {
                store.for_each([](const Entry& entry) { entry.note_validated(entry.parts().fence); });
            } else if (what == 99) {
                ASSERT_LE(store.usage().bytes, bytes_max);
                if (random() % 10 == 0) store.clear();
            }
        }
    });
    EXPECT_GT(hits, 0U);
    std::size_t entries = 0;
    store.for_each([&](const Entry&) { ++entries; });
    EXPECT_EQ(store.usage().entries, entries);
    EXPECT_LE(store.usage().bytes, bytes_max);
}

TEST(MemoryStoreThreads, TablesGrowWhileEverybodyPuts) {
    constexpr int each = 2000;
    MemoryStore store{{}};
    on_all_threads([&](int t) {
        for (int i = 0; i < each; ++i) {
            const std::string key = std::to_string(t) + "/" + std::to_string(i);
            store.mark_not_shareable(hash_of(key), key, later);
            ASSERT_TRUE(store.find(hash_of(key), key));
        }
    });
    EXPECT_EQ(store.usage().shelves, std::size_t{threads * each});
    EXPECT_EQ(store.usage().evictions, 0U);
}

}  // namespace
}  // namespace etage::store
