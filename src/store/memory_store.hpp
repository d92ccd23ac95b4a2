#pragma once
// The memory tier: sharded, bounded in bytes including overhead, evicted by S3-FIFO (Yang et al., SOSP '23).
//
// Concurrency · Any thread may call anything. One short mutex per shard; under it only the table is touched: no entry is
// built, destroyed or compared with the request there. A hit is a table probe, one counted reference and one relaxed
// counter.
// Lifetime · A Ref<const Shelf> keeps shelf and entries alive after eviction.
// What this does not promise · Freshness, validity: it does not know them. LRU order: S3-FIFO is not LRU.

#include "store/shelf.hpp"

#include <functional>
#include <memory>

namespace etage::store {

/// Rows of docs/limits.md.
struct MemoryLimits {
    std::size_t bytes_max = std::size_t{256} << 20;       // memory.limit: all shelves with overhead
    std::size_t entry_bytes_max = std::size_t{8} << 20;   // a larger response is not stored
    std::size_t variants_max = 16;                         // per shelf; the oldest goes
};

struct MemoryUsage {
    std::size_t bytes = 0;
    std::size_t shelves = 0;
    std::size_t entries = 0;
    std::uint64_t evictions = 0;
};

class MemoryStore {
public:
    explicit MemoryStore(const MemoryLimits&);
    ~MemoryStore();
    MemoryStore(const MemoryStore&) = delete;
    MemoryStore& operator=(const MemoryStore&) = delete;

    /// The shelf under this key, or null. `key` is compared in full. No allocation.
    base::Ref<const Shelf> find(const base::Hash128& hash, std::string_view key) const noexcept;

    enum class Put : std::uint8_t { stored, older_fence, too_large };

    /// Puts the entry on its shelf, replacing the variant with an equal secondary key unless that one has a higher fence
    /// (DESIGN §4 rule 3). If `vary` differs from the shelf's, the shelf's other variants go: they were selected by
    /// other rules. Clears not_shareable. May evict others.
    Put put(base::Ref<const Entry> entry, const http::VaryNames& vary);

    /// Remembers that responses under this key are not shareable, until the given moment. Drops no variants.
    void mark_not_shareable(const base::Hash128& hash, std::string_view key, Instant until);

    /// Removes one variant if it is still this very entry (found gone by rule 2).
    void remove(const Entry& entry);
    void clear();

    MemoryUsage usage() const noexcept;

    /// Calls each(entry) for every stored entry, shard by shard, without holding a lock while it does. For admin work
    /// (explain, counting what a mark killed); O(entries).
    void for_each(const std::function<void(const Entry&)>& each) const;

private:
    struct Shard;
    std::size_t shard_of(const base::Hash128& hash) const noexcept;

    MemoryLimits limits_;
    std::unique_ptr<Shard[]> shards_;
};

}  // namespace etage::store
