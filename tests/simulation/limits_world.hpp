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

/// What all have used of one client's quota, exact and by one clock: a bucket as time, windows by the calendar.
class CommonState {
public:
    void roll(const Quota& quota, Instant now) {
        now_ = now.time_since_epoch().count();
        if (quota.algorithm == limit::Algorithm::token_bucket) {
            used_ = std::max<std::int64_t>(used_ - (now_ - seen_), 0);
            seen_ = now_;
            return;
        }
        const std::int64_t window = now_ / quota.window.count();
        if (window != window_) previous_ = window == window_ + 1 ? current_ : 0, current_ = 0;
        window_ = window;
    }
    std::uint64_t left(const Quota& quota) const {
        if (quota.algorithm == limit::Algorithm::token_bucket) {
            const std::int64_t emission = quota.emission().count();
            const std::int64_t full = emission * static_cast<std::int64_t>(quota.burst);
            return static_cast<std::uint64_t>(std::max<std::int64_t>((full - used_) / emission, 0));
        }
        const std::int64_t length = quota.window.count();
        const std::int64_t covered = (window_ + 1) * length - now_;
        const std::int64_t weighs = slides(quota) ? (previous_ * covered + length - 1) / length : 0;
        return static_cast<std::uint64_t>(
            std::max<std::int64_t>(static_cast<std::int64_t>(quota.quota) - current_ - weighs, 0));
    }
    void raise(const Quota& quota, const limit::Used& at_least) {
        if (at_least.idle_after <= Duration::zero()) return;
        if (quota.algorithm == limit::Algorithm::token_bucket) {
            used_ = std::max(used_, at_least.idle_after.count());
            return;
        }
        const std::int64_t length = quota.window.count();
        const std::int64_t ends = now_ + at_least.idle_after.count() - (slides(quota) ? length : 0);
        const std::int64_t newer = ends - (window_ + 1) * length;
        const auto current = static_cast<std::int64_t>(at_least.current),
                   previous = static_cast<std::int64_t>(at_least.previous);
        if (newer < -length / 2) {
            previous_ = std::max(previous_, current);
        } else if (newer > length / 2) {
            current_ = std::max({current_, current, previous});
        } else {
            current_ = std::max(current_, current);
            previous_ = std::max(previous_, previous);
        }
    }
    void debit(const Quota& quota, std::uint64_t count) {
        used_ += quota.emission().count() * static_cast<std::int64_t>(count);
        current_ += static_cast<std::int64_t>(count);
    }
    void credit(const Quota& quota, std::uint64_t count) {
        used_ = std::max<std::int64_t>(used_ - quota.emission().count() * static_cast<std::int64_t>(count), 0);
        const std::int64_t of_current = std::min(current_, static_cast<std::int64_t>(count));
        current_ -= of_current;
        previous_ = std::max<std::int64_t>(previous_ - (static_cast<std::int64_t>(count) - of_current), 0);
    }
    limit::Used used(const Quota& quota) const {
        if (quota.algorithm == limit::Algorithm::token_bucket) return {Duration(used_), 0, 0};
        if (current_ == 0 && (previous_ == 0 || !slides(quota))) return {};
        const std::int64_t length = quota.window.count();
        const std::int64_t ends = (window_ + (slides(quota) ? 2 : 1)) * length;
        return {Duration(ends - now_), static_cast<std::uint64_t>(current_),
                slides(quota) ? static_cast<std::uint64_t>(previous_) : 0};
    }

private:
    static bool slides(const Quota& quota) { return quota.algorithm == limit::Algorithm::sliding_window; }

    std::int64_t now_ = 0, seen_ = 0;
    std::int64_t used_ = 0;  // ns
    std::int64_t window_ = 0, current_ = 0, previous_ = 0;
};

/// RemoteQuotas' semantics, exact and in memory.
class CommonCount {
public:
    explicit CommonCount(const Timeline& time) : time_(time) {}

    std::vector<Grant> take(const std::vector<Claim>& claims) {
        bool all = true;
        for (const Claim& claim : claims) {
            CommonState& state = states_[std::string(claim.name)];
            state.roll(claim.quota, time_.now());
            state.raise(claim.quota, claim.at_least);
            state.credit(claim.quota, claim.back);
            state.debit(claim.quota, claim.debt);
            if (claim.binding && state.left(claim.quota) < std::max<std::uint64_t>(claim.need, 1)) all = false;
        }
        std::vector<Grant> grants;
        for (const Claim& claim : claims) {
            CommonState& state = states_[std::string(claim.name)];
            const std::uint64_t left = state.left(claim.quota);
            const bool is_granted = (all || !all_or_nothing) && left >= std::max<std::uint64_t>(claim.need, 1);
            const std::uint64_t granted = is_granted ? std::min(std::max(claim.want, claim.need), left) : 0;
            state.debit(claim.quota, granted);
            grants.push_back({granted, state.used(claim.quota)});
        }
        return grants;
    }

    void lose_everything() { states_.clear(); }
    std::uint64_t left(const Quota& quota, const std::string& name) {
        states_[name].roll(quota, time_.now());
        return states_[name].left(quota);
    }

    bool all_or_nothing = true;  // a protection that can be switched off

private:
    const Timeline& time_;
    std::map<std::string, CommonState> states_;
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
