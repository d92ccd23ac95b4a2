#include "coherence/mark_table.hpp"

#include <algorithm>
#include <bit>

namespace etage::coherence {

namespace {

Sequence get(const std::atomic<Sequence>& position) noexcept { return position.load(std::memory_order_acquire); }

/// Writer only: with one writer a load and a store are as good as a compare-and-swap.
void raise(std::atomic<Sequence>& position, Sequence to) noexcept {
    if (to > position.load(std::memory_order_relaxed)) position.store(to, std::memory_order_release);
}

std::size_t sets_for(std::size_t marks_max) noexcept {
    return std::bit_floor(std::max(marks_max / MarkTable::ways, std::size_t{1}));
}

}  // namespace

MarkTable::MarkTable(std::size_t marks_max, std::uint64_t secret)
    : set_mask_(sets_for(marks_max) - 1),
      secret_(secret),
      sets_(std::make_unique<Set[]>(set_mask_ + 1)),
      newest_(std::make_unique<Position[]>(set_mask_ + 1)) {}

void MarkTable::mark(TagHash tag, Mark at) noexcept {
    const std::size_t index = set_of(tag);
    raise(newest_[index], std::max(at.hard, at.soft));
    Set& set = sets_[index];
    const std::size_t way = way_for(set, tag);
    raise(set.hard[way], at.hard);
    raise(set.soft[way], at.soft);
    set.tags[way].store(tag, std::memory_order_release);
}

/// The tag's own way, or the one with the oldest mark, forgotten.
std::size_t MarkTable::way_for(Set& set, TagHash tag) noexcept {
    std::size_t oldest = 0;
    Sequence oldest_position = ~Sequence{0};
    for (std::size_t way = 0; way < ways; ++way) {
        const Sequence position = std::max(get(set.hard[way]), get(set.soft[way]));
        if (position != 0 && set.tags[way].load(std::memory_order_relaxed) == tag) return way;
        if (position >= oldest_position) continue;
        oldest = way;
        oldest_position = position;
    }
    if (oldest_position != 0) forget(set, oldest);
    return oldest;
}

void MarkTable::forget(Set& set, std::size_t way) noexcept {
    raise(set.hard_floor, get(set.hard[way]));
    raise(set.soft_floor, get(set.soft[way]));
    set.hard[way].store(0, std::memory_order_release);
    set.soft[way].store(0, std::memory_order_release);
    forgotten_.fetch_add(1, std::memory_order_relaxed);
}

Mark MarkTable::find(TagHash tag) const noexcept {
    const Set& set = sets_[set_of(tag)];
    Mark found;
    for (std::size_t way = 0; way < ways; ++way) {
        if (set.tags[way].load(std::memory_order_acquire) != tag) continue;
        found = {std::max(found.hard, get(set.hard[way])), std::max(found.soft, get(set.soft[way]))};
    }
    return {std::max(found.hard, get(set.hard_floor)), std::max(found.soft, get(set.soft_floor))};
}

}  // namespace etage::coherence
