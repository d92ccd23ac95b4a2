#pragma once
// What has been invalidated, bounded: tag → the newest hard and the newest soft position. Why it is built like this and
// not otherwise: docs/decisions/0001-marks-set-associative.md.
//
// A tag hash names one set; a set has eight ways of {tag, hard, soft}. When a ninth tag wants to be remembered, the
// oldest mark is forgotten and the set's floors rise to cover it: from then on its positions hold for every tag of the
// set. Forgetting invalidates more, never less, and only in this set.
//
// Concurrency · One writer at a time (Engine's mutex). Readers never lock, never wait, never retry; all shared words
// are atomics, stored with release and loaded with acquire. Interleaving that bites · A reader looks for T while the
// writer replaces T by U in way w:
//     writer: (1) raise the floors to T's positions   (2) way w: hard, soft, tag = U's
//     reader: (3) way w: tag, hard, soft              (4) the floors
//   If any load of (3) sees a store of (2), then (4) sees (1), and T's positions are in the floors. If none does, (3)
//   has read T's own mark. Hence floors are raised before a way changes and read after all ways, and no version counter
//   is needed. A reader caught in between may judge U or T too harshly for that instant; never too kindly.
// Invariant: what mark() has published before find() began is in what find() returns.

#include <etage/sequence.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace etage::coherence {

/// Positions of the newest invalidations of a tag; 0 = none.
struct Mark {
    Sequence hard = 0;
    Sequence soft = 0;
};

class MarkTable {
public:
    static constexpr std::size_t ways = 8;

    /// Room for the largest power of two of marks that is at most `marks_max`, but for eight at least: 24 bytes each,
    /// and 16 more per set. Allocated here and never again. `secret` decides which tags share a set: the hash of a tag
    /// is the same everywhere, and whoever knew the sets could, with nine writes to URLs of their choice, make the
    /// table forget into the floors of the set that holds a host's tag, and so invalidate everything of that host.
    explicit MarkTable(std::size_t marks_max, std::uint64_t secret = 0);

    /// Joins `at` to what is known of the tag (the larger position wins, for hard and soft apart). One caller at a
    /// time.
    void mark(TagHash tag, Mark at) noexcept;

    /// False if nothing newer than `fence` can concern this tag: one load from an array small enough to stay in the
    /// nearest cache. True asks for find().
    bool maybe_newer(Sequence fence, TagHash tag) const noexcept {
        return newest_[set_of(tag)].load(std::memory_order_acquire) > fence;
    }

    /// At least the tag's own positions; more if its set has forgotten newer ones.
    Mark find(TagHash tag) const noexcept;

    std::size_t marks_max() const noexcept { return (set_mask_ + 1) * ways; }
    /// How many marks have been forgotten for want of room. Relaxed; for metrics.
    std::uint64_t forgotten() const noexcept { return forgotten_.load(std::memory_order_relaxed); }

private:
    using Position = std::atomic<Sequence>;

    // A way whose positions are both 0 is free; it needs no other sign, since positions in the log begin at 1.
    struct alignas(64) Set {
        std::array<std::atomic<TagHash>, ways> tags{};
        std::array<Position, ways> hard{};
        std::array<Position, ways> soft{};
        Position hard_floor{0};
        Position soft_floor{0};
    };

    /// Both halves of a product in which every bit of the tag meets the secret (as in wyhash).
    std::size_t set_of(TagHash tag) const noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{tag ^ secret_} * (secret_ ^ 0x9E37'79B9'7F4A'7C15U);
        return static_cast<std::size_t>(static_cast<std::uint64_t>(product >> 64U) ^
                                        static_cast<std::uint64_t>(product)) &
               set_mask_;
    }
    std::size_t way_for(Set& set, TagHash tag) noexcept;
    void forget(Set& set, std::size_t way) noexcept;

    std::size_t set_mask_;
    std::uint64_t secret_;
    std::unique_ptr<Set[]> sets_;
    std::unique_ptr<Position[]> newest_;  // by set: no mark and no floor in it is larger
    std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace etage::coherence
