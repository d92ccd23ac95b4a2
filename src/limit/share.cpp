#include "limit/share.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace etage::limit {

namespace {

/// How much earlier a bucket that is told again and again is said to be idle, since each reply is heard a little later
/// than it was true: twice what a call may take by default.
constexpr Duration hearsay = std::chrono::milliseconds(100);

/// What is given back just before a window ends could arrive in the next one.
constexpr Duration before_window_ends = std::chrono::milliseconds(100);

constexpr std::uint8_t patience_max = 2;  // more of it, and who waits longest finds least

std::uint64_t lease_within_max(std::uint64_t lease) noexcept { return std::clamp<std::uint64_t>(lease, 1, lease_max); }

bool is_bucket(const Quota& quota) noexcept { return quota.algorithm == Algorithm::token_bucket; }

Decision peek(const Quota& quota, State known, Now now, std::uint64_t cost) noexcept {
    return take(quota, known, now, cost);  // on a copy
}

std::uint64_t valid_lease(const Share& share, Now now) noexcept {
    return now.mono < share.lease_ends ? share.leased : 0;
}

/// Takes from the share what may still be given back of its lease.
std::uint64_t take_back(const Quota& quota, Share& share, Now now) noexcept {
    const std::uint64_t leased = std::exchange(share.leased, 0);
    const Duration spare = is_bucket(quota) ? Duration::zero() : before_window_ends;
    return counts_until(quota, share.known) > now.mono + spare ? leased : 0;
}

void ask(const Quota& quota, Share& share, Now now, Spending& spending) noexcept {
    if (spending.want > spending.need) {
        share.is_asking = true;
        spending.lease_ended = std::exchange(share.lease_ends, now.mono + lease_time);
    }
    spending.debt = std::exchange(share.debt, 0);
    spending.at_least = used(quota, share.known, now);
    if (!share.is_ahead && is_bucket(quota))
        spending.at_least.idle_after = std::max(spending.at_least.idle_after - hearsay, Duration::zero());
    share.is_ahead = false;
}

Decision refusal(const Quota& quota, const Share& share, Now now, Duration retry_after) noexcept {
    Decision decision = look(quota, share, now);
    decision.allowed = false;
    decision.retry_after = retry_after;
    return decision;
}

/// How long nobody asks after nothing was left: until so many tokens have come back, as far as is known, that each of
/// several instances finds a good part of a lease.
Duration pause_of(const Quota& quota, std::uint64_t lease, const Share& share, Now now) noexcept {
    const Duration one = peek(quota, share.known, now, 1).retry_after;
    if (lease == 1) return one;
    const std::uint64_t batch = std::min((2 * lease) << share.patience, std::max<std::uint64_t>(quota.most() / 4, 1));
    return std::max(one, std::min(peek(quota, share.known, now, batch).retry_after, lease_time));
}

}  // namespace

std::uint64_t lease_of(const Quota& quota) noexcept {
    const std::int64_t emission = quota.emission().count();
    const auto returning = static_cast<std::uint64_t>(Duration(std::chrono::milliseconds(100)).count() / emission);
    return lease_within_max(std::min(returning, quota.most() / 8));
}

Instant Share::idle_at() const noexcept {
    if (is_asking) return Instant::max();
    return std::max({known.idle_at, ask_at, leased > 0 ? lease_ends : Instant{}});
}

Decision look(const Quota& quota, const Share& share, Now now) noexcept {
    Decision decision = peek(quota, share.known, now, 0);
    const std::uint64_t leased = valid_lease(share, now);
    decision.remaining = std::min(decision.remaining + leased, quota.most());
    if (leased > 0) decision.allowed = true, decision.retry_after = {};
    return decision;
}

Spending spend(const Quota& quota, std::uint64_t lease, Share& share, Now now, std::uint64_t cost) noexcept {
    lease = lease_within_max(lease);
    Spending spending;
    if (cost > quota.most()) {
        spending.decision = refusal(quota, share, now, Duration::max());
        return spending;
    }
    const bool must_tell = share.debt >= lease;
    if (valid_lease(share, now) >= std::max<std::uint64_t>(cost, 1)) {
        share.leased -= static_cast<std::uint32_t>(cost);
        spending.decision = look(quota, share, now);
        spending.decision.allowed = true;
        spending.decision.retry_after = {};
        const bool is_low = share.leased <= lease / 8 && now.mono >= share.ask_at;
        if ((is_low || must_tell) && !share.is_asking) {
            spending.then = Spending::Then::refill;
            spending.want = lease - std::min<std::uint64_t>(share.leased, lease);
            ask(quota, share, now, spending);
        }
        return spending;
    }
    if (!must_tell) {
        State known = share.known;
        credit(quota, known, now, valid_lease(share, now));
        const Duration wait = std::max(take(quota, known, now, cost).retry_after, share.ask_at - now.mono);
        if (wait > Duration::zero()) {
            spending.decision = refusal(quota, share, now, wait);
            return spending;
        }
    }
    spending.then = Spending::Then::ask;
    spending.need = cost;
    spending.want = share.is_asking ? cost : std::max(cost, lease);
    spending.back = take_back(quota, share, now);
    ask(quota, share, now, spending);
    return spending;
}

Decision settle(const Quota& quota, std::uint64_t lease, Share& share, const Claim& claim, const Grant& grant,
                Now now) noexcept {
    lease = lease_within_max(lease);
    if (claim.want > claim.need) share.is_asking = false;
    const State told = state_of(grant.used, now);
    share.known = share.is_ahead ? more_used(quota, told, share.known, now) : told;

    const bool is_paid = grant.granted >= claim.need;
    const std::uint64_t more = grant.granted - (is_paid ? claim.need : 0);
    share.leased = static_cast<std::uint32_t>(std::min(share.leased + more, lease_max));
    if (more > 0 && !is_bucket(quota)) share.lease_ends = std::min(share.lease_ends, counts_until(quota, share.known));

    if (grant.granted >= claim.want) {
        if (share.patience > 0) --share.patience;
    } else if (!peek(quota, share.known, now, 0).allowed) {
        // A good batch is more than half a lease and less than a whole one.
        if (grant.granted * 2 < lease && share.patience < patience_max) ++share.patience;
        share.ask_at = now.mono + pause_of(quota, lease, share, now);
    }

    Decision decision = look(quota, share, now);
    decision.allowed = is_paid && (claim.need > 0 || decision.allowed);
    if (!decision.allowed) {
        const Decision again = peek(quota, share.known, now, claim.need);
        decision.retry_after = again.allowed ? Duration::zero() : std::max(again.retry_after, share.ask_at - now.mono);
    }
    return decision;
}

void fail(Share& share, const Spending& spending) noexcept {
    if (spending.want > spending.need) {
        share.is_asking = false;
        share.lease_ends = spending.lease_ended;
    }
    share.is_ahead = true;  // what was to be told may not have been
}

void withdraw(Share& share, const Spending& spending) noexcept {
    fail(share, spending);
    share.debt += spending.debt;
    if (share.leased == 0) share.leased = static_cast<std::uint32_t>(std::min(spending.back, lease_max));
}

void unspend(const Quota& quota, Share& share, Now now, std::uint64_t cost) noexcept {
    if (share.leased == 0 && counts_until(quota, share.known) <= now.mono) return;  // it is there again anyway
    share.leased = static_cast<std::uint32_t>(std::min(share.leased + std::min(cost, lease_max), lease_max));
}

void owe(const Quota& quota, Share& share, Now now, std::uint64_t cost) noexcept {
    const std::uint64_t paid = std::min(cost, valid_lease(share, now));
    share.leased -= static_cast<std::uint32_t>(paid);
    if (__builtin_add_overflow(share.debt, cost - paid, &share.debt))
        share.debt = std::numeric_limits<std::uint64_t>::max();
    debit(quota, share.known, now, cost - paid);
}

Decision spend_alone(const Quota& quota, Share& share, Now now, std::uint64_t cost, std::uint64_t instances) noexcept {
    const std::uint64_t asked = std::max<std::uint64_t>(cost, 1);
    if (cost > quota.most()) return refusal(quota, share, now, Duration::max());
    if (valid_lease(share, now) >= asked) {
        share.leased -= static_cast<std::uint32_t>(cost);
        Decision decision = look(quota, share, now);
        decision.allowed = true;
        decision.retry_after = {};
        return decision;
    }
    instances = std::max<std::uint64_t>(instances, 1);
    std::uint64_t counts = 0;
    if (__builtin_mul_overflow(asked, instances, &counts)) counts = std::numeric_limits<std::uint64_t>::max();

    Decision decision = peek(quota, share.known, now, counts);
    const bool is_whole = used(quota, share.known, now).idle_after == Duration::zero();
    if (!decision.allowed && counts > quota.most() && !is_whole) decision.retry_after = share.known.idle_at - now.mono;
    decision.allowed = decision.allowed || is_whole;
    if (decision.allowed) {
        decision.retry_after = {};
        if (cost > 0) {
            debit(quota, share.known, now, counts);
            share.is_ahead = true;
        }
    }
    const Decision left = peek(quota, share.known, now, 0);
    decision.remaining = left.remaining / instances;
    decision.reset_after = left.reset_after;
    return decision;
}

std::uint64_t give_up(const Quota& quota, Share& share, Now now) noexcept { return take_back(quota, share, now); }

}  // namespace etage::limit
