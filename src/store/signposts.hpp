#pragma once
// Signposts: from the hash of another name to the hash of a key under which something was put. Bounded, and only ever a
// hint: whoever follows one looks at what stands there and decides whether it is what was meant.
//
// Concurrency · Any thread may call anything. One short mutex per part; under it eight places are looked at. The memory
// is taken when the first signpost is put up, part by part: without any, there is none.
// What this does not promise · That a signpost is found again. A set holds eight; the ninth takes the oldest's place.

#include "base/hash.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

namespace etage::store {

class Signposts {
public:
    explicit Signposts(std::size_t signposts);

    /// No signpost was ever put up: nobody need work out a name. Relaxed.
    bool empty() const noexcept { return !used_.load(std::memory_order_relaxed); }

    /// Where `name` leads, or nothing.
    std::optional<base::Hash128> find(const base::Hash128& name) const noexcept;

    /// In place of what stands under `name`. Allocates for the first in a part.
    void put(const base::Hash128& name, const base::Hash128& key);

private:
    static constexpr std::size_t parts = 16;
    static constexpr std::size_t ways = 8;

    struct Post {
        base::Hash128 name, key;
    };
    struct Set {
        std::array<Post, ways> posts;
        std::size_t oldest = 0;
    };
    struct alignas(64) Part {
        mutable std::mutex mutex;
        std::unique_ptr<Set[]> sets;  // guarded
    };

    Part& part_of(const base::Hash128& name) const noexcept { return parts_[name.high % parts]; }
    Set& set_of(Part& part, const base::Hash128& name) const noexcept { return part.sets[name.low % sets_per_part_]; }

    std::size_t sets_per_part_;
    std::unique_ptr<Part[]> parts_;
    std::atomic<bool> used_{false};
};

}  // namespace etage::store
