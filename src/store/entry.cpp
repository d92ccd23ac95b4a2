#include "store/entry.hpp"

#include "base/heap.hpp"

#include <utility>

namespace etage::store {

namespace {

/// Buffers that grew while the head was written keep up to twice what they hold; an entry is kept for long.
void trim(std::string& s) {
    if (s.capacity() - s.size() > s.size() / 8) s.shrink_to_fit();
}

void trim(EntryParts& parts) {
    for (std::string* s : {&parts.key, &parts.secondary_key, &parts.search_key, &parts.etag, &parts.last_modified})
        trim(*s);
    parts.tags.shrink_to_fit();
    for (Representation& r : parts.representations) {
        trim(r.etag);
        trim(r.head);
        trim(r.head_not_modified);
    }
}

std::size_t footprint_of(const Representation& r) noexcept {
    return base::heap_bytes_of(r.etag) + base::heap_bytes_of(r.head) + base::heap_bytes_of(r.head_not_modified) +
           (r.body ? r.body->footprint() : 0);
}

std::size_t footprint_of(const EntryParts& parts) noexcept {
    std::size_t sum = base::heap_bytes(sizeof(Entry)) + parts.fields.footprint() + base::heap_bytes_of(parts.tags);
    for (const std::string* s :
         {&parts.key, &parts.secondary_key, &parts.search_key, &parts.etag, &parts.last_modified})
        sum += base::heap_bytes_of(*s);
    for (const Representation& r : parts.representations) sum += footprint_of(r);
    return sum;
}

}  // namespace

Entry::Entry(EntryParts parts) : parts_(std::move(parts)) { settle(); }

void Entry::settle() {
    validated_at_.store(parts_.fence, std::memory_order_relaxed);
    trim(parts_);
    footprint_ = footprint_of(parts_);
}

}  // namespace etage::store
