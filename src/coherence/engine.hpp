#pragma once
// The heart: fence and log (DESIGN §4). Pure: no I/O, no clock, no thread of its own.
//
// Concurrency · Any thread may call anything. Readers (`fence`, `judge`, `nothing_after`) never lock and never wait.
// Writers are serialised by one mutex. A mark is published before `applied` moves past it (release), so whoever takes a
// fence at or after a position also sees every mark up to it (acquire).
// Lifetime · Owns all it uses; outlives everyone who holds a fence only as a number.
// Interleavings that bite · (1) A fill begins before an invalidation and lands after it: its fence is below the mark,
// so it is gone however late it lands. (2) A fill takes its fence between the marks and the move of `applied`: it began
// after the commit, yet its fence is below the mark. It is gone too: too much, never too little. (3) With a log that
// lives elsewhere a mark may be known here before its turn in the log (`apply_ahead`): until the reader has come so
// far, every fence taken here is below it, so what carries the tag is filled but neither kept nor joined. What this
// does not promise · It does not know entries. Who stores must pass the fence taken before the fill began.

#include "coherence/mark_table.hpp"

#include <etage/sequence.hpp>
#include <etage/time.hpp>

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
    unsure,  // below the floor: its marks may have been missed; only what the origin confirms (304) is served
    gone,    // a hard mark: never served, not even as a fallback
};

/// Rule 8: how well this instance sees the log.
enum class Sight : std::uint8_t {
    clear,
    dim,    // its reader has been silent for longer than the lease; what is stored may be used, and the answer says so
    blind,  // nothing that is stored counts until the origin, or the log, has confirmed it
};

/// One invalidation as it stands in the log.
struct Record {
    std::span<const TagHash> tags;  // borrowed for the call
    Softness softness = Softness::hard;
};

class Engine {
public:
    /// A row of docs/limits.md: marks remembered before the oldest are forgotten. 2 MiB. Reached: marks_forgotten().
    static constexpr std::size_t marks_max_default = std::size_t{1} << 16;

    /// `start`: the position at which this instance begins, cold: what is older is gone. (compose gives wall-clock ms
    /// << 20, so that a token of an earlier life is never ahead.) `marks_max`, `secret`: see MarkTable; a mark that is
    /// forgotten only ever invalidates more.
    explicit Engine(Sequence start = 0, std::size_t marks_max = marks_max_default, std::uint64_t secret = 0);

    /// Rule 1: the position up to which the log has been applied. Take it before looking anywhere for the answer.
    Sequence fence() const noexcept { return applied_.load(std::memory_order_acquire); }

    /// Rule 2, whole: O(number of tags). `tags` are all tags of the entry, implicit ones included.
    Validity judge(Sequence fence, std::span<const TagHash> tags) const noexcept;

    /// Rule 2, fast path: no mark and no floor lies after `position`. An entry that was found valid after reading
    /// `fence() == position` still is. Unlike `fence() == position` this also sees what was applied ahead.
    bool nothing_after(Sequence position) const noexcept { return newest_.load(std::memory_order_acquire) <= position; }

    /// Rule 6 for a log that lives in this process: applies the record and returns its position, the token.
    Sequence invalidate(const Record&);

    /// For a log that lives elsewhere: a record read from it, in order. Positions at or below `fence()` are repeats and
    /// change nothing.
    void apply(Sequence position, const Record&);

    /// Rule 6 with a log that lives elsewhere, first step: the local effect, while the position is not known yet. Kills
    /// what has a fence at or below the present one.
    void apply_ahead(const Record&);

    /// Second step: the log has accepted the record at `position`. Must come before the acknowledgement: another
    /// instance may be ahead of this one in the log, and what it began to fill before this record, with a fence above
    /// ours, may lie in the shared store. Does not move `fence()`: records in between are still to come.
    void apply_ahead(Sequence position, const Record&);

    /// A gap in the log: everything with an older fence is gone, and reading goes on behind `position` (DESIGN §4,
    /// failures). Positions at or below `fence()` change nothing: what they cover has been applied.
    void raise_floor(Sequence position);
    Sequence floor() const noexcept { return floor_.load(std::memory_order_acquire); }

    /// Rule 6: may a read that carries this token be answered from the shelf?
    bool caught_up(Sequence token) const noexcept { return fence() >= token; }

    /// Rule 8. A log that lives elsewhere moves both moments forward whenever it has heard that there is nothing new;
    /// one in this process never does, and is always clear. `clear_until` at most `dim_until`.
    void sees_until(Instant clear_until, Instant dim_until) noexcept {
        dim_until_.store(dim_until.time_since_epoch().count(), std::memory_order_release);
        clear_until_.store(clear_until.time_since_epoch().count(), std::memory_order_release);
    }
    Sight sight(Instant now) const noexcept {
        const auto moment = now.time_since_epoch().count();
        if (moment <= clear_until_.load(std::memory_order_acquire)) return Sight::clear;
        return moment <= dim_until_.load(std::memory_order_acquire) ? Sight::dim : Sight::blind;
    }

    std::size_t marks_max() const noexcept { return marks_.marks_max(); }
    /// Marks forgotten for want of room since the start: each made some entries invalid that nobody had invalidated.
    std::uint64_t marks_forgotten() const noexcept { return marks_.forgotten(); }

private:
    void publish(Sequence position, const Record&) noexcept;
    void cover(Sequence position) noexcept;

    std::mutex writers_;
    std::atomic<Sequence> applied_;
    std::atomic<Sequence> newest_;  // no mark and no floor lies after it; at least applied_
    std::atomic<Sequence> floor_;
    std::atomic<Instant::rep> clear_until_{Instant::max().time_since_epoch().count()};
    std::atomic<Instant::rep> dim_until_{Instant::max().time_since_epoch().count()};
    MarkTable marks_;
};

}  // namespace etage::coherence
