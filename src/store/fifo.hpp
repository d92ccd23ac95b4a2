#pragma once
// A queue of shelves: first in, first out, linked through the nodes themselves so that nothing is allocated to move
// one.

#include "base/hash.hpp"
#include "base/heap.hpp"
#include "store/shelf.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace etage::store {

/// A shelf, and what it weighs: reckoned once, before it stands under a mutex.
struct Load {
    Load() = default;
    explicit Load(base::Ref<const Shelf> s);

    base::Ref<const Shelf> shelf;
    std::size_t bytes = 0;  // of the shelf and its node
    std::size_t entries = 0;
};

enum class Place : std::uint8_t { small, main };

/// A shelf's place in the cache. Guarded by the mutex of its shard, except while it belongs to nobody else.
struct Node {
    static constexpr std::uint8_t hits_max = 3;  // two bits, as in the paper

    Node* newer = nullptr;
    Node* older = nullptr;
    base::Hash128 hash;
    Load load;
    Place place = Place::small;
    std::uint8_t hits = 0;  // since it was put or last passed over; saturates
};

inline Load::Load(base::Ref<const Shelf> s)
    : shelf(std::move(s)),
      bytes(shelf->footprint() + base::heap_bytes(sizeof(Node))),
      entries(shelf->variants.size()) {}

/// Does not own its nodes.
class Fifo {
public:
    bool empty() const noexcept { return newest_ == nullptr; }
    bool holds_only(const Node* node) const noexcept { return newest_ == node && oldest_ == node; }
    std::size_t bytes() const noexcept { return bytes_; }
    Node* oldest() const noexcept { return oldest_; }

    void push(Node& node) noexcept {
        node.newer = nullptr;
        node.older = newest_;
        (newest_ != nullptr ? newest_->newer : oldest_) = &node;
        newest_ = &node;
        bytes_ += node.load.bytes;
    }

    void unlink(Node& node) noexcept {
        (node.newer != nullptr ? node.newer->older : newest_) = node.older;
        (node.older != nullptr ? node.older->newer : oldest_) = node.newer;
        bytes_ -= node.load.bytes;
    }

    /// Changes what a node of this queue carries. Returns what it carried.
    Load reload(Node& node, const Load& load) noexcept {
        bytes_ += load.bytes - node.load.bytes;
        return std::exchange(node.load, load);
    }

private:
    Node* newest_ = nullptr;
    Node* oldest_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace etage::store
