// The gate with limits that instances count together: from what is leased, else by asking Redis, else without it.

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "flow/gate.hpp"
#include "net/event.hpp"
#include "net/timer.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace etage::flow {

using Outage = LimitPolicy::Outage;
using limit::Share;
using limit::Spending;

void GatePass::ask(Asking asking) {
    if (!asking_) asking_ = std::make_unique<std::vector<Asking>>();
    asking_->push_back(asking);
}

std::string Gate::shared_name_of(const Ticket& ticket) { return ticket.limit->shared_name + base::hex(ticket.key); }

Passage Gate::take_shared(Ticket& ticket, std::uint64_t cost, Now now, GatePass& pass) {
    if (ties_.quotas->away()) return without_redis(ticket, cost, now);
    const Limit& limit = *ticket.limit;
    const Spending spending = records_->shares.visit(ticket.key, now.mono, [&](Share& share) {
        share.owner = limit.id;
        return limit::spend(limit.quota, limit.lease, share, now, cost);
    });
    ticket.decision = spending.decision;
    if (spending.then != Spending::Then::nothing) {
        pass.ask({pass.count_ - 1, spending, 0});
        if (spending.then == Spending::Then::ask) return Passage::ask;
    }
    if (!ticket.decision.allowed) return Passage::refused;
    ticket.cost = cost;
    return Passage::open;
}

/// Redis is away: its share, everything, or nothing.
Passage Gate::without_redis(Ticket& ticket, std::uint64_t cost, Now now) {
    ties_.metrics.add(base::Counter::limits_without_redis);
    const Limit& limit = *ticket.limit;
    if (limit.policy.outage == Outage::open) return Passage::open;
    if (limit.policy.outage == Outage::closed) return Passage::unknown;
    ticket.decision = records_->shares.visit(ticket.key, now.mono, [&](Share& share) {
        return limit::spend_alone(limit.quota, share, now, cost, ties_.quotas->instances());
    });
    return ticket.decision.allowed ? Passage::open : Passage::refused;
}

void Gate::withdraw(Ticket& ticket, const Spending& spending, Now now) {
    if (ticket.limit->is_concurrency()) return records_->shared_seats.failed(ticket.key);
    ticket.decision = records_->shares.visit(ticket.key, now.mono, [&](Share& share) {
        limit::withdraw(share, spending);
        return limit::look(ticket.limit->quota, share, now);
    });
}

// ---- seats

namespace {

/// Another request's call for the same seats.
struct OtherCall {
    net::Event ended;
    std::atomic<bool> is_over{false};

    void end() {
        is_over.store(true, std::memory_order_release);
        ended.notify_all();
    }
};

}  // namespace

Passage Gate::take_shared_seat(Ticket& ticket, Now now, GatePass& pass) {
    using Answer = limit::SharedSeats::Answer;
    if (ties_.quotas->away()) return seat_without_redis(ticket, now, pass);
    auto entering =
        records_->shared_seats.enter(ticket.key, shared_name_of(ticket), ticket.limit->policy.max, now.mono);
    if (entering.answer == Answer::yes || entering.answer == Answer::no)
        return sit(ticket, std::move(entering.seat), entering.in_flight, pass);
    pass.ask({pass.count_ - 1, {}, entering.answer == Answer::ask ? entering.wanted : 0});
    return Passage::ask;
}

Passage Gate::seat_without_redis(Ticket& ticket, Now now, GatePass& pass) {
    ties_.metrics.add(base::Counter::limits_without_redis);
    const LimitPolicy& policy = ticket.limit->policy;
    if (policy.outage == Outage::open) return Passage::open;
    if (policy.outage == Outage::closed) return Passage::unknown;
    auto seat = records_->shared_seats.enter_alone(ticket.key, shared_name_of(ticket), policy.max,
                                                   ties_.quotas->instances(), now.mono);
    return sit(ticket, std::move(seat), records_->shared_seats.in_flight(ticket.key), pass);
}

/// `wanted` 0: another request asks at the moment, and what it is told may be enough for both.
asio::awaitable<Passage> Gate::ask_for_seat(Ticket& ticket, std::uint64_t wanted, Instant deadline, GatePass& pass) {
    using Answer = limit::SharedSeats::Answer;
    const std::string name = shared_name_of(ticket);
    const std::uint64_t max = ticket.limit->policy.max;
    for (;;) {
        if (wanted == 0) {
            const auto other = std::make_shared<OtherCall>();
            records_->shared_seats.wait(ticket.key, [other] { other->end(); });
            std::function<bool()> is_over = [other] { return other->is_over.load(std::memory_order_acquire); };
            const bool in_time = co_await other->ended.wait_until(deadline, std::move(is_over));
            const Now now = base::read_clock();
            if (!in_time) co_return seat_without_redis(ticket, now, pass);
            auto entering = records_->shared_seats.enter(ticket.key, name, max, now.mono);
            if (entering.answer == Answer::yes || entering.answer == Answer::no)
                co_return sit(ticket, std::move(entering.seat), entering.in_flight, pass);
            wanted = entering.answer == Answer::ask ? entering.wanted : 0;
            continue;
        }
        ties_.metrics.add(base::Counter::limit_calls);
        const Instant asked = base::read_clock().mono;
        const limit::RemoteSeats::Wish wish{wanted, records_->shared_seats.in_flight(ticket.key), max};
        const auto held = co_await ties_.seats->hold(name, wish, deadline);
        const Now now = base::read_clock();
        if (!held) {
            records_->shared_seats.failed(ticket.key);
            co_return seat_without_redis(ticket, now, pass);
        }
        auto seat = records_->shared_seats.granted(ticket.key, *held, asked, now.mono);
        co_return sit(ticket, std::move(seat), records_->shared_seats.in_flight(ticket.key), pass);
    }
}

// ---- quotas

/// One limit of one request, as Redis is asked about it. Owns what a call needs that nobody waits for.
struct Gate::Call {
    const Limit* limit;
    std::uint64_t key;
    std::string name;
    Spending spending;
    bool is_in;  // already: the call is for those who come next
};

/// The decisions, or why there are none.
asio::awaitable<Result<std::vector<limit::Decision>>> Gate::settle(std::vector<Call> calls, Instant deadline) {
    std::vector<limit::Claim> claims;
    for (const Call& call : calls) {
        const Spending& s = call.spending;
        // What is leased for those who come next must not stop this request, nor a dry run any.
        const bool is_binding = !call.is_in && !call.limit->policy.dry_run;
        claims.push_back({call.limit->quota, call.name, s.need, s.want, s.back, s.debt, s.at_least, is_binding});
    }
    ties_.metrics.add(base::Counter::limit_calls);
    const auto grants = co_await ties_.quotas->take(claims, deadline);
    const Now now = base::read_clock();
    std::vector<limit::Decision> decisions;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Limit& limit = *calls[i].limit;
        records_->shares.visit(calls[i].key, now.mono, [&](Share& share) {
            if (grants)
                decisions.push_back(limit::settle(limit.quota, limit.lease, share, claims[i], (*grants)[i], now));
            else
                limit::fail(share, calls[i].spending);
        });
    }
    if (!grants) co_return std::unexpected(grants.error());
    co_return decisions;
}

/// For those who come next: the request that it was for does not wait, and may be gone with its gate. Only `keeper`
/// holds that.
asio::awaitable<void> Gate::settle_behind([[maybe_unused]] std::shared_ptr<const void> keeper, std::vector<Call> calls,
                                          Instant deadline) {
    co_await settle(std::move(calls), deadline);
}

asio::awaitable<Passage> Gate::ask(GatePass& pass, Instant deadline) {
    std::vector<GatePass::Asking> seats;
    std::vector<GatePass::Asking> quotas;
    const auto all = std::exchange(pass.asking_, nullptr);
    for (const auto& asking : *all)
        (pass.tickets_[asking.ticket].limit->is_concurrency() ? seats : quotas).push_back(asking);
    // Seats first: whoever finds them all taken has not paid yet.
    for (const auto& [index, spending, wanted] : seats) {
        Ticket& ticket = pass.tickets_[index];
        decide(ticket, co_await ask_for_seat(ticket, wanted, deadline, pass));
        if (!ticket.stops()) continue;
        const Now now = base::read_clock();
        for (const auto& asking : quotas) withdraw(pass.tickets_[asking.ticket], asking.spending, now);
        co_return conclude(pass, now);
    }
    if (quotas.empty()) co_return conclude(pass, base::read_clock());

    std::vector<Call> calls;
    for (const auto& [index, spending, wanted] : quotas) {
        const Ticket& ticket = pass.tickets_[index];
        calls.push_back({ticket.limit, ticket.key, shared_name_of(ticket), spending, ticket.passage == Passage::open});
    }
    if (std::ranges::all_of(calls, &Call::is_in)) {
        asio::co_spawn(co_await asio::this_coro::executor,
                       settle_behind(ties_.keeper.lock(), std::move(calls), deadline), asio::detached);
        co_return Passage::open;
    }
    const auto decisions = co_await settle(std::move(calls), deadline);
    const Now now = base::read_clock();
    for (std::size_t i = 0; i < quotas.size(); ++i) {
        Ticket& ticket = pass.tickets_[quotas[i].ticket];
        const std::uint64_t cost = quotas[i].spending.need;
        if (ticket.passage == Passage::open) continue;
        if (!decisions) {
            decide(ticket, without_redis(ticket, cost, now));
            continue;
        }
        ticket.decision = (*decisions)[i];
        ticket.cost = ticket.decision.allowed ? cost : 0;
        decide(ticket, ticket.decision.allowed ? Passage::open : Passage::refused);
    }
    co_return conclude(pass, now);
}

// ---- upkeep

asio::awaitable<void> Gate::say_what_is_held(ClientRecords& records, limit::RemoteSeats& seats, bool is_last) {
    const Instant deadline = base::read_clock().mono + upkeep_time_max;
    for (const auto& held : records.shared_seats.beat()) {
        const Instant asked = base::read_clock().mono;
        const limit::RemoteSeats::Wish wish = is_last ? limit::RemoteSeats::Wish{0, 0, held.wish.max} : held.wish;
        const auto said = co_await seats.hold(held.name, wish, deadline);
        said ? records.shared_seats.confirmed(held.key, *said, asked) : records.shared_seats.failed(held.key);
    }
}

asio::awaitable<void> Gate::keep_up(std::shared_ptr<ClientRecords> records, limit::RemoteSeats& seats) {
    net::Timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_at(base::read_clock().mono + limit::SharedSeats::heartbeat);
        co_await timer.async_wait(net::quietly);
        co_await say_what_is_held(*records, seats, false);
    }
}

/// What is leased goes back, a few hundred clients at a time: those beyond the deadline lose it, and it lapses.
asio::awaitable<void> Gate::give_up() {
    struct Lease {
        const Limit* limit;
        std::string name;
        std::uint64_t back;
    };
    const Now now = base::read_clock();
    std::vector<Lease> leases;
    records_->shares.for_each(now.mono, [&](std::uint64_t key, Share& share) {
        const Limit* limit = find(share.owner);
        if (limit == nullptr || leases.size() == leases_returned_max) return;
        if (const auto back = limit::give_up(limit->quota, share, now); back > 0)
            leases.push_back({limit, limit->shared_name + base::hex(key), back});
    });
    const Instant deadline = now.mono + upkeep_time_max;
    for (std::size_t begin = 0; begin < leases.size(); begin += leases_per_call_max) {
        std::vector<limit::Claim> claims;
        for (const Lease& lease :
             std::span(leases).subspan(begin, std::min(leases_per_call_max, leases.size() - begin)))
            claims.push_back({lease.limit->quota, lease.name, 0, 0, lease.back, 0, {}, false});
        const auto done = co_await ties_.quotas->take(claims, deadline);
        if (!done) break;
    }
    co_await say_what_is_held(*records_, *ties_.seats, true);
}

const Limit* Gate::find(std::size_t id) const noexcept {
    const auto in = [&](const std::vector<Limit>& limits) -> const Limit* {
        const auto found = std::ranges::find(limits, id, &Limit::id);
        return found == limits.end() ? nullptr : &*found;
    };
    if (const Limit* limit = in(for_all_)) return limit;
    for (const auto& limits : of_routes_)
        if (const Limit* limit = in(limits)) return limit;
    return nullptr;
}

}  // namespace etage::flow
