#pragma once
// The ghost queue of S3-FIFO: remembers which shelves left the small queue lately without having been asked for again.
// One that comes back was judged too early and goes to the main queue at once.
//
// As in the paper's implementation it is no queue but a table of fingerprints with the moment they were written, and
// time is counted in evicted bytes: what was written more than `bytes_max` ago is forgotten. A wrong answer (a
// fingerprint of another, an overwritten one) costs a little of the hit ratio, never correctness. Knows no threads.

#include "base/hash.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace etage::store {

class Ghost {
public:
    /// `bytes_max`: how many bytes of evicted shelves it remembers.
    explicit Ghost(std::size_t bytes_max);

    void insert(const base::Hash128& hash, std::size_t bytes) noexcept;
    /// True when it was remembered; then it is so no longer.
    bool take(const base::Hash128& hash) noexcept;
    std::size_t footprint() const noexcept;

private:
    struct Mark {
        std::uint32_t fingerprint = 0;
        std::uint32_t written = 0;  // in units of 1 KiB of evicted bytes; wraps
    };
    using Bucket = std::array<Mark, 8>;  // a cache line

    Bucket& bucket_of(const base::Hash128& hash) noexcept { return buckets_[hash.low & (buckets_.size() - 1)]; }
    static std::uint32_t fingerprint_of(const base::Hash128& hash) noexcept;
    std::uint32_t now() const noexcept { return static_cast<std::uint32_t>(evicted_bytes_ >> 10); }
    std::uint32_t age(const Mark& mark) const noexcept { return now() - mark.written; }

    std::vector<Bucket> buckets_;
    std::uint32_t age_max_;
    std::uint64_t evicted_bytes_ = 0;
};

}  // namespace etage::store
