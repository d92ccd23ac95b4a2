#pragma once
// What a limit allows one client, and what is known of one client: pure functions of (state, now, cost).
//
// Three algorithms, one state. The token bucket is GCRA, a bucket as one number (ITU-T I.371; Brandur 2015): the
// theoretical arrival time. Windows begin at multiples of their length on the wall clock, so that "1000/day" is a day
// of UTC; where one ends is remembered on the monotonic clock, so that a wall clock that is set does no more harm than
// one odd window. The sliding window is a counter of two windows (Cloudflare 2017): what the last one counted weighs by
// how much of it the window that slides still covers.

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
    Instant idle_at{};           // from then on it is as good as default-constructed. Token bucket: the TAT
    std::uint64_t current = 0;   // windows: counted in the one that runs …
    std::uint64_t previous = 0;  // … and in the one before it
};

struct Decision {
    bool allowed = true;
    std::uint64_t remaining = 0;  // whole tokens left after this decision
    Duration retry_after{};       // when refused: until `cost` is there, exactly; Duration::max() when never
    Duration reset_after{};       // until nothing is used any more (bucket), or until the window ends
};

/// One decision; the state advances only when it is allowed. A cost above most() is refused for ever; a cost of 0 asks
/// whether there is anything left. `now` may be earlier than at the last decision (another thread has read the clock),
/// which errs against the client by as much. Nothing overflows: a bucket that would need more than 73 years to fill
/// counts as one that needs 73 years.
Decision take(const Quota&, State&, Now now, std::uint64_t cost = 1) noexcept;

/// Charged afterwards, when the cost is known only then: also into debt.
void debit(const Quota&, State&, Now now, std::uint64_t cost) noexcept;

/// Given back; never more than was used.
void credit(const Quota&, State&, Now now, std::uint64_t cost) noexcept;

/// A state as it can be told to somebody with another clock.
struct Used {
    Duration idle_after{};  // until State::idle_at; zero: nothing is used
    std::uint64_t current = 0;
    std::uint64_t previous = 0;
};
Used used(const Quota&, const State&, Now now) noexcept;
State state_of(const Used&, Now now) noexcept;

/// The state that has used more of the two, in every respect: what several count apart, seen together, without a burst.
State more_used(const Quota&, const State&, const State&, Now now) noexcept;

}  // namespace etage::limit
