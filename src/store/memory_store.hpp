#pragma once
// The memory tier: sharded, bounded in bytes including overhead, evicted by S3-FIFO (Yang et al., SOSP '23).
//
// Concurrency · Any thread may call anything. One short mutex per shard; under it only the table is touched: no entry
// is built, destroyed or compared with the request there. A hit is a table probe, one counted reference and one small
// counter. A change is made on a copy outside the mutex and swapped in if nobody was faster; else it is made anew from
// what stands there now, so none is lost.
//
// Shards · Each has an equal part of bytes_max for itself, so that no shard ever waits for another. A part holds at
// least four of the largest entries: there are as many shards as that allows, 64 at most (8 with the defaults). Few
// suffice, because a hit holds the mutex for a fraction of a microsecond.
//
// Same hash, other key · Keys are hashed with a secret, so this does not happen; if it does, the newer takes the place
// of the older, and find() answers null to whoever asks for the other.
//
// Lifetime · A Ref<const Shelf> keeps shelf and entries alive after eviction. Such bytes are not counted any more.
//
// What this does not promise · Freshness, validity: it does not know them. LRU order: S3-FIFO is not LRU. Resident
// memory: bytes_max bounds what is allocated, the allocator's headers and rounding included, but not the holes the
// allocator keeps between. Measured with glibc 2.36 at 64 MiB after about 100 turnovers, resident / bytes_max,
// lowest and highest of several runs:
//
//     bodies           one arena, 1 or 4 threads    default arenas, 4 threads
//     4 KiB            1.01                         1.16 to 1.34
//     0 to 8 KiB       1.12                         1.12 to 1.27
//     0 to 64 KiB      1.23 to 1.25                 1.70 to 1.96

#include "store/shelf.hpp"
#include "store/signposts.hpp"

#include <functional>
#include <memory>

namespace etage::store {

/// Rows of docs/limits.md.
struct MemoryLimits {
    std::size_t bytes_max = std::size_t{256} << 20;      // memory.limit: all shelves with overhead
    std::size_t entry_bytes_max = std::size_t{8} << 20;  // a larger one is not stored; nor one of over half a shard
    std::size_t variants_max = 16;                       // per shelf; the oldest goes
    std::size_t signposts_max = std::size_t{1} << 16;    // beside bytes_max, 33 bytes each, once there is one
};

struct MemoryUsage {
    std::size_t bytes = 0;  // at most bytes_max
    std::size_t shelves = 0;
    std::size_t entries = 0;
    std::uint64_t evictions = 0;  // of shelves, to stay within bytes_max; since the start
};

class MemoryStore {
public:
    explicit MemoryStore(const MemoryLimits&);
    ~MemoryStore();
    MemoryStore(const MemoryStore&) = delete;
    MemoryStore& operator=(const MemoryStore&) = delete;

    /// The shelf under this key, or null. `key` is compared in full. No allocation.
    base::Ref<const Shelf> find(const base::Hash128& hash, std::string_view key) const noexcept;
    /// The shelf a signpost leads to, whatever its key. Counts as asked for.
    base::Ref<const Shelf> find(const base::Hash128& hash) const noexcept;

    enum class Put : std::uint8_t { stored, older_fence, too_large };

    /// Puts the entry on its shelf, replacing the variant with an equal secondary key unless that one has a higher
    /// fence (DESIGN §4 rule 3). If `vary` differs from the shelf's, the shelf's other variants go: they were selected
    /// by other rules; nothing is changed then, either, if one of those has a higher fence. Clears not_shareable. May
    /// evict others.
    Put put(base::Ref<const Entry> entry, const http::VaryNames& vary);

    /// Remembers that responses under this key are not shareable, until the given moment. Drops no variants.
    void mark_not_shareable(const base::Hash128& hash, std::string_view key, Instant until);

    /// Removes one variant if it is still this very entry (found gone by rule 2).
    void remove(const Entry& entry);
    /// Puts another form of the same response in the place of this very entry, if that is still there and the shelf
    /// does not grow too large.
    void exchange(const Entry& entry, const base::Ref<const Entry>& next);
    /// Forgets everything, shard by shard. What is put meanwhile may stay.
    void clear();

    /// Other names of keys. What they mean is their writer's business.
    Signposts& signposts() noexcept { return signposts_; }

    MemoryUsage usage() const noexcept;

    /// Calls each(entry) for every stored entry, shard by shard, without holding a lock while it does: what is there
    /// throughout is seen once, what comes or goes meanwhile may be. For admin work (explain, counting what a mark
    /// killed); O(entries).
    void for_each(const std::function<void(const Entry&)>& each) const;

private:
    struct Shard;
    Shard& shard_of(const base::Hash128& hash) const noexcept;

    MemoryLimits limits_;
    std::size_t shard_count_;
    std::unique_ptr<Shard[]> shards_;
    Signposts signposts_;
};

}  // namespace etage::store
