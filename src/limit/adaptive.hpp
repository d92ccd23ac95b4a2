#pragma once
// How many requests an origin takes at once, as its latency tells: the guard that sheds instead of collapsing.
//
// What an origin works on at once is limited somewhere (threads, cores, a pool of connections). Below that knee more
// requests at once mean more answers; above it they mean a longer queue and, when time is short, none. The queue can be
// seen from outside: of n in flight whose latency is L, where it would be B without a queue, n·(1 − B/L) wait (Little's
// law). The limit grows while few of them wait, and shrinks while many do. This is TCP Vegas (Brakmo 1994) as Netflix's
// concurrency-limits has it, with three changes:
//
// - Latency is a mean over a batch of answers, smoothed over some batches. Routes differ in what they cost, so the
// fastest
//   answer of all (Vegas' B) says nothing; the mean of many does. Gradient2 compares two means of different length
//   instead, but there a queue that stays becomes the new normal, and the limit drifts upwards.
// - B is the smallest such latency of the last half minute, and then it is measured anew with half the limit for some
//   batches, so that neither an old good day nor a queue of our own passes for the base (BBR's ProbeRTT, Cardwell
//   2016).
// - When fewer than half of the limit were in flight the limit was not tested: it stays. Idleness proves nothing.
//
// AIMD on errors and timeouts alone was the simpler choice, but it finds the knee only by going far beyond it, again
// and again. As a second sign it is here: a dropped request (refused, timed out) cuts the limit by a tenth, once per
// batch.
//
// Pure: time is an argument. Concurrency · none, its owner locks; a sample costs some additions.

#include <etage/time.hpp>

#include <cstddef>
#include <cstdint>

namespace etage::limit {

class AdaptiveLimit {
public:
    struct Options {
        std::size_t min = 4;     // the limit is never smaller …
        std::size_t max = 1024;  // … nor larger
        std::size_t start = 20;
    };
    /// How long a base latency is believed.
    static constexpr Duration base_time = std::chrono::seconds(30);
    /// Answers of one batch, at least.
    static constexpr std::size_t batch_min = 256;

    explicit AdaptiveLimit(Options options) noexcept;

    /// May one more go, while so many are in flight?
    bool admit(std::size_t in_flight) const noexcept { return in_flight < limit(); }

    /// An answer has come. `dropped`: none has, or one that says the origin is overloaded. `in_flight`: with this one.
    void sample(Duration latency, bool dropped, std::size_t in_flight, Instant now) noexcept;

    /// Half of it, while the base latency is measured.
    std::size_t limit() const noexcept;
    /// What an answer takes without a queue, as far as is known; zero before the first batch.
    Duration base() const noexcept { return Duration(static_cast<std::int64_t>(base_)); }

private:
    struct Batch {
        Duration latency{};  // sums
        double in_flight = 0;
        std::size_t answers = 0;
        std::size_t drops = 0;
        std::size_t most_in_flight = 0;
    };
    void finish(const Batch& batch, Instant now) noexcept;
    bool is_probing() const noexcept { return probes_left_ > 0; }
    void set(double limit) noexcept;
    void set_base(double latency, Instant until) noexcept;
    void learn(double latency, bool was_full, Instant now) noexcept;

    Options options_;
    double limit_;
    Batch batch_;
    double smoothed_ = 0;  // ns
    double base_ = 0;
    double probed_ = 0;  // sum of the batches of a probe
    int probes_left_ = 0;
    bool is_first_ = true;
    Instant base_ends_{};
};

}  // namespace etage::limit
