#include "store/memory_store.hpp"

#include "store/s3_fifo.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>
#include <vector>

namespace etage::store {

namespace {

constexpr std::size_t shards_max = 64;
constexpr std::size_t largest_entries_per_shard = 4;
/// Slots of a table that for_each copies under the mutex at once. A power of two.
constexpr std::uint64_t walk_slots = 256;

std::size_t shards_for(const MemoryLimits& limits) noexcept {
    const std::size_t part_min = std::max<std::size_t>(limits.entry_bytes_max, 1);
    const std::size_t fitting = limits.bytes_max / largest_entries_per_shard / part_min;
    return std::bit_floor(std::clamp<std::size_t>(fitting, 1, shards_max));
}

}  // namespace

struct alignas(64) MemoryStore::Shard {
    mutable std::mutex mutex;
    std::unique_ptr<S3Fifo> fifo;        // guarded
    std::uint64_t evictions_before = 0;  // guarded: of what clear() took away
    std::size_t bytes_max = 0;           // constant
    std::size_t shelf_bytes_max = 0;     // constant

    template <class Build>
    void change(const base::Hash128& hash, std::string_view key, Build&& build);
};

namespace {

enum class Verb : std::uint8_t { nothing, put, erase };

/// What a change wants done with the shelf that stands under a key.
struct Step {
    Verb verb = Verb::nothing;
    Load next{};
};

}  // namespace

/// Changes what stands under a key: build(shelf or null) says how, outside the mutex, and is asked again whenever
/// somebody else was faster. Every round means that another thread got on, so this ends.
template <class Build>
void MemoryStore::Shard::change(const base::Hash128& hash, std::string_view key, Build&& build) {
    S3Fifo::Supplies supplies;
    for (;;) {
        S3Fifo::Peek peek;
        {
            const std::scoped_lock lock(mutex);
            peek = fifo->peek(hash);
        }
        const bool ours = peek.shelf && peek.shelf->key == key;
        const Step step = build(ours ? peek.shelf.get() : nullptr);
        if (step.verb == Verb::nothing) return;
        if (!peek.shelf && !supplies.node) supplies.node = std::make_unique<Node>();
        if (!peek.shelf && peek.slots_needed != supplies.slots.size())
            supplies.slots = NodeTable::Slots(peek.slots_needed);

        Discard discard;
        const std::scoped_lock lock(mutex);
        const bool done = step.verb == Verb::erase
                              ? fifo->erase(hash, peek.shelf.get(), discard)
                              : fifo->exchange(hash, peek.shelf.get(), step.next, supplies, discard);
        if (done) return;
    }
}

MemoryStore::MemoryStore(const MemoryLimits& limits)
    : limits_(limits),
      shard_count_(shards_for(limits)),
      shards_(std::make_unique<Shard[]>(shard_count_)),
      signposts_(limits.signposts_max) {
    for (std::size_t i = 0; i < shard_count_; ++i) {
        Shard& shard = shards_[i];
        shard.bytes_max = limits.bytes_max / shard_count_ + (i < limits.bytes_max % shard_count_ ? 1 : 0);
        shard.fifo = std::make_unique<S3Fifo>(shard.bytes_max);
        shard.shelf_bytes_max = shard.fifo->shelf_bytes_max();
    }
}

MemoryStore::~MemoryStore() = default;

MemoryStore::Shard& MemoryStore::shard_of(const base::Hash128& hash) const noexcept {
    return shards_[(hash.high >> 32) & (shard_count_ - 1)];
}

base::Ref<const Shelf> MemoryStore::find(const base::Hash128& hash, std::string_view key) const noexcept {
    auto found = find(hash);
    if (found && found->key != key) return nullptr;
    return found;
}

base::Ref<const Shelf> MemoryStore::find(const base::Hash128& hash) const noexcept {
    Shard& shard = shard_of(hash);
    const std::scoped_lock lock(shard.mutex);
    return shard.fifo->touch(hash);
}

MemoryStore::Put MemoryStore::put(base::Ref<const Entry> entry, const http::VaryNames& vary) {
    const base::Hash128 hash = entry->parts().key_hash;
    Shard& shard = shard_of(hash);
    if (entry->footprint() > limits_.entry_bytes_max) return Put::too_large;
    const ShelfLimits shelf_limits{limits_.variants_max, shard.shelf_bytes_max};
    Put outcome = Put::stored;
    shard.change(hash, entry->parts().key, [&](const Shelf* now) -> Step {
        auto next = shelf_with(now, entry, vary, shelf_limits);
        outcome = !next ? Put::older_fence : next->footprint() > shelf_limits.bytes_max ? Put::too_large : Put::stored;
        if (outcome != Put::stored) return {};
        return {Verb::put, Load(std::move(next))};
    });
    return outcome;
}

void MemoryStore::mark_not_shareable(const base::Hash128& hash, std::string_view key, Instant until) {
    Shard& shard = shard_of(hash);
    shard.change(hash, key, [&](const Shelf* now) -> Step {
        auto next = shelf_not_shareable(now, key, until);
        if (next->footprint() > shard.shelf_bytes_max) return {};
        return {Verb::put, Load(std::move(next))};
    });
}

void MemoryStore::remove(const Entry& entry) {
    const EntryParts& parts = entry.parts();
    shard_of(parts.key_hash).change(parts.key_hash, parts.key, [&](const Shelf* now) -> Step {
        if (now == nullptr || now->find(parts.secondary_key) != &entry) return {};
        auto next = shelf_without(*now, entry);
        if (!next) return {Verb::erase};
        return {Verb::put, Load(std::move(next))};
    });
}

void MemoryStore::exchange(const Entry& entry, const base::Ref<const Entry>& next) {
    const EntryParts& parts = entry.parts();
    Shard& shard = shard_of(parts.key_hash);
    if (next->footprint() > limits_.entry_bytes_max) return;
    shard.change(parts.key_hash, parts.key, [&](const Shelf* now) -> Step {
        if (now == nullptr || now->find(parts.secondary_key) != &entry) return {};
        auto changed = shelf_with_form(*now, entry, next);
        if (changed->footprint() > shard.shelf_bytes_max) return {};
        return {Verb::put, Load(std::move(changed))};
    });
}

void MemoryStore::clear() {
    for (std::size_t i = 0; i < shard_count_; ++i) {
        Shard& shard = shards_[i];
        auto other = std::make_unique<S3Fifo>(shard.bytes_max);
        const std::scoped_lock lock(shard.mutex);
        shard.evictions_before += shard.fifo->evictions();
        shard.fifo.swap(other);
    }
}

MemoryUsage MemoryStore::usage() const noexcept {
    MemoryUsage sum;
    for (std::size_t i = 0; i < shard_count_; ++i) {
        const Shard& shard = shards_[i];
        const std::scoped_lock lock(shard.mutex);
        sum.bytes += shard.fifo->bytes();
        sum.shelves += shard.fifo->shelves();
        sum.entries += shard.fifo->entries();
        sum.evictions += shard.fifo->evictions() + shard.evictions_before;
    }
    return sum;
}

void MemoryStore::for_each(const std::function<void(const Entry&)>& each) const {
    std::vector<base::Ref<const Shelf>> shelves;
    for (std::size_t i = 0; i < shard_count_; ++i) {
        const Shard& shard = shards_[i];
        std::uint64_t first = 0;  // a hash, not an index: the table may grow between two stretches
        do {
            {
                const std::scoped_lock lock(shard.mutex);
                const NodeTable& table = shard.fifo->table();
                const std::uint64_t last = table.stretch_end(first, walk_slots);
                table.for_range(first, last, [&](const Node& node) { shelves.push_back(node.load.shelf); });
                first = last + 1;  // 0 behind the last hash
            }
            for (const auto& shelf : shelves)
                for (const auto& entry : shelf->variants) each(*entry);
            shelves.clear();
        } while (first != 0);
    }
}

}  // namespace etage::store
