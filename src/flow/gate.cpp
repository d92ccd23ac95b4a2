#include "flow/gate.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace etage::flow {

using Count = LimitPolicy::Count;
using limit::Share;
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

Gate::Gate(const policy::Router& router, const Ties& ties)
    : router_(router), ties_(ties), records_(ties.records ? ties.records : std::make_shared<ClientRecords>()) {}

Result<std::unique_ptr<Gate>> Gate::make(const policy::Router& router, std::span<const LimitPolicy> for_all,
                                         const Ties& ties) {
    std::unique_ptr<Gate> gate(new Gate(router, ties));
    const bool is_shared = ties.quotas != nullptr;
    std::map<std::string, std::size_t> alike;  // limits that say the same, in one place, count apart in this process
    const auto compile = [&](std::span<const LimitPolicy> policies, std::string_view route,
                             std::vector<Limit>& to) -> Result<void> {
        for (const LimitPolicy& policy : policies.first(std::min(policies.size(), limits_per_route_max))) {
            auto limit = compile_limit(policy, route);
            if (!limit) return std::unexpected(std::move(limit.error()));
            const std::string name = limit->shared_name + std::to_string(alike[limit->shared_name]++);
            const auto id = gate->records_->id_of(name);
            if (!id) return failure(Blame::us, Fault::internal, "too many different limits since the start; restart");
            limit->id = *id;
            limit->seed =
                is_shared ? base::hash64(limit->shared_name, ties.shared_secret) : base::hash64(name, ties.secret);
            limit->is_seed_public = is_shared && ties.shared_secret == 0;
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
    if (limit.is_seed_public) return base::keyed_hash({limit.seed, 0}, subject).high;
    return base::hash64(subject, limit.seed);
}

// ---- at once

Passage Gate::enter(const Request& request, Count count, GatePass& pass) {
    for (const auto limits : {std::span<const Limit>(for_all_), limits_of(request.route)})
        for (const Limit& limit : limits)
            if (limit.policy.count == count) pass_limit(limit, request, pass);
    return conclude(pass, request.now);
}

Passage Gate::conclude(GatePass& pass, Now now) {
    const Ticket* stopping = pass.stopped_by();
    if (stopping == nullptr) return pass.asking_ ? Passage::ask : Passage::open;
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
    decide(ticket, word == Limit::Word::denied ? Passage::denied
                   : limit.is_concurrency()    ? take_seat(ticket, request.now, pass)
                   : ticket.is_shared          ? take_shared(ticket, cost, request.now, pass)
                                               : take_alone(ticket, cost, request.now));
}

void Gate::decide(Ticket& ticket, Passage passage) noexcept {
    ticket.passage = passage;
    if (passage > Passage::ask && ticket.limit->policy.dry_run) ties_.metrics.add(base::Counter::limits_dry_run);
}

Passage Gate::take_seat(Ticket& ticket, Now now, GatePass& pass) {
    if (ties_.seats != nullptr) return take_shared_seat(ticket, now, pass);
    std::uint64_t taken = 0;
    auto seat = records_->seats.enter(ticket.key, ticket.limit->policy.max, taken);
    return sit(ticket, std::move(seat), taken, pass);
}

Passage Gate::sit(Ticket& ticket, limit::Seat seat, std::uint64_t taken, GatePass& pass) {
    const std::uint64_t max = ticket.limit->policy.max;
    const bool is_in = static_cast<bool>(seat);
    ticket.decision = {is_in, max - std::min(taken, max), Duration{}, Duration{}};
    if (!is_in) return Passage::full;
    pass.seats_[pass.seat_count_++] = std::move(seat);
    return Passage::open;
}

Passage Gate::take_alone(Ticket& ticket, std::uint64_t cost, Now now) {
    const limit::Quota& quota = ticket.limit->quota;
    ticket.decision =
        records_->alone.visit(ticket.key, now.mono, [&](State& state) { return limit::take(quota, state, now, cost); });
    if (!ticket.decision.allowed) return Passage::refused;
    ticket.cost = cost;
    return Passage::open;
}

/// The request does not come in: what limits had taken before one stopped it.
void Gate::give_back(GatePass& pass, Now now) {
    for (Ticket& ticket : pass.tickets()) {
        const limit::Quota& quota = ticket.limit->quota;
        const std::uint64_t cost = std::exchange(ticket.cost, 0);
        if (cost == 0) continue;
        if (ticket.is_shared)
            ticket.decision = records_->shares.visit(ticket.key, now.mono, [&](Share& share) {
                limit::unspend(quota, share, now, cost);
                return limit::look(quota, share, now);
            });
        else
            ticket.decision = records_->alone.visit(ticket.key, now.mono, [&](State& state) {
                limit::credit(quota, state, now, cost);
                return limit::take(quota, state, now, 0);
            });
    }
    if (pass.asking_)
        for (const auto& [index, spending, seats] : *pass.asking_) withdraw(pass.tickets_[index], spending, now);
    pass.asking_ = nullptr;
    while (pass.seat_count_ > 0) pass.seats_[--pass.seat_count_] = {};
}

// ---- afterwards

void Gate::charge(const Ticket& ticket, std::uint64_t cost, Now now) {
    const limit::Quota& quota = ticket.limit->quota;
    const std::uint64_t rest = cost - std::min(cost, ticket.cost);
    if (ticket.is_shared)
        records_->shares.visit(ticket.key, now.mono, [&](Share& share) { limit::owe(quota, share, now, rest); });
    else
        records_->alone.visit(ticket.key, now.mono, [&](State& state) { limit::debit(quota, state, now, rest); });
}

std::vector<Standing> Gate::look(const http::RequestHead& request, std::string_view address, Now now) {
    std::vector<Standing> standings;
    const auto add = [&](const Limit& limit, const policy::Route* route) {
        const auto identity = policy::identity_of(route, request);
        const Client client{request, identity, address, route != nullptr ? std::string_view(route->name) : ""};
        if (limit.word_on(client) == Limit::Word::counted) standings.push_back(look(limit, client, now));
    };
    for (const Limit& limit : for_all_) {
        if (limit.policy.by != LimitPolicy::By::route) {
            add(limit, nullptr);
            continue;
        }
        for (const auto& route : router_.routes()) add(limit, route.get());
    }
    for (const auto& route : router_.routes())
        for (const Limit& limit : limits_of(route.get())) add(limit, route.get());
    return standings;
}

Standing Gate::look(const Limit& limit, const Client& client, Now now) {
    const std::string_view subject = limit.subject(client);
    const std::uint64_t key = key_of(limit, subject);
    const limit::Quota& quota = limit.quota;
    Standing standing{&limit, limit.policy.by == LimitPolicy::By::route ? subject : limit.route, {}};
    if (limit.is_concurrency()) {
        const std::uint64_t taken =
            ties_.seats != nullptr ? records_->shared_seats.in_flight(key) : records_->seats.taken(key);
        standing.decision.remaining = limit.policy.max - std::min(taken, limit.policy.max);
    } else if (ties_.quotas != nullptr) {
        standing.decision =
            records_->shares.visit(key, now.mono, [&](Share& share) { return limit::look(quota, share, now); });
    } else {
        standing.decision =
            records_->alone.visit(key, now.mono, [&](State& state) { return limit::take(quota, state, now, 0); });
    }
    return standing;
}

}  // namespace etage::flow
