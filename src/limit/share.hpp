#pragma once
// What one instance knows of a client's quota that several count together, and what it has leased of it.
//
// Most decisions are made from a lease, some tokens that were taken together: no round trip. When they are nearly used
// up more are asked for, while the last ones are spent; who finds none left asks and waits. When the common count said
// that nothing was left, nobody asks before a batch has come back that is worth a round trip.
//
// What is spent never exceeds what the common count grants and, for each instance, one lease (and what requests that
// another limit stopped have put back during a call). What would break it is kept out by: one call at a time for each
// client may bring a lease (is_asking); a lease lapses a second after it was asked for and with its window, and what is
// left of it goes back; and each call says what is known to be used (at_least), so that a count that was lost, or what
// was spent alone meanwhile, does not become a burst.
//
// Pure functions. Concurrency · none: a Share is a row of a ClientTable, its functions are called under the mutex.
//
// A request · spend(); Then::nothing: decided. Then::ask: call RemoteQuotas::take, then settle(); or, when it failed,
// fail() and, if the policy says so, spend_alone(). Then::refill: decided, and the same call without anybody waiting;
// its claim is not binding, since it must not stop another limit of the request. Every Spending that asks or refills
// ends in one of settle(), fail() and withdraw().

#include "limit/remote_quotas.hpp"

namespace etage::limit {

/// A row of docs/limits.md: tokens of one lease.
inline constexpr std::uint64_t lease_max = 1 << 20;
/// From when it was asked for until it lapses.
inline constexpr Duration lease_time = std::chrono::seconds(1);

/// The lease when the policy names none: what comes back in 100 ms, an eighth of all at most, one at least.
std::uint64_t lease_of(const Quota&) noexcept;

struct Share {
    State known;           // of all instances, as last heard; and what was spent alone since
    Instant lease_ends{};  // from then on `leased` is only given back
    Instant ask_at{};      // nothing was left: not asked again before
    std::uint64_t debt = 0;
    std::uint32_t leased = 0;
    std::uint16_t owner = 0;     // whose share it is, for its keeper to know again
    std::uint8_t patience = 0;   // how often the batch that is worth asking for was doubled
    bool is_asking : 1 = false;  // a call is under way that may bring a lease
    bool is_ahead : 1 = false;   // known is more than the common count was told

    Instant idle_at() const noexcept;
};

/// What became of a request, and what is to be asked: the members of a Claim.
struct Spending {
    enum class Then : std::uint8_t { nothing, refill, ask };
    Decision decision;
    Then then = Then::nothing;
    std::uint64_t need = 0;
    std::uint64_t want = 0;
    std::uint64_t back = 0;
    std::uint64_t debt = 0;
    Used at_least;
    Instant lease_ended{};  // Share::lease_ends before it: what a call that brings nothing leaves behind
};

/// A request that costs so much; 0 asks whether there is anything left. `lease`: at most so many tokens at once.
Spending spend(const Quota&, std::uint64_t lease, Share&, Now now, std::uint64_t cost) noexcept;

/// The reply to what spend() asked. When the claim was not granted although there is enough (another claim of the call
/// was not granted), the decision is a refusal with a retry_after of 0: not this limit's.
Decision settle(const Quota&, std::uint64_t lease, Share&, const Claim&, const Grant&, Now now) noexcept;

/// The call failed: nothing may be spent, and it is not known what was taken.
void fail(Share&, const Spending&) noexcept;

/// The call is not made after all.
void withdraw(Share&, const Spending&) noexcept;

/// Spent, but not used: the request was stopped by something else.
void unspend(const Quota&, Share&, Now now, std::uint64_t cost) noexcept;

/// Charged when the cost is known only afterwards, also into debt. The common count hears of it with the next call.
void owe(const Quota&, Share&, Now now, std::uint64_t cost) noexcept;

/// What is left, as far as is known; takes nothing.
Decision look(const Quota&, const Share&, Now now) noexcept;

/// Redis is away, and each of `instances` grants its part: every token counts `instances` times, but a client that has
/// used nothing is granted what it asks for. Tokens still leased are spent first; they have been counted.
Decision spend_alone(const Quota&, Share&, Now now, std::uint64_t cost, std::uint64_t instances) noexcept;

/// What is leased and not spent, to be given back at shutdown; it cannot be spent any more.
std::uint64_t give_up(const Quota&, Share&, Now now) noexcept;

}  // namespace etage::limit
