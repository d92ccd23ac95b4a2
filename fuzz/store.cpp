// The memory tier against a naive map: what it finds is what stands there, and it only ever forgets what it may.

#include "store/entry_fixture.hpp"
#include "store/memory_store.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace etage;

namespace {

using EntryRef = base::Ref<const store::Entry>;

constexpr std::size_t variants_max = 3;
constexpr std::size_t keys = 8;
constexpr std::size_t roomy_bytes = std::size_t{64} << 20;  // all keys in one shard have room
constexpr std::size_t narrow_bytes = std::size_t{256} << 10;
constexpr int acts_between_checks = 16;

/// Bytes as choices; nothing is left: zero.
class Choices {
public:
    Choices(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
    bool more() const noexcept { return left_ > 0; }
    std::size_t below(std::size_t bound) noexcept {
        if (left_ == 0) return 0;
        --left_;
        return *data_++ % bound;
    }

private:
    const std::uint8_t* data_;
    std::size_t left_;
};

struct NaiveShelf {
    http::VaryNames vary;
    std::vector<EntryRef> variants;  // newest first
};

class World {
public:
    /// `bytes_max` so large that nothing is evicted, or so small that much is.
    explicit World(bool roomy)
        : roomy_(roomy),
          store_({.bytes_max = roomy ? roomy_bytes : narrow_bytes,
                  .entry_bytes_max = roomy ? std::size_t{1} << 20 : std::size_t{32} << 10,
                  .variants_max = variants_max}) {}

    void act(Choices& choose) {
        const std::string key(1, static_cast<char>('a' + choose.below(keys)));
        switch (choose.below(8)) {
            case 0:
                store_.clear();
                naive_.clear();
                break;
            case 1: remove(key, choose.below(variants_max)); break;
            case 2: exchange(key, choose.below(variants_max), choose.below(200) * 64); break;
            case 3:
                store_.mark_not_shareable(store::testing::hash_of(key), key, Instant{std::chrono::seconds(9)});
                break;
            default: put(key, choose);
        }
        check_key(key);
    }

    /// Whatever is found stands in the map; with room for all, everything in the map is found.
    void check() {
        std::size_t found = 0;
        for (std::size_t i = 0; i < keys; ++i) found += check_key(std::string(1, static_cast<char>('a' + i)));
        std::size_t walked = 0;
        store_.for_each([&](const store::Entry&) { ++walked; });
        const auto usage = store_.usage();
        fuzz::require(walked == found && usage.entries == found);
        fuzz::require(usage.bytes <= (roomy_ ? roomy_bytes : narrow_bytes));
        fuzz::require(!roomy_ || usage.evictions == 0);
    }

private:
    void put(const std::string& key, Choices& choose) {
        const auto vary = store::testing::vary_on({choose.below(8) == 0 ? "b" : "a"});
        const EntryRef entry = store::testing::entry_of({.key = key,
                                                         .secondary_key = std::to_string(choose.below(5)),
                                                         .fence = Sequence{choose.below(6)},
                                                         .body_bytes = choose.below(255) * 192});
        const auto said = store_.put(entry, vary);
        if (said == store::MemoryStore::Put::too_large) {
            fuzz::require(!roomy_ && entry->footprint() > 8U << 10);
            return;
        }
        NaiveShelf& shelf = naive_[key];
        if (said == store::MemoryStore::Put::older_fence) {
            fuzz::require(displaces_newer(shelf, *entry, vary));
            return;
        }
        if (roomy_) fuzz::require(!displaces_newer(shelf, *entry, vary));
        if (shelf.vary != vary) shelf.variants.clear();
        std::erase_if(shelf.variants, [&](const EntryRef& other) {
            return other->parts().secondary_key == entry->parts().secondary_key;
        });
        shelf.vary = vary;
        shelf.variants.insert(shelf.variants.begin(), entry);
        if (shelf.variants.size() > variants_max) shelf.variants.pop_back();
    }

    /// DESIGN §4 rule 3.
    static bool displaces_newer(const NaiveShelf& shelf, const store::Entry& entry, const http::VaryNames& vary) {
        return std::ranges::any_of(shelf.variants, [&](const EntryRef& other) {
            const bool goes = shelf.vary != vary || other->parts().secondary_key == entry.parts().secondary_key;
            return goes && other->parts().fence > entry.parts().fence;
        });
    }

    EntryRef* variant(const std::string& key, std::size_t at) {
        const auto found = naive_.find(key);
        if (found == naive_.end() || at >= found->second.variants.size()) return nullptr;
        return &found->second.variants[at];
    }

    void remove(const std::string& key, std::size_t at) {
        const EntryRef* const entry = variant(key, at);
        if (entry == nullptr) return;
        store_.remove(**entry);
        auto& variants = naive_[key].variants;
        variants.erase(variants.begin() + static_cast<std::ptrdiff_t>(at));
    }

    void exchange(const std::string& key, std::size_t at, std::size_t body_bytes) {
        EntryRef* const entry = variant(key, at);
        if (entry == nullptr) return;
        const auto& parts = (*entry)->parts();
        const EntryRef next = store::testing::entry_of(
            {.key = key, .secondary_key = parts.secondary_key, .fence = parts.fence, .body_bytes = body_bytes});
        store_.exchange(**entry, next);
        const auto shelf = store_.find(store::testing::hash_of(key), key);
        // Too large, or evicted before: then it is as it was, or gone.
        if (roomy_ || (shelf && shelf->find(parts.secondary_key) == next.get())) *entry = next;
    }

    /// How many variants are there.
    std::size_t check_key(const std::string& key) {
        const auto shelf = store_.find(store::testing::hash_of(key), key);
        const auto& expected = naive_[key].variants;
        if (shelf) check_shelf(*shelf, key, expected);
        const std::size_t found = shelf ? shelf->variants.size() : 0;
        if (roomy_) fuzz::require(found == expected.size());
        return found;
    }

    static void check_shelf(const store::Shelf& shelf, const std::string& key, const std::vector<EntryRef>& expected) {
        fuzz::require(shelf.key == key && shelf.variants.size() <= variants_max);
        for (const EntryRef& entry : shelf.variants)
            fuzz::require(std::ranges::any_of(expected, [&](const EntryRef& e) { return e.get() == entry.get(); }) &&
                          shelf.find(entry->parts().secondary_key) == entry.get());
    }

    bool roomy_;
    store::MemoryStore store_;
    std::map<std::string, NaiveShelf> naive_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Choices choose(data, size);
    World world(choose.below(2) == 0);
    for (int acts = 1; choose.more() && acts < 200; ++acts) {
        world.act(choose);
        if (acts % acts_between_checks == 0) world.check();
    }
    world.check();
    return 0;
}
