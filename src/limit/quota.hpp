#pragma once
// What a limit allows one client, and what is known of one client: pure functions of (state, now, cost).
//
// Three algorithms, one state. The token bucket is GCRA, a bucket as one number (ITU-T I.371; Brandur 2015): the
// theoretical arrival time. Windows begin at multiples of their length on the wall clock, so that "1000/day" is a day
// of UTC; where one ends is remembered on the monotonic clock, so that a wall clock that is set does no more harm than
// one odd window. A Now has whole seconds of the calendar, so a window that begins while nothing is known ends up to a
// second late, and windows below a second begin with the first request. The sliding window is a counter of two windows
// (Cloudflare 2017): what the last one counted weighs by how much of it the window that slides still covers.

#include <etage/time.hpp>

#include <cstdint>

namespace etage::limit {

enum class Algorithm : std::uint8_t { token_bucket, fixed_window, sliding_window };

/// `quota` per `window`; of a token bucket at most `burst` at once. Preconditions: all positive.
struct Quota {
    std::uint64_t quota = 1;
    Duration window = std::chrono::seconds(60);
    std::uint64_t burst = 1;  // of a token bucket alone
    Algorithm algorithm = Algorithm::token_bucket;

    /// Time in which one token comes back: rounded up to whole nanoseconds, so that a client never gets more than the
    /// quota. (It gets less by at most quota ns per window; the fastest rate is one token per nanosecond.)
    Duration emission() const noexcept {
        const auto span = static_cast<std::uint64_t>(window.count());
        return Duration(static_cast<std::int64_t>(span / quota + (span % quota != 0 ? 1 : 0)));
    }
    /// The largest cost that can ever be granted.
    std::uint64_t most() const noexcept { return algorithm == Algorithm::token_bucket ? burst : quota; }
};

/// What one client has used. Default-constructed: nothing.
struct State {
    /// From then on it is as good as default-constructed. Token bucket: the theoretical arrival time. Fixed window: the
    /// end of the one that `current` was counted in. Sliding window: one window after that end, also when `current` is
    /// 0; so in the last window before it what `current` says is the previous window's.
    Instant idle_at{};
    std::uint64_t current = 0;   // windows: counted in the one that ran …
    std::uint64_t previous = 0;  // … and in the one before it (sliding alone)
};

struct Decision {
    bool allowed = true;
    std::uint64_t remaining = 0;  // whole tokens left after this decision
    Duration retry_after{};       // when refused: until `cost` is there, exactly; Duration::max() when never
    Duration reset_after{};       // until nothing is used any more (bucket), or until the window ends
};

/// One decision; the state advances only when it is allowed. A cost above most() is refused for ever; a cost of 0 asks
/// whether there is anything left: it is decided as a cost of 1 and takes nothing. `now` may be earlier than at the
/// last decision (another thread has read the clock), which errs against the client by as much. Nothing overflows: a
/// bucket that would need more than 73 years to fill counts as one that needs 73 years, and so does a longer window.
Decision take(const Quota&, State&, Now now, std::uint64_t cost = 1) noexcept;

/// Charged afterwards, when the cost is known only then: also into debt.
void debit(const Quota&, State&, Now now, std::uint64_t cost) noexcept;

/// Given back; never more than was used.
void credit(const Quota&, State&, Now now, std::uint64_t cost) noexcept;

/// Until then what a state has counted last counts in full: a bucket's arrival time, a window's end.
Instant counts_until(const Quota&, const State&) noexcept;

/// A state as it can be told to somebody with another clock. `current` is the window's that runs: of a sliding window
/// `idle_after` is never less than one window, unless nothing is used.
struct Used {
    Duration idle_after{};  // until State::idle_at; zero: nothing is used
    std::uint64_t current = 0;
    std::uint64_t previous = 0;
};
Used used(const Quota&, const State&, Now now) noexcept;
State state_of(const Used&, Now now) noexcept;

/// `known`, raised to what `other` knows: what several count apart, seen together, without a burst. Of buckets the
/// later arrival time. Windows are `known`'s, if it has used anything, so that they do not grow when two that differ by
/// a message's way are told each other again and again; those that end within half a window are the same one. Of what
/// the same window counted the larger number; a window of `other` that is one older counts as previous, one that is
/// newer as this one.
State more_used(const Quota&, const State& known, const State& other, Now now) noexcept;

}  // namespace etage::limit
