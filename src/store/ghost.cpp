#include "store/ghost.hpp"

#include "base/heap.hpp"

#include <algorithm>
#include <bit>

namespace etage::store {

namespace {

/// One mark for so many bytes of the cache: 0.4 % of it. With smaller shelves the memory is shorter.
constexpr std::size_t bytes_per_mark = 2048;

}  // namespace

Ghost::Ghost(std::size_t bytes_max)
    : buckets_(std::bit_ceil(std::max<std::size_t>(bytes_max / bytes_per_mark / std::tuple_size_v<Bucket>, 1))),
      age_max_(static_cast<std::uint32_t>(std::min<std::size_t>(bytes_max >> 10, UINT32_MAX / 2))) {}

std::uint32_t Ghost::fingerprint_of(const base::Hash128& hash) noexcept {
    // Other bits than those that choose the shard and the bucket. Zero is the empty mark.
    return static_cast<std::uint32_t>(hash.high) | 1U;
}

void Ghost::insert(const base::Hash128& hash, std::size_t bytes) noexcept {
    evicted_bytes_ += bytes;
    Bucket& bucket = bucket_of(hash);
    const auto worth = [&](const Mark& mark) { return mark.fingerprint == 0 ? UINT32_MAX : age(mark); };
    Mark& oldest = *std::ranges::max_element(bucket, {}, worth);
    oldest = {fingerprint_of(hash), now()};
}

bool Ghost::take(const base::Hash128& hash) noexcept {
    for (Mark& mark : bucket_of(hash)) {
        if (mark.fingerprint != fingerprint_of(hash)) continue;
        const bool remembered = age(mark) <= age_max_;
        mark = {};
        return remembered;
    }
    return false;
}

std::size_t Ghost::footprint() const noexcept { return base::heap_bytes_of(buckets_); }

}  // namespace etage::store
