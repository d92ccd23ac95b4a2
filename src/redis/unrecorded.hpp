#pragma once
// Invalidations on their way into the log: what could not be appended yet, and what was appended a moment ago and may
// be lost with its server. Bounded by forgetting *which* things are to be invalidated, never *that* something is.
//
// Pure; one thread at a time.

#include "flow/invalidation.hpp"

#include <etage/time.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <vector>

namespace etage::redis {

/// Rows of docs/limits.md.
inline constexpr std::size_t unrecorded_targets_max = 10'000;
inline constexpr std::size_t timed_targets_max = 20'000;

/// A set: what is named twice is recorded once, when it is recorded; later is what counts.
class Unrecorded {
public:
    explicit Unrecorded(std::size_t targets_max = unrecorded_targets_max) : targets_max_(targets_max) {}

    /// False: there was no room, and everything is to be invalidated instead.
    bool add(const flow::Invalidation& invalidation);
    /// As few invalidations as can say it: a hard one, a soft one.
    std::vector<flow::Invalidation> all() const;
    /// The same; empty afterwards.
    std::vector<flow::Invalidation> take();

    bool empty() const noexcept { return hard_.empty() && soft_.empty(); }
    std::size_t size() const noexcept { return hard_.size() + soft_.size(); }

private:
    using Targets = std::set<flow::Target>;
    bool add(const flow::Target& target, coherence::Softness softness);

    std::size_t targets_max_;
    Targets hard_;
    Targets soft_;
};

/// Invalidations, each with a moment: when it was appended, or when it is to be appended once more. In order of time.
class Timed {
public:
    explicit Timed(std::size_t targets_max = timed_targets_max) : targets_max_(targets_max) {}

    /// Without room it is everything, at this moment. Precondition: `when` is not before what was noted last.
    void note(const flow::Invalidation& invalidation, Instant when);
    void forget_before(Instant moment);
    std::vector<flow::Invalidation> all() const;
    /// What lies at or before `moment`, which is forgotten.
    std::vector<flow::Invalidation> take_until(Instant moment);
    /// Of the oldest.
    std::optional<Instant> first() const;

private:
    struct Noted {
        Instant when;
        flow::Invalidation what;
    };
    void drop_first();

    std::size_t targets_max_;
    std::size_t targets_ = 0;
    std::deque<Noted> noted_;
};

}  // namespace etage::redis
