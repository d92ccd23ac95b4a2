#pragma once
// One shard's shelves and the rule by which they go: S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO queues are all
// you need for cache eviction", SOSP '23), counted in bytes.
//
// A new shelf enters the small queue (a tenth of the bytes). Whoever leaves it without having been asked for again is
// gone, and its ghost remembered; so a scan passes through the small queue and touches nothing else. The others go on
// to the main queue, where each hit buys another round. A hit moves nothing, it only counts.
//
// Concurrency · None here: the owner holds a mutex around every call. So that little happens under it, the caller
// brings along what must be allocated and takes away, in a Discard, what must be destroyed.

#include "store/fifo.hpp"
#include "store/ghost.hpp"
#include "store/node_table.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace etage::store {

/// What left the shard, destroyed with this object: after the mutex.
class Discard {
public:
    Discard() = default;
    ~Discard();
    Discard(const Discard&) = delete;
    Discard& operator=(const Discard&) = delete;

    void add(Node& node) noexcept { node.older = std::exchange(nodes_, &node); }

private:
    Node* nodes_ = nullptr;
};

class S3Fifo {
public:
    /// All of it: shelves, nodes, table, ghost and this object.
    explicit S3Fifo(std::size_t bytes_max);
    ~S3Fifo();
    S3Fifo(const S3Fifo&) = delete;
    S3Fifo& operator=(const S3Fifo&) = delete;

    /// The largest shelf it takes: half of its bytes, so that one never needs the whole.
    std::size_t shelf_bytes_max() const noexcept { return bytes_max_ / 2; }

    /// A hit: counts. Null when there is none.
    base::Ref<const Shelf> touch(const base::Hash128& hash) noexcept;

    struct Peek {
        base::Ref<const Shelf> shelf;
        std::size_t slots_needed = 0;  // of the table, to take one more shelf; 0 = it can
    };
    /// The same without counting.
    Peek peek(const base::Hash128& hash) const noexcept;

    /// What a change needs and was allocated before the mutex was taken.
    struct Supplies {
        std::unique_ptr<Node> node;  // when nothing is under the hash yet
        NodeTable::Slots slots;      // when the table is to grow; gets the old ones
    };

    /// Puts `next` where `expected` stands (null: nothing), evicting others until there is room. False, and nothing
    /// changed, when something else stands there meanwhile or the supplies do not suffice: look again.
    bool exchange(const base::Hash128& hash, const Shelf* expected, const Load& next, Supplies& supplies,
                  Discard& discard) noexcept;

    /// Takes away what stands there. False when it is not `expected`.
    bool erase(const base::Hash128& hash, const Shelf* expected, Discard& discard) noexcept;

    std::size_t bytes() const noexcept { return fixed_bytes_ + table_.footprint() + small_.bytes() + main_.bytes(); }
    std::size_t shelves() const noexcept { return table_.size(); }
    std::size_t entries() const noexcept { return entries_; }
    std::uint64_t evictions() const noexcept { return evictions_; }
    const NodeTable& table() const noexcept { return table_; }

private:
    bool insert(const base::Hash128& hash, const Load& next, Supplies& supplies, Discard& discard) noexcept;
    void replace(Node& node, const Load& next, Discard& discard) noexcept;
    void make_room(std::size_t bytes, const Node* spared, Discard& discard) noexcept;
    void leave_small(const Node* spared, Discard& discard) noexcept;
    void leave_main(const Node* spared, Discard& discard) noexcept;
    void evict(Node& node, Discard& discard) noexcept;
    void take_out(Node& node, Discard& discard) noexcept;
    Fifo& queue_of(const Node& node) noexcept { return node.place == Place::small ? small_ : main_; }

    std::size_t bytes_max_;
    NodeTable table_;
    Fifo small_;
    Fifo main_;
    Ghost ghost_;
    std::size_t fixed_bytes_;
    std::size_t entries_ = 0;
    std::uint64_t evictions_ = 0;
};

}  // namespace etage::store
