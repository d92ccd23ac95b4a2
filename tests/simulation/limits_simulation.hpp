#pragma once
// Four instances that count together, clients that ask for more than they get, and whatever happens to them.

#include "limit/share.hpp"
#include "limits_world.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace etage::simulation {

class LimitsSimulation {
public:
    struct Options {
        std::uint64_t seed = 1;
        std::vector<Quota> quotas;  // limits of each request; the first is looked at
        std::uint64_t lease = 10;
        std::size_t instances = 4;
        double demand = 2;            // times what the first quota allows
        std::vector<double> parts{};  // of the demand, by instance; empty: the same for all
        bool is_local = true;         // without Redis: each its part; otherwise nobody comes in
        // Protections that can be switched off.
        bool leases_lapse = true;
        bool one_call_at_a_time = true;
        bool says_at_least = true;
        bool all_or_nothing = true;
    };
    struct Counts {
        std::uint64_t decisions = 0, allowed = 0, calls = 0, failed = 0, alone = 0;
    };

    explicit LimitsSimulation(Options options)
        : options_(std::move(options)), random_(options_.seed), common_(time_), reference(options_.quotas[0]) {
        common_.all_or_nothing = options_.all_or_nothing;
        for (std::size_t i = 0; i < options_.instances; ++i) {
            instances_.push_back(std::make_unique<Instance>());
            instances_[i]->booted = std::chrono::minutes(7) * (static_cast<int>(i) + 1);
            instances_[i]->calendar_off = std::chrono::milliseconds(20) * (static_cast<int>(i) - 2);
            born(*instances_[i]);
            arrivals(i);
        }
    }

    void run(Duration time) { time_.run_until(time_.now() + time); }

    // --- What can happen
    void redis_away(bool away) { is_away_ = away; }
    void redis_restarts_empty() { common_.lose_everything(); }
    void lose(double part) { loss_ = part; }
    void delay(Duration each_way) { delay_ = each_way; }
    void freeze(std::size_t i, Duration time) { instances_[i]->frozen_until = time_.now() + time; }
    /// Without giving anything back; another one takes its place.
    void crash(std::size_t i) {
        ++instances_[i]->life;
        born(*instances_[i]);
    }
    void set_demand(double demand) { options_.demand = demand; }

    std::uint64_t left(std::size_t quota) { return common_.left(options_.quotas[quota], name(quota)); }
    std::uint64_t leased(std::size_t quota) const {
        std::uint64_t sum = 0;
        for (const auto& each : instances_) sum += each->shares[quota].leased;
        return sum;
    }
    std::size_t random_instance() {
        return std::uniform_int_distribution<std::size_t>(0, options_.instances - 1)(random_);
    }
    std::uint64_t dice(std::uint64_t sides) {
        return std::uniform_int_distribution<std::uint64_t>(0, sides - 1)(random_);
    }

    Counts counts;
    std::string violation;  // the first one

private:
    using Spending = limit::Spending;
    using Then = Spending::Then;

    struct Instance {
        std::vector<limit::Share> shares;
        std::vector<Instant> leased_at;          // when a lease was last asked for, true time
        std::vector<std::uint64_t> outstanding;  // tokens granted here and neither spent nor given back
        std::vector<std::uint64_t> put_back;     // by requests that another limit stopped, since the last call
        Instant frozen_until{};
        Instant away_until{};
        int failures = 0;
        int life = 0;
        Duration booted{}, calendar_off{};
    };
    struct Call {
        std::vector<std::size_t> which;
        std::vector<Spending> spendings;
        std::vector<Claim> claims;
        bool is_urgent = false;
    };

    std::string name(std::size_t quota) const { return "limit" + std::to_string(quota); }
    Now now_of(const Instance& instance) const { return clock_of(time_.now(), instance.booted, instance.calendar_off); }
    void born(Instance& instance) {
        instance.shares.assign(options_.quotas.size(), {});
        instance.leased_at.assign(options_.quotas.size(), Instant{});
        instance.outstanding.assign(options_.quotas.size(), 0);
        instance.put_back.assign(options_.quotas.size(), 0);
        instance.failures = 0;
        instance.away_until = {};
    }
    void violate(const std::string& what) {
        if (violation.empty())
            violation = what + " at " + std::to_string(time_.now().time_since_epoch().count() / 1000000) + " ms";
    }

    void arrivals(std::size_t i) {
        const double part = options_.parts.empty() ? 1.0 / double(options_.instances) : options_.parts[i];
        const double per_second = reference.per_second() * options_.demand * part;
        std::exponential_distribution<double> gap(std::max(per_second, 1e-3));
        time_.after(Duration(static_cast<std::int64_t>(gap(random_) * 1e9)), [this, i] {
            if (time_.now() >= instances_[i]->frozen_until) request(i);
            arrivals(i);
        });
    }

    /// As the gate does it.
    void request(std::size_t i) {
        Instance& instance = *instances_[i];
        ++counts.decisions;
        if (instance.away_until > time_.now()) return decide_alone(instance);
        Call call;
        std::vector<std::size_t> taken;
        for (std::size_t q = 0; q < options_.quotas.size(); ++q) {
            const Spending s = spend(options_.quotas[q], options_.lease, instance.shares[q], now_of(instance), 1);
            if (!options_.one_call_at_a_time) instance.shares[q].is_asking = false;
            if (!options_.leases_lapse) instance.shares[q].lease_ends = Instant::max();
            if (s.then != Then::nothing) {
                call.which.push_back(q);
                call.spendings.push_back(s);
                call.is_urgent = call.is_urgent || s.then == Then::ask;
            }
            if (s.then == Then::ask) continue;
            if (!s.decision.allowed) {
                for (const std::size_t other : taken) put_back(instance, other);
                for (std::size_t k = 0; k < call.which.size(); ++k) {
                    limit::Share& share = instance.shares[call.which[k]];
                    withdraw(share, call.spendings[k]);
                    if (share.leased == 0) instance.outstanding[call.which[k]] = 0;
                }
                return;
            }
            spent_leased(instance, q);
            taken.push_back(q);
        }
        if (!call.is_urgent) allow();
        if (!call.which.empty()) send(i, std::move(call), taken);
    }

    void allow() {
        ++counts.allowed;
        reference.spend(time_.now());
    }

    void spent_leased(Instance& instance, std::size_t q) {
        if (instance.outstanding[q] == 0) return violate("a token was spent that was never granted");
        --instance.outstanding[q];
        if (time_.now() - instance.leased_at[q] > limit::lease_time)
            violate("a token was spent whose lease had lapsed");
    }

    void put_back(Instance& instance, std::size_t q) {
        limit::Share& share = instance.shares[q];
        const std::uint32_t before = share.leased;
        unspend(options_.quotas[q], share, now_of(instance), 1);
        instance.outstanding[q] += share.leased - before;
        instance.put_back[q] += share.leased - before;
    }

    void decide_alone(Instance& instance) {
        if (!options_.is_local) return;
        ++counts.alone;
        bool allowed = true;
        for (std::size_t q = 0; q < options_.quotas.size(); ++q) {
            limit::Share& share = instance.shares[q];
            const std::uint32_t before = share.leased;
            allowed =
                spend_alone(options_.quotas[q], share, now_of(instance), 1, options_.instances).allowed && allowed;
            if (share.leased < before) spent_leased(instance, q);
        }
        if (allowed) allow();
    }

    void send(std::size_t i, Call call, std::vector<std::size_t> taken) {
        Instance& instance = *instances_[i];
        ++counts.calls;
        for (std::size_t k = 0; k < call.which.size(); ++k) {
            const std::size_t q = call.which[k];
            const Spending& s = call.spendings[k];
            if (s.want > s.need) instance.leased_at[q] = time_.now(), instance.put_back[q] = 0;
            instance.outstanding[q] -= std::min(instance.outstanding[q], s.back);
            if (instance.shares[q].leased == 0) instance.outstanding[q] = 0;  // what has lapsed and is worth nothing
            call.claims.push_back({options_.quotas[q],
                                   {},
                                   s.need,
                                   s.want,
                                   s.back,
                                   s.debt,
                                   options_.says_at_least ? s.at_least : limit::Used{},
                                   s.then == Then::ask});
        }
        const auto way = [this] {
            return delay_ / 2 + Duration(static_cast<std::int64_t>(dice(static_cast<std::uint64_t>(delay_.count()))));
        };
        const bool lost = std::bernoulli_distribution(loss_)(random_),
                   lost_back = std::bernoulli_distribution(loss_)(random_);
        const int life = instance.life;
        auto shared = std::make_shared<Call>(std::move(call));
        auto is_over = std::make_shared<bool>(false);
        time_.after(std::chrono::milliseconds(50), [this, i, shared, is_over, life] {  // the deadline
            if (!std::exchange(*is_over, true)) failed(i, *shared, life);
        });
        if (lost || is_away_) return;
        time_.after(way(), [=, this] {
            std::vector<std::string> names;
            for (const std::size_t q : shared->which) names.push_back(name(q));
            for (std::size_t k = 0; k < names.size(); ++k) shared->claims[k].name = names[k];
            auto grants = common_.take(shared->claims);
            if (lost_back || is_away_) return;
            time_.after(way(), [=, this] { hear(i, shared, is_over, life, grants, taken); });
        });
    }

    void hear(std::size_t i, const std::shared_ptr<Call>& call, const std::shared_ptr<bool>& is_over, int life,
              const std::vector<Grant>& grants, const std::vector<std::size_t>& taken) {
        Instance& instance = *instances_[i];
        if (life != instance.life || *is_over) return;
        if (time_.now() < instance.frozen_until) {  // it reads it when it wakes
            time_.after(instance.frozen_until - time_.now(),
                        [=, this] { hear(i, call, is_over, life, grants, taken); });
            return;
        }
        *is_over = true;
        instance.failures = 0;
        bool allowed = true;
        std::vector<std::size_t> paid = taken;
        for (std::size_t k = 0; k < call->which.size(); ++k) {
            const std::size_t q = call->which[k];
            const auto d = settle(options_.quotas[q], options_.lease, instance.shares[q], call->claims[k], grants[k],
                                  now_of(instance));
            if (!options_.leases_lapse) instance.shares[q].lease_ends = Instant::max();
            const bool is_ask = call->spendings[k].then == Then::ask;
            instance.outstanding[q] += grants[k].granted - (is_ask && d.allowed ? call->claims[k].need : 0);
            if (instance.outstanding[q] > options_.lease + instance.put_back[q])
                violate("an instance has leased " + std::to_string(instance.outstanding[q]));
            if (is_ask && d.allowed) paid.push_back(q);
            if (is_ask) allowed = allowed && d.allowed;
        }
        if (!allowed && paid.size() > taken.size()) violate("a request that one limit refused has paid another");
        if (!call->is_urgent) return;
        if (allowed) return allow();
        for (const std::size_t q : paid) put_back(instance, q);
    }

    void failed(std::size_t i, const Call& call, int life) {
        Instance& instance = *instances_[i];
        if (life != instance.life) return;
        ++counts.failed;
        for (std::size_t k = 0; k < call.which.size(); ++k) fail(instance.shares[call.which[k]], call.spendings[k]);
        if (++instance.failures >= 3) instance.away_until = time_.now() + std::chrono::milliseconds(300);
        if (call.is_urgent && call.which.size() == options_.quotas.size()) decide_alone(instance);
    }

    Options options_;
    std::mt19937_64 random_;
    Timeline time_;
    CommonCount common_;
    std::vector<std::unique_ptr<Instance>> instances_;
    bool is_away_ = false;
    double loss_ = 0;
    Duration delay_ = std::chrono::milliseconds(1);

public:
    Reference reference;
};

}  // namespace etage::simulation
