#include "flow/gate.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace etage::flow {

using Count = LimitPolicy::Count;
using Outage = LimitPolicy::Outage;
using limit::Share;
using limit::Spending;
using limit::State;

GatePass& GatePass::operator=(GatePass&& other) noexcept {
    count_ = other.count_;
    std::copy_n(other.tickets_.begin(), count_, tickets_.begin());
    seats_ = std::move(other.seats_);
    seat_count_ = other.seat_count_;
    asking_ = std::move(other.asking_);
    return *this;
}

const Ticket* GatePass::stopped_by() const noexcept {
    const auto found = std::ranges::find_if(tickets(), &Ticket::stops);
    return found == tickets().end() ? nullptr : &*found;
}

bool GatePass::is_charged_afterwards() const noexcept {
    return std::ranges::any_of(tickets(), [](const Ticket& t) { return t.limit->is_charged_afterwards(); });
}

// ---- making one

Result<std::unique_ptr<Gate>> Gate::make(const policy::Router& router, std::span<const LimitPolicy> for_all,
                                         const Ties& ties) {
    std::unique_ptr<Gate> gate(new Gate(router, ties));
    std::uint64_t seed = ties.secret;
    const bool is_shared = ties.quotas != nullptr;
    const auto compile = [&](std::span<const LimitPolicy> policies, std::string_view route,
                             std::vector<Limit>& to) -> Result<void> {
        for (const LimitPolicy& policy : policies.first(std::min(policies.size(), limits_per_route_max))) {
            auto limit = compile_limit(policy, route);
            if (!limit) return std::unexpected(std::move(limit.error()));
            limit->seed = is_shared ? base::hash64(limit->shared_name, ties.shared_secret) : ++seed;
            to.push_back(std::move(*limit));
        }
        return {};
    };
    if (auto done = compile(for_all, {}, gate->for_all_); !done) return std::unexpected(std::move(done.error()));
    for (const auto& route : router.routes()) {
        auto& limits = gate->of_routes_.emplace_back();
        if (auto done = compile(route->policy.limits, route->name, limits); !done)
            return std::unexpected(std::move(done.error()));
    }
    return gate;
}

std::span<const Limit> Gate::limits_of(const policy::Route* route) const noexcept {
    return route != nullptr ? std::span<const Limit>(of_routes_[route->index]) : std::span<const Limit>();
}

std::uint64_t Gate::key_of(const Limit& limit, std::string_view subject) const noexcept {
    return base::hash64(subject, limit.seed);
}

std::string Gate::shared_name_of(const Limit& limit, std::uint64_t key) { return limit.shared_name + base::hex(key); }

// ---- at once

Passage Gate::enter(const Request& request, Count count, GatePass& pass) {
    for (const auto limits : {std::span<const Limit>(for_all_), limits_of(request.route)})
        for (const Limit& limit : limits)
            if (limit.policy.count == count) pass_limit(limit, request, pass);
    return conclude(pass, request.now);
}

Passage Gate::conclude(GatePass& pass, Now now) {
    const Ticket* stopping = pass.stopped_by();
    if (stopping == nullptr) {
        if (pass.asking_) return Passage::ask;
        for (const Ticket& ticket : pass.tickets())
            if (ticket.passage > Passage::ask) ties_.metrics.add(base::Counter::limits_dry_run);
        return Passage::open;
    }
    const Passage passage = stopping->passage;
    give_back(pass, now);
    return passage;
}

void Gate::pass_limit(const Limit& limit, const Request& request, GatePass& pass) {
    const auto word = limit.word_on(request.client);
    if (word == Limit::Word::exempt) return;
    const std::uint64_t key = key_of(limit, limit.subject(request.client));
    Ticket& ticket = pass.add(limit, key, ties_.quotas != nullptr && !limit.is_concurrency());
    const std::uint64_t cost = limit.cost(request.client.request);
    ticket.passage = word == Limit::Word::denied ? Passage::denied
                     : limit.is_concurrency()    ? take_seat(ticket, pass)
                     : ticket.is_shared          ? take_shared(ticket, cost, request.now, pass)
                                                 : take_alone(ticket, cost, request.now);
}

Passage Gate::take_seat(Ticket& ticket, GatePass& pass) {
    const std::uint64_t max = ticket.limit->policy.max;
    std::uint64_t taken = 0;
    auto seat = seats_.enter(ticket.key, max, taken);
    const bool is_in = static_cast<bool>(seat);
    ticket.decision = {is_in, max - std::min(taken, max), Duration{}, Duration{}};
    if (!is_in) return Passage::full;
    pass.seats_[pass.seat_count_++] = std::move(seat);
    return Passage::open;
}

Passage Gate::take_alone(Ticket& ticket, std::uint64_t cost, Now now) {
    const limit::Quota& quota = ticket.limit->quota;
    ticket.decision =
        alone_.visit(ticket.key, now.mono, [&](State& state) { return limit::take(quota, state, now, cost); });
    if (!ticket.decision.allowed) return Passage::refused;
    ticket.cost = cost;
    return Passage::open;
}

Passage Gate::take_shared(Ticket& ticket, std::uint64_t cost, Now now, GatePass& pass) {
    if (ties_.quotas->away()) return without_redis(ticket, cost, now);
    const Limit& limit = *ticket.limit;
    const Spending spending = shares_.visit(
        ticket.key, now.mono, [&](Share& share) { return limit::spend(limit.quota, limit.lease, share, now, cost); });
    ticket.decision = spending.decision;
    if (spending.then != Spending::Then::nothing) {
        if (!pass.asking_) pass.asking_ = std::make_unique<std::vector<GatePass::Asking>>();
        pass.asking_->push_back({pass.count_ - 1, spending});
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
    ticket.decision = shares_.visit(ticket.key, now.mono, [&](Share& share) {
        return limit::spend_alone(limit.quota, share, now, cost, ties_.quotas->instances());
    });
    return ticket.decision.allowed ? Passage::open : Passage::refused;
}

/// The request does not come in: what limits had taken before one stopped it.
void Gate::give_back(GatePass& pass, Now now) {
    for (Ticket& ticket : pass.tickets()) {
        const limit::Quota& quota = ticket.limit->quota;
        const std::uint64_t cost = std::exchange(ticket.cost, 0);
        if (cost == 0) continue;
        if (ticket.is_shared)
            shares_.visit(ticket.key, now.mono, [&](Share& share) { limit::unspend(quota, share, now, cost); });
        else
            alone_.visit(ticket.key, now.mono, [&](State& state) { limit::credit(quota, state, now, cost); });
        ticket.decision.remaining += cost;
    }
    if (pass.asking_)
        for (const auto& [index, spending] : *pass.asking_)
            shares_.visit(pass.tickets_[index].key, now.mono, [&](Share& share) { limit::fail(share); });
    pass.asking_ = nullptr;
    while (pass.seat_count_ > 0) pass.seats_[--pass.seat_count_] = {};
}

// ---- with Redis

/// One limit of one request, as Redis is asked about it. Owns what a call needs that nobody waits for.
struct Gate::Call {
    const Limit* limit;
    std::uint64_t key;
    std::string name;
    Spending spending;
    std::size_t ticket;
    bool is_in;  // already: the call is for those who come next
};

/// The decisions, or why there are none.
asio::awaitable<Result<std::vector<limit::Decision>>> Gate::settle(std::vector<Call> calls, Instant deadline) {
    std::vector<limit::Claim> claims;
    for (const Call& call : calls) {
        const Spending& s = call.spending;
        claims.push_back(
            {call.limit->quota, call.name, s.need, s.want, s.back, s.debt, s.at_least, !call.limit->policy.dry_run});
    }
    ties_.metrics.add(base::Counter::limit_calls);
    const auto grants = co_await ties_.quotas->take(claims, deadline);
    const Now now = base::read_clock();
    std::vector<limit::Decision> decisions;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Limit& limit = *calls[i].limit;
        shares_.visit(calls[i].key, now.mono, [&](Share& share) {
            if (grants)
                decisions.push_back(limit::settle(limit.quota, limit.lease, share, claims[i], (*grants)[i], now));
            else
                limit::fail(share);
        });
    }
    if (!grants) co_return std::unexpected(grants.error());
    co_return decisions;
}

asio::awaitable<Passage> Gate::ask(Request request, GatePass& pass, Instant deadline) {
    std::vector<Call> calls;
    bool is_urgent = false;
    for (const auto& [index, spending] : *std::exchange(pass.asking_, nullptr)) {
        const Ticket& ticket = pass.tickets_[index];
        const Limit& limit = *ticket.limit;
        const bool is_in = ticket.passage == Passage::open;
        is_urgent = is_urgent || !is_in;
        calls.push_back({&limit, ticket.key, shared_name_of(limit, ticket.key), spending, index, is_in});
    }
    if (!is_urgent) {
        asio::co_spawn(co_await asio::this_coro::executor, settle(std::move(calls), deadline), asio::detached);
        co_return Passage::open;
    }
    const std::vector<Call> asked = calls;
    const auto decisions = co_await settle(std::move(calls), deadline);
    const Now now = base::read_clock();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (asked[i].is_in) continue;
        Ticket& ticket = pass.tickets_[asked[i].ticket];
        const std::uint64_t cost = asked[i].spending.need;
        if (!decisions) {
            ticket.passage = without_redis(ticket, cost, now);
            continue;
        }
        ticket.decision = (*decisions)[i];
        ticket.passage = ticket.decision.allowed ? Passage::open : Passage::refused;
        ticket.cost = ticket.decision.allowed ? cost : 0;
    }
    co_return conclude(pass, now);
}

// ---- afterwards

void Gate::charge(const Ticket& ticket, std::uint64_t cost, Now now) {
    const limit::Quota& quota = ticket.limit->quota;
    const std::uint64_t rest = cost - std::min(cost, ticket.cost);
    if (ticket.is_shared)
        shares_.visit(ticket.key, now.mono, [&](Share& share) { limit::owe(quota, share, now, rest); });
    else
        alone_.visit(ticket.key, now.mono, [&](State& state) { limit::debit(quota, state, now, rest); });
}

std::vector<Ticket> Gate::look(const http::RequestHead& request, std::string_view address, Now now) {
    std::vector<Ticket> tickets;
    const auto add = [&](std::span<const Limit> limits, const policy::Route* route) {
        const auto identity = policy::identity_of(route, request);
        const Client client{request, identity, address, route != nullptr ? std::string_view(route->name) : ""};
        for (const Limit& limit : limits)
            if (limit.word_on(client) == Limit::Word::counted) tickets.push_back(look(limit, client, now));
    };
    add(for_all_, nullptr);
    for (const auto& route : router_.routes()) add(limits_of(route.get()), route.get());
    return tickets;
}

Ticket Gate::look(const Limit& limit, const Client& client, Now now) {
    const std::uint64_t key = key_of(limit, limit.subject(client));
    const limit::Quota& quota = limit.quota;
    Ticket ticket{&limit, key, 0, {}, Passage::open, ties_.quotas != nullptr && !limit.is_concurrency()};
    if (limit.is_concurrency())
        ticket.decision.remaining = limit.policy.max - std::min(seats_.taken(key), limit.policy.max);
    else if (ticket.is_shared)
        ticket.decision = shares_.visit(key, now.mono, [&](Share& share) { return limit::look(quota, share, now); });
    else
        ticket.decision = alone_.visit(key, now.mono, [&](State& state) { return limit::take(quota, state, now, 0); });
    return ticket;
}

}  // namespace etage::flow
