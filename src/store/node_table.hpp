#pragma once
// Finds nodes by hash: open addressing, linear probing, no tombstones. It stands in the order of the hashes, so that a
// walk can be interrupted and taken up again although the table has changed or grown meanwhile.
//
// Does not own its nodes and knows nothing of threads.

#include "store/fifo.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace etage::store {

class NodeTable {
public:
    /// A power of two of them. `low` repeats the node's hash, so that a probe does not touch nodes it does not want.
    struct Slot {
        std::uint64_t low = 0;
        Node* node = nullptr;
    };
    using Slots = std::vector<Slot>;

    static constexpr std::size_t slots_min = 16;

    NodeTable() : NodeTable(Slots(slots_min)) {}

    Node* find(const base::Hash128& hash) const noexcept {
        for (std::size_t i = home(hash.low);; i = next(i)) {
            const Slot& slot = slots_[i];
            if (slot.node == nullptr) return nullptr;
            if (slot.low == hash.low && slot.node->hash.high == hash.high) return slot.node;
        }
    }

    std::size_t size() const noexcept { return size_; }
    std::size_t footprint() const noexcept { return base::heap_bytes_of(slots_); }

    /// Slots of the array it must grow into before it can take one more node; 0 = it can. Never more than 3/4 are
    /// taken.
    std::size_t slots_needed() const noexcept { return size_ + 1 > slots_.size() / 4 * 3 ? slots_.size() * 2 : 0; }
    std::size_t slots() const noexcept { return slots_.size(); }

    /// Moves into a larger, empty array; `slots` receives the old one, to be freed by the caller when it suits.
    void grow(Slots& slots) noexcept;
    /// Not in it yet, and there is room.
    void insert(Node& node) noexcept;
    /// Is in it.
    void erase(const Node& node) noexcept;

    /// The end of a stretch of the table that begins at the hash `first` and has about `count` slots (a power of two).
    std::uint64_t stretch_end(std::uint64_t first, std::uint64_t count) const noexcept {
        return first | ((count << shift_) - 1);  // a stretch longer than the table wraps to all ones: its end
    }

    /// Calls each(node) for the nodes with first ≤ hash.low ≤ last.
    template <class F>
    void for_range(std::uint64_t first, std::uint64_t last, F&& each) const {
        const std::size_t span = home(last) - home(first);
        std::size_t i = home(first);
        for (std::size_t seen = 0; seen < slots_.size(); ++seen, i = next(i)) {
            const Slot& slot = slots_[i];
            if (slot.node != nullptr) {
                if (slot.low >= first && slot.low <= last) each(*slot.node);
            } else if (seen >= span) {
                return;  // those that found their home taken stand behind it, but never behind a gap
            }
        }
    }

private:
    explicit NodeTable(Slots slots) : slots_(std::move(slots)), shift_(64 - std::countr_zero(slots_.size())) {}

    std::size_t home(std::uint64_t low) const noexcept { return static_cast<std::size_t>(low >> shift_); }
    std::size_t next(std::size_t i) const noexcept { return (i + 1) & (slots_.size() - 1); }
    void place(Slot slot) noexcept;

    Slots slots_;
    int shift_;
    std::size_t size_ = 0;
};

}  // namespace etage::store
