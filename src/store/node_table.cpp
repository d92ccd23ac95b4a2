#include "store/node_table.hpp"

namespace etage::store {

void NodeTable::place(Slot slot) noexcept {
    std::size_t i = home(slot.low);
    while (slots_[i].node != nullptr) i = next(i);
    slots_[i] = slot;
}

void NodeTable::grow(Slots& slots) noexcept {
    slots_.swap(slots);
    shift_ = 64 - std::countr_zero(slots_.size());
    for (const Slot& slot : slots)
        if (slot.node != nullptr) place(slot);
}

void NodeTable::insert(Node& node) noexcept {
    place({node.hash.low, &node});
    ++size_;
}

void NodeTable::erase(const Node& node) noexcept {
    std::size_t gap = home(node.hash.low);
    while (slots_[gap].node != &node) gap = next(gap);
    // What stands behind the gap moves up, unless that would put it before its home: probes never meet a hole.
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = next(gap); slots_[i].node != nullptr; i = next(i)) {
        const std::size_t from_home = (i - home(slots_[i].low)) & mask;
        const std::size_t from_gap = (i - gap) & mask;
        if (from_home >= from_gap) {
            slots_[gap] = slots_[i];
            gap = i;
        }
    }
    slots_[gap] = {};
    --size_;
}

}  // namespace etage::store
