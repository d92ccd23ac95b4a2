#pragma once
// The heart: fence and log (DESIGN §4). Pure: no I/O, no clock, no thread of its own.
//
// Concurrency · Any thread may call anything. Readers (`fence`, `judge`) never lock and never wait. Writers are
// serialised by one mutex. A mark is published before `applied` moves past it (release), so whoever takes a fence at or
// after a sequence also sees every mark up to it (acquire).
// Lifetime · Owns all it uses; outlives everyone who holds a fence only as a number.
// What this does not promise · It does not know entries. Who stores must pass the fence taken before the fill began.

#include "coherence/mark_table.hpp"

#include <etage/sequence.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

namespace etage::coherence {

enum class Softness : std::uint8_t { hard, soft };

/// What rule 2 says of an entry.
enum class Validity : std::uint8_t {
    valid,
    stale,   // a soft mark: usable only under stale-while-revalidate or stale-if-error
    gone,    // a hard mark or below the floor: never served, not even as a fallback
};

/// One invalidation as it stands in the log.
struct Record {
    std::span<const TagHash> tags;   // borrowed for the call
    Softness softness = Softness::hard;
};

class Engine {
public:
    /// `start`: the position at which this instance begins, cold (compose gives wall-clock ms << 20, so that a token of an
    /// earlier life is never ahead). `marks_max`: how many marks the table remembers before it forgets the oldest, which
    /// only ever invalidates more.
    explicit Engine(Sequence start = 0, std::size_t marks_max = std::size_t{1} << 16);

    /// Rule 1: the position up to which the log has been applied. Take it before looking anywhere for the answer.
    Sequence fence() const noexcept { return applied_.load(std::memory_order_acquire); }

    /// Rule 2, whole: O(number of tags). `tags` are all tags of the entry, implicit ones included.
    Validity judge(Sequence fence, std::span<const TagHash> tags) const noexcept;

    /// Rule 6 for a log that lives in this process: applies the record and returns its position, the token.
    Sequence invalidate(const Record&);

    /// For a log that lives elsewhere: a record read from it, in order. Positions at or below `fence()` are repeats and
    /// change nothing.
    void apply(Sequence position, const Record&);

    /// Rule 6 with a log that lives elsewhere: the local effect, before the position is known. Kills what has a fence at
    /// or below the present one.
    void apply_ahead(const Record&);

    /// A gap in the log: everything with an older fence is gone (DESIGN §4, failures).
    void raise_floor(Sequence);
    Sequence floor() const noexcept { return floor_.load(std::memory_order_acquire); }

    /// Rule 6: may a read that carries this token be answered from the shelf?
    bool caught_up(Sequence token) const noexcept { return fence() >= token; }

private:
    std::mutex writers_;
    std::atomic<Sequence> applied_{0};
    std::atomic<Sequence> floor_{0};
    MarkTable marks_;
};

}  // namespace etage::coherence
