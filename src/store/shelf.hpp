#pragma once
// What is kept under one key: the variants that Vary selects among. A shelf is an immutable value; a change makes a new
// one, so readers hold theirs without a lock.

#include "http/vary.hpp"
#include "store/entry.hpp"

#include <etage/time.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace etage::store {

class Shelf : public base::RefCounted {
public:
    std::string key;                               // the full key
    http::VaryNames vary;                          // of the newest response
    std::vector<base::Ref<const Entry>> variants;  // newest first; at most variants_max
    Instant not_shareable_until{};                 // until then requests for this key do not queue behind each other

    /// The variant whose secondary key is equal, or null. O(variants).
    const Entry* find(std::string_view secondary_key) const noexcept;
    /// Heap bytes of the shelf and its entries, overhead included. O(variants).
    std::size_t footprint() const noexcept;
};

/// How large a shelf may get. The oldest variants go first; the newest stays, whatever its size.
struct ShelfLimits {
    std::size_t variants_max = 16;
    std::size_t bytes_max = 0;
};

// Changes. Each makes a new shelf of what is under a key now (null: nothing).

/// With the entry as newest variant, in place of the one with an equal secondary key; not_shareable is cleared. If
/// `vary` differs from the shelf's, all other variants go. Null when the entry is older than what it would displace:
/// DESIGN §4 rule 3, the higher fence wins, among equal fences the newer response.
base::Ref<const Shelf> shelf_with(const Shelf* now, base::Ref<const Entry> entry, const http::VaryNames& vary,
                                  const ShelfLimits& limits);

/// Without this very entry, which must be on it. Null when nothing worth keeping is left.
base::Ref<const Shelf> shelf_without(const Shelf& now, const Entry& entry);

/// With `next` in the place of this very entry, which must be on it: another form of the same response.
base::Ref<const Shelf> shelf_with_form(const Shelf& now, const Entry& entry, const base::Ref<const Entry>& next);

/// With the mark.
base::Ref<const Shelf> shelf_not_shareable(const Shelf* now, std::string_view key, Instant until);

}  // namespace etage::store
