#pragma once
// Virtual time, a count that several instances keep together, and everything that can happen on the way to it.

#include "limit/remote_quotas.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace etage::simulation {

using limit::Claim;
using limit::Grant;
using limit::Quota;
using limit::State;

/// What happens when, in order.
class Timeline {
public:
    Instant now() const { return now_; }
    void after(Duration delay, std::function<void()> what) { queue_.push({now_ + delay, ++count_, std::move(what)}); }
    void run_until(Instant end) {
        while (!queue_.empty() && queue_.top().at <= end) {
            auto next = queue_.top();
            queue_.pop();
            now_ = next.at;
            next.what();
        }
        now_ = end;
    }

private:
    struct Event {
        Instant at;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
    };
    Instant now_{std::chrono::hours(10)};
    std::uint64_t count_ = 0;
    std::priority_queue<Event> queue_;
};

/// A clock that began at another time than the others, and a calendar that is a little off.
inline Now clock_of(Instant true_time, Duration booted, Duration calendar_off) {
    return {true_time - booted,
            WallTime(std::chrono::floor<std::chrono::seconds>((true_time + calendar_off).time_since_epoch()))};
}

/// RemoteQuotas' semantics, exact and in memory, by its own clock; and what it granted, seen by an oracle of its own.
class CommonCount {
public:
    explicit CommonCount(const Timeline& time) : time_(time) {}

    std::vector<Grant> take(const std::vector<Claim>& claims) {
        const Now now = clock_of(time_.now(), std::chrono::hours(3), Duration::zero());
        bool all = true;
        for (const Claim& claim : claims) {
            State& state = states_[std::string(claim.name)];
            state = more_used(claim.quota, state, state_of(claim.at_least, now), now);
            credit(claim.quota, state, now, claim.back);
            debit(claim.quota, state, now, claim.debt);
            if (claim.binding && free(claim, now) < std::max<std::uint64_t>(claim.need, 1)) all = false;
        }
        std::vector<Grant> grants;
        for (const Claim& claim : claims) {
            const std::uint64_t left = free(claim, now);
            const bool is_granted = (all || !all_or_nothing) && left >= std::max<std::uint64_t>(claim.need, 1);
            const std::uint64_t granted = is_granted ? std::min(std::max(claim.want, claim.need), left) : 0;
            State& state = states_[std::string(claim.name)];
            debit(claim.quota, state, now, granted);
            grants.push_back({granted, used(claim.quota, state, now)});
        }
        return grants;
    }

    void lose_everything() { states_.clear(); }
    std::uint64_t left(const Quota& quota, const std::string& name) {
        Claim claim;
        claim.quota = quota;
        claim.name = name;
        return free(claim, clock_of(time_.now(), std::chrono::hours(3), Duration::zero()));
    }

    bool all_or_nothing = true;  // a protection that can be switched off

private:
    std::uint64_t free(const Claim& claim, Now now) {
        State copy = states_[std::string(claim.name)];
        return limit::take(claim.quota, copy, now, 0).remaining;
    }

    const Timeline& time_;
    std::map<std::string, State> states_;
};

/// What was spent of one client's quota, against what may be: exact, in whole nanosecond-tokens, without any of the
/// code under test. A bucket as a leaking vessel, windows as counts by the calendar.
class Reference {
public:
    explicit Reference(const Quota& quota) : quota_(quota) {}

    void spend(Instant at) {
        ++spent_;
        if (quota_.algorithm == limit::Algorithm::token_bucket) {
            const double leaked = per_second() * std::chrono::duration<double>(at - last_).count();
            level_ = std::max(level_ - leaked, 0.0) + 1;
            last_ = at;
            beyond_ = std::max(beyond_, level_ - static_cast<double>(quota_.burst));
            return;
        }
        const std::int64_t length = quota_.window.count();
        const std::int64_t window = at.time_since_epoch().count() / length;
        const double covered = 1 - static_cast<double>(at.time_since_epoch().count() % length) / double(length);
        const double weighs =
            quota_.algorithm == limit::Algorithm::sliding_window ? double(counts_[window - 1]) * covered : 0;
        beyond_ = std::max(beyond_, weighs + double(++counts_[window]) - double(quota_.quota));
    }

    std::uint64_t spent() const { return spent_; }
    /// How many tokens more than allowed there were at the worst moment.
    double beyond() const { return beyond_; }
    void forget_worst() { beyond_ = 0; }
    double per_second() const { return double(quota_.quota) / std::chrono::duration<double>(quota_.window).count(); }

private:
    Quota quota_;
    std::uint64_t spent_ = 0;
    double level_ = 0, beyond_ = 0;
    Instant last_{};
    std::map<std::int64_t, std::uint64_t> counts_;
};

}  // namespace etage::simulation
