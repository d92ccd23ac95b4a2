#include "store/shelf.hpp"

#include "base/heap.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace etage::store {

const Entry* Shelf::find(std::string_view secondary_key) const noexcept {
    for (const auto& entry : variants)
        if (entry->parts().secondary_key == secondary_key) return entry.get();
    return nullptr;
}

std::size_t Shelf::footprint() const noexcept {
    std::size_t sum = base::heap_bytes(sizeof *this) + base::heap_bytes_of(key) + base::heap_bytes_of(vary.names) +
                      base::heap_bytes_of(variants);
    for (const std::string& name : vary.names) sum += base::heap_bytes_of(name);
    for (const auto& entry : variants) sum += entry->footprint();
    return sum;
}

namespace {

void shrink(Shelf& shelf, const ShelfLimits& limits) {
    const std::size_t keep = std::max<std::size_t>(limits.variants_max, 1);
    if (shelf.variants.size() > keep) shelf.variants.resize(keep);
    std::size_t bytes = shelf.footprint();
    while (bytes > limits.bytes_max && shelf.variants.size() > 1) {
        bytes -= shelf.variants.back()->footprint();
        shelf.variants.pop_back();
    }
}

}  // namespace

base::Ref<const Shelf> shelf_with(const Shelf* now, base::Ref<const Entry> entry, const http::VaryNames& vary,
                                  const ShelfLimits& limits) {
    auto next = base::make_ref<Shelf>();
    next->key = entry->parts().key;
    next->vary = vary;
    next->variants.reserve(now != nullptr ? now->variants.size() + 1 : 1);
    next->variants.push_back(entry);
    if (now != nullptr) {
        const bool same_vary = now->vary == vary;
        for (const auto& other : now->variants) {
            if (same_vary && other->parts().secondary_key != entry->parts().secondary_key) {
                next->variants.push_back(other);
            } else if (other->parts().fence > entry->parts().fence) {
                return nullptr;
            }
        }
    }
    shrink(*next, limits);
    return next;
}

base::Ref<const Shelf> shelf_without(const Shelf& now, const Entry& entry) {
    if (now.variants.size() == 1 && now.not_shareable_until == Instant{}) return nullptr;
    auto next = base::make_ref<Shelf>();
    next->key = now.key;
    next->vary = now.vary;
    next->not_shareable_until = now.not_shareable_until;
    next->variants.reserve(now.variants.size() - 1);
    std::ranges::copy_if(now.variants, std::back_inserter(next->variants),
                         [&](const auto& other) { return other.get() != &entry; });
    return next;
}

base::Ref<const Shelf> shelf_with_form(const Shelf& now, const Entry& entry, const base::Ref<const Entry>& next) {
    auto changed = base::make_ref<Shelf>();
    changed->key = now.key;
    changed->vary = now.vary;
    changed->not_shareable_until = now.not_shareable_until;
    changed->variants = now.variants;
    std::ranges::replace_if(changed->variants, [&](const auto& variant) { return variant.get() == &entry; }, next);
    return changed;
}

base::Ref<const Shelf> shelf_not_shareable(const Shelf* now, std::string_view key, Instant until) {
    auto next = base::make_ref<Shelf>();
    next->key = key;
    next->not_shareable_until = until;
    if (now != nullptr) {
        next->vary = now->vary;
        next->variants = now->variants;
    }
    return next;
}

}  // namespace etage::store
