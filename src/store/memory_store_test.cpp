#include "store/memory_store.hpp"

#include "store/entry_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace etage::store {
namespace {

using testing::entry_of;
using testing::hash_of;
using testing::vary_on;

constexpr Instant later{std::chrono::seconds(100)};
constexpr std::size_t mib = std::size_t{1} << 20;

std::string key_of(std::size_t i) { return "GET /posts/" + std::to_string(i); }

base::Ref<const Shelf> find(const MemoryStore& store, const std::string& key) { return store.find(hash_of(key), key); }

TEST(MemoryStore, FindsWhatWasPut) {
    MemoryStore store{{}};
    EXPECT_FALSE(find(store, "a"));
    const auto entry = entry_of({.key = "a"});
    EXPECT_EQ(store.put(entry, {}), MemoryStore::Put::stored);
    ASSERT_TRUE(find(store, "a"));
    EXPECT_EQ(find(store, "a")->find(""), entry.get());
    EXPECT_FALSE(find(store, "b"));
    EXPECT_EQ(store.usage().shelves, 1U);
    EXPECT_EQ(store.usage().entries, 1U);
}

TEST(MemoryStore, TheKeyIsComparedInFull) {
    MemoryStore store{{}};
    store.put(entry_of({.key = "a"}), {});
    EXPECT_FALSE(store.find(hash_of("a"), "b"));
}

TEST(MemoryStore, AnotherKeyWithTheSameHashTakesThePlace) {
    MemoryStore store{{}};
    store.put(entry_of({.key = "a", .fence = 9}), {});
    EntryParts parts = testing::parts_of({.key = "b", .fence = 1});
    parts.key_hash = hash_of("a");
    const auto twin = base::make_ref<const Entry>(std::move(parts));
    EXPECT_EQ(store.put(twin, {}), MemoryStore::Put::stored);
    EXPECT_FALSE(store.find(hash_of("a"), "a"));
    ASSERT_TRUE(store.find(hash_of("a"), "b"));
    EXPECT_EQ(store.usage().entries, 1U);
    store.remove(*twin);
    EXPECT_FALSE(store.find(hash_of("a"), "b"));
}

TEST(MemoryStore, TheHigherFenceWins) {
    MemoryStore store{{}};
    const auto newer = entry_of({.fence = 5});
    EXPECT_EQ(store.put(newer, {}), MemoryStore::Put::stored);
    EXPECT_EQ(store.put(entry_of({.fence = 4}), {}), MemoryStore::Put::older_fence);
    EXPECT_EQ(find(store, "k")->find(""), newer.get());
    const auto equal = entry_of({.fence = 5});
    EXPECT_EQ(store.put(equal, {}), MemoryStore::Put::stored);
    EXPECT_EQ(find(store, "k")->find(""), equal.get());
}

TEST(MemoryStore, WhatIsTooLargeIsNotStored) {
    MemoryStore store({.bytes_max = 16 * mib, .entry_bytes_max = 100'000});
    EXPECT_EQ(store.put(entry_of({.body_bytes = 100'000}), {}), MemoryStore::Put::too_large);
    EXPECT_EQ(store.put(entry_of({.body_bytes = 90'000}), {}), MemoryStore::Put::stored);
    EXPECT_EQ(store.usage().entries, 1U);
}

TEST(MemoryStore, TheLargestEntryFitsWithTheDefaults) {
    MemoryStore store{{}};
    const std::size_t body = MemoryLimits{}.entry_bytes_max - 8192;
    for (std::size_t i = 0; i < 40; ++i)
        ASSERT_EQ(store.put(entry_of({.key = key_of(i), .body_bytes = body}), {}), MemoryStore::Put::stored);
    EXPECT_GT(store.usage().entries, 20U);
    EXPECT_LE(store.usage().bytes, MemoryLimits{}.bytes_max);
}

TEST(MemoryStore, NoEntryTakesMoreThanHalfOfASmallStore) {
    MemoryStore store({.bytes_max = mib});
    EXPECT_EQ(store.put(entry_of({.body_bytes = mib / 2}), {}), MemoryStore::Put::too_large);
    EXPECT_EQ(store.put(entry_of({.body_bytes = mib / 2 - 8192}), {}), MemoryStore::Put::stored);
}

TEST(MemoryStore, AStoreWithoutRoomStoresNothing) {
    MemoryStore store({.bytes_max = 0});
    EXPECT_EQ(store.put(entry_of({}), {}), MemoryStore::Put::too_large);
    store.mark_not_shareable(hash_of("k"), "k", later);
    EXPECT_FALSE(find(store, "k"));
    store.clear();
}

TEST(MemoryStore, VariantsAreBounded) {
    MemoryStore store({.variants_max = 3});
    for (std::size_t i = 0; i < 10; ++i) store.put(entry_of({.secondary_key = std::to_string(i)}), vary_on({"a"}));
    EXPECT_EQ(find(store, "k")->variants.size(), 3U);
    EXPECT_TRUE(find(store, "k")->find("9"));
    EXPECT_EQ(store.usage().entries, 3U);
}

TEST(MemoryStore, VariantsOfOneKeyDoNotFillAShard) {
    MemoryStore store({.bytes_max = 8 * mib, .entry_bytes_max = 2 * mib});
    for (std::size_t i = 0; i < 16; ++i)
        store.put(entry_of({.secondary_key = std::to_string(i), .body_bytes = 1'900'000}), vary_on({"a"}));
    EXPECT_EQ(find(store, "k")->variants.size(), 2U);
    EXPECT_TRUE(find(store, "k")->find("15"));
}

TEST(MemoryStore, AMarkIsAShelfWithoutVariants) {
    MemoryStore store{{}};
    const std::size_t empty = store.usage().bytes;
    store.mark_not_shareable(hash_of("k"), "k", later);
    ASSERT_TRUE(find(store, "k"));
    EXPECT_EQ(find(store, "k")->not_shareable_until, later);
    EXPECT_EQ(store.usage().shelves, 1U);
    EXPECT_EQ(store.usage().entries, 0U);
    EXPECT_GT(store.usage().bytes, empty + sizeof(Shelf));
    store.put(entry_of({}), {});
    EXPECT_EQ(find(store, "k")->not_shareable_until, Instant{});
    store.mark_not_shareable(hash_of("k"), "k", later);
    EXPECT_EQ(find(store, "k")->variants.size(), 1U);
}

TEST(MemoryStore, MarksAreEvictedLikeOthers) {
    MemoryStore store({.bytes_max = mib});
    for (std::size_t i = 0; i < 20'000; ++i) {
        store.mark_not_shareable(hash_of(key_of(i)), key_of(i), later);
        ASSERT_LE(store.usage().bytes, mib);
    }
    EXPECT_GT(store.usage().evictions, 10'000U);
    EXPECT_GT(store.usage().shelves, 1000U);
}

TEST(MemoryStore, RemovesOnlyThisVeryEntry) {
    MemoryStore store{{}};
    const auto old = entry_of({.secondary_key = "de"});
    const auto now = entry_of({.secondary_key = "de", .fence = 2});
    const auto other = entry_of({.secondary_key = "fr"});
    store.remove(*old);
    store.put(old, {});
    store.put(now, {});
    store.put(other, {});
    store.remove(*old);  // stands there no longer
    EXPECT_EQ(store.usage().entries, 2U);
    store.remove(*now);
    EXPECT_FALSE(find(store, "k")->find("de"));
    EXPECT_EQ(find(store, "k")->find("fr"), other.get());
    store.remove(*other);
    EXPECT_FALSE(find(store, "k"));
    EXPECT_EQ(store.usage().shelves, 0U);
}

TEST(MemoryStore, WhoHoldsAShelfKeepsIt) {
    MemoryStore store{{}};
    store.put(entry_of({.body_bytes = 3}), {});
    const auto held = find(store, "k");
    store.put(entry_of({.fence = 2}), {});
    store.clear();
    EXPECT_EQ(held->find("")->parts().fence, 1U);
    EXPECT_EQ(held->find("")->representation(http::Coding::identity).body->view(), "xxx");
}

TEST(MemoryStore, ClearForgetsEverythingButTheCount) {
    MemoryStore store({.bytes_max = mib});
    const std::size_t empty = store.usage().bytes;
    for (std::size_t i = 0; i < 2000; ++i) store.put(entry_of({.key = key_of(i)}), {});
    const std::uint64_t evictions = store.usage().evictions;
    EXPECT_GT(evictions, 0U);
    store.clear();
    EXPECT_EQ(store.usage().bytes, empty);
    EXPECT_EQ(store.usage().shelves, 0U);
    EXPECT_EQ(store.usage().entries, 0U);
    EXPECT_EQ(store.usage().evictions, evictions);
    store.put(entry_of({}), {});
    EXPECT_TRUE(find(store, "k"));
}

TEST(MemoryStore, ForEachSeesEveryEntryOnce) {
    MemoryStore store{{}};
    for (std::size_t i = 0; i < 3000; ++i) store.put(entry_of({.key = key_of(i)}), {});
    store.put(entry_of({.key = key_of(7), .secondary_key = "fr"}), {});
    store.mark_not_shareable(hash_of("mark"), "mark", later);
    std::multiset<std::string> seen;
    store.for_each([&](const Entry& e) { seen.insert(e.parts().key); });
    EXPECT_EQ(seen.size(), 3001U);
    EXPECT_EQ(seen.count(key_of(7)), 2U);
    EXPECT_EQ(seen.count(key_of(2999)), 1U);
}

TEST(MemoryStore, ForEachHoldsNoLock) {
    MemoryStore store{{}};
    for (std::size_t i = 0; i < 1000; ++i) store.put(entry_of({.key = key_of(i)}), {});
    std::size_t seen = 0;
    store.for_each([&](const Entry& e) {
        ++seen;
        store.remove(e);
        store.put(entry_of({.key = "new " + e.parts().key}), {});
        EXPECT_GT(store.usage().bytes, 0U);
    });
    EXPECT_GE(seen, 1000U);
    for (std::size_t i = 0; i < 1000; ++i) EXPECT_FALSE(find(store, key_of(i)));
    store.for_each([&](const Entry&) { store.clear(); });
    EXPECT_EQ(store.usage().entries, 0U);
}

TEST(MemoryStore, SmallPartsAddUpToTheLimit) {
    // As many shards as there can be, and a remainder.
    MemoryStore store({.bytes_max = 8 * mib + 63, .entry_bytes_max = 8192});
    for (std::size_t i = 0; i < 10'000; ++i) {
        store.put(entry_of({.key = key_of(i), .body_bytes = i % 5000}), {});
        ASSERT_LE(store.usage().bytes, 8 * mib + 63);
    }
    EXPECT_GT(store.usage().bytes, 7 * mib);
    EXPECT_GT(store.usage().evictions, 0U);
}

// ---- against a naive model, without evictions

struct Model {
    struct Kept {
        http::VaryNames vary;
        bool marked = false;
        std::map<std::string, base::Ref<const Entry>> variants;
    };
    std::map<std::string, Kept> shelves;

    MemoryStore::Put put(const base::Ref<const Entry>& entry, const http::VaryNames& vary) {
        Kept& kept = shelves[entry->parts().key];
        const std::string& name = entry->parts().secondary_key;
        for (const auto& [other, there] : kept.variants) {
            const bool displaced = kept.vary != vary || other == name;
            if (displaced && there->parts().fence > entry->parts().fence) return MemoryStore::Put::older_fence;
        }
        if (kept.vary != vary) kept.variants.clear();
        kept.vary = vary;
        kept.marked = false;
        kept.variants[name] = entry;
        return MemoryStore::Put::stored;
    }

    void remove(const Entry& entry) {
        const auto shelf = shelves.find(entry.parts().key);
        if (shelf == shelves.end()) return;
        auto& variants = shelf->second.variants;
        const auto found = variants.find(entry.parts().secondary_key);
        if (found == variants.end() || found->second.get() != &entry) return;
        variants.erase(found);
        if (variants.empty() && !shelf->second.marked) shelves.erase(shelf);
    }
};

void compare(const MemoryStore& store, const Model& model) {
    std::size_t entries = 0;
    for (const auto& [key, kept] : model.shelves) {
        const auto shelf = find(store, key);
        RC_ASSERT(static_cast<bool>(shelf));
        RC_ASSERT(shelf->variants.size() == kept.variants.size());
        RC_ASSERT((shelf->not_shareable_until != Instant{}) == kept.marked);
        for (const auto& [name, entry] : kept.variants) RC_ASSERT(shelf->find(name) == entry.get());
        entries += kept.variants.size();
    }
    RC_ASSERT(store.usage().shelves == model.shelves.size());
    RC_ASSERT(store.usage().entries == entries);
}

TEST(MemoryStore, BehavesLikeANaiveModel) {
    EXPECT_TRUE(rc::check("put, mark, remove, clear", [] {
        MemoryStore store({.entry_bytes_max = mib});
        Model model;
        std::vector<base::Ref<const Entry>> made;
        const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100));
        for (const int step : steps) {
            const std::string key = key_of(*rc::gen::inRange<std::size_t>(0, 4));
            if (step < 70) {
                const auto entry = entry_of({.key = key,
                                             .secondary_key = *rc::gen::element<std::string>("", "de", "fr"),
                                             .fence = *rc::gen::inRange<Sequence>(1, 6)});
                const auto vary = *rc::gen::element(vary_on({}), vary_on({"accept-language"}));
                made.push_back(entry);
                RC_ASSERT(store.put(entry, vary) == model.put(entry, vary));
            } else if (step < 80) {
                store.mark_not_shareable(hash_of(key), key, later);
                model.shelves[key].marked = true;
            } else if (step < 99) {
                if (made.empty()) continue;
                const auto& entry = made[*rc::gen::inRange<std::size_t>(0, made.size())];
                store.remove(*entry);
                model.remove(*entry);
            } else {
                store.clear();
                model.shelves.clear();
            }
        }
        compare(store, model);
    }));
}

TEST(MemoryStore, NeverExceedsItsLimitWhateverIsPut) {
    EXPECT_TRUE(rc::check("bytes ≤ bytes_max, and what was just stored is there", [] {
        const auto bytes_max = *rc::gen::inRange<std::size_t>(20'000, 400'000);
        MemoryStore store({.bytes_max = bytes_max, .entry_bytes_max = *rc::gen::inRange<std::size_t>(2000, 200'000)});
        const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 50'000));
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const std::string key = key_of(i % 7 == 0 ? 0 : i);
            const auto entry = entry_of({.key = key, .secondary_key = std::to_string(i % 3), .body_bytes = sizes[i]});
            const auto put = store.put(entry, vary_on({"a"}));
            RC_ASSERT(store.usage().bytes <= bytes_max);
            if (put != MemoryStore::Put::stored) continue;
            const auto shelf = find(store, key);
            RC_ASSERT(shelf && shelf->variants.front() == entry);
        }
    }));
}

}  // namespace
}  // namespace etage::store
