#pragma once
// What happens to networks, servers, processes and operators.

#include "log_simulation.hpp"
#include "log_simulation_reader.hpp"
#include "log_simulation_requests.hpp"
#include "log_simulation_writer.hpp"

namespace etage::simulation {

inline LogSimulation::LogSimulation(Options options) : options_(options), random_(options.seed) {
    primary_ = std::make_shared<SimServer>();
    primary_->identity = fresh_name();
    instances_.resize(3);
    for (std::size_t place = 0; place < instances_.size(); ++place) start(place);
    harm_at_ = 1'000;
}

inline void LogSimulation::start(std::size_t place) {
    ++counts.cold;
    instances_[place] = std::make_shared<SimInstance>(++names_);
    const Ref i = instances_[place];
    i->engine.sees_until(Instant::min(), options_.strict ? Instant::min() : moment_of(now_ + blind_max_ms));
    connect(i);
    flush(i);
}

inline void LogSimulation::run(std::uint64_t reads) {
    while (counts.reads < reads && violation.empty()) {
        ++now_;
        run_due();
        if (one_in(15)) replica_ = primary_->data;  // it lags
        if (options_.nemesis && now_ >= harm_at_) do_harm();
        if (one_in(9)) write();
        check_what_is_owed();
        for (int some = 0; some < 8; ++some) read();
    }
}

inline void LogSimulation::run_due() {
    while (!due_.empty() && due_.top().when <= now_ && violation.empty()) {
        const auto what = due_.top().what;
        due_.pop();
        ++moment_;
        what();
    }
}

/// Another server, with what was replicated; what this instance acknowledged a moment ago may be lost.
inline void LogSimulation::fail_over(bool lose_tail) {
    auto next = std::make_shared<SimServer>();
    next->identity = fresh_name();
    // The leap must be longer than clocks differ; and they differ by less than lies between two histories.
    const bool may_differ = now_ - history_begun_ > 6'000;
    next->clock_offset = may_differ ? between(-2'500, 2'500) : primary_->clock_offset;
    next->data = lose_tail ? replica_ : primary_->data;
    // The old one is dead; or cut off, and takes no more writes (min-replicas-to-write).
    primary_->is_alive = one_in(2);
    primary_->refuses_writes = true;
    primary_ = std::move(next);
}

inline void LogSimulation::do_harm() {
    ++counts.faults;
    calm_since_ = now_;
    harm_at_ = now_ + (one_in(8) ? between(2'500, 3'500) : between(30, 400));
    SimData& data = primary_->data;
    const Ref victim = any_instance();
    switch (pick(14)) {
        case 0:
            if (victim->link) victim->link->is_open = false;
            break;
        case 1:
        case 2: victim->frozen_until = now_ + between(20, 3 * lease_ms); break;
        case 3: start(static_cast<std::size_t>(std::ranges::find(instances_, victim) - instances_.begin())); break;
        case 4:
            unreachable_until_ = now_ + between(20, 600);
            for (const Ref& i : instances_)
                if (i->link) i->link->is_open = false;
            break;
        case 5:
            primary_->refuses_writes = true;
            later(between(20, 500), [server = primary_] { server->refuses_writes = !server->is_alive; });
            break;
        case 6:
        case 7: fail_over(true); break;
        case 8: fail_over(false); break;
        case 9: data = {}; break;                              // FLUSHALL
        case 10: data.records.clear(), data.last = {}; break;  // DEL
        case 11:
            while (data.records.size() > 1 + pick(3)) data.records.erase(data.records.begin());
            break;
        case 12:
            data.add({{0, surrogate(pick(9), 0, 0), Softness::hard, 1}},
                     {data.last.ms, coherence::largest_n + pick(3)});
            break;
        case 13:
            if (one_in(4)) data.add({{0, 100, Softness::hard, 1}}, {1'790'000'000'000'000, 0});
            break;
        default: break;
    }
    // Who is promoted has the links of nobody; who restarts closes them.
    for (const Ref& i : instances_)
        if (i->link && !i->link->server->is_alive) i->link->is_open = false;
    std::erase_if(acknowledged_, [this](const Owed& a) { return a.since < now_ - 2'000; });
    for (const Owed& each : acknowledged_) owe(each.instance, each.record, each.since);
    acknowledged_.clear();
}

}  // namespace etage::simulation
