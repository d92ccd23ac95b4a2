#pragma once
// What is kept under one key: the variants that Vary selects among. A shelf is an immutable value; a change makes a new
// one, so readers hold theirs without a lock.

#include "http/vary.hpp"
#include "store/entry.hpp"

#include <etage/time.hpp>

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
    std::size_t footprint() const noexcept;
};

}  // namespace etage::store
