#pragma once
// What happens to networks, servers, processes, and by the hands of operators.

#include "coherence_redis_reader.hpp"
#include "coherence_redis_requests.hpp"
#include "coherence_redis_writer.hpp"

namespace etage::simulation {

inline RedisSimulation::RedisSimulation(Options options) : options_(options), random_(options.seed) {
    primary_ = std::make_shared<Redis>();
    primary_->identity = fresh_name();
    instances_.resize(4);
    for (std::size_t place = 0; place < instances_.size(); ++place) start(place);
}

/// Cold, in the place of another, which dies.
inline void RedisSimulation::start(std::size_t place) {
    ++counts.lives;
    const Ref i = instances_[place] = std::make_shared<Instance>(++names_);
    i->engine.sees_until(Instant::min(), Instant::min());
    i->link = i->client = std::make_shared<Link>(primary_);
    connect(i);
    flush(i);
}

inline void RedisSimulation::run(std::uint64_t reads) {
    constexpr int reads_per_ms = 10;
    while (counts.reads < reads && violation.empty()) {
        ++now_;
        run_due();
        if (one_in(25)) replica_ = primary_->data;  // it lags
        if (options_.has_faults && now_ >= harm_at_) do_harm();
        if (one_in(14)) write();
        if (now_ % 32 == 0) settle();
        for (int some = 0; some < reads_per_ms; ++some) read();
    }
}

inline void RedisSimulation::run_due() {
    while (!due_.empty() && due_.top().when <= now_ && violation.empty()) {
        const auto what = due_.top().what;
        due_.pop();
        ++moment_;
        what();
    }
}

inline void RedisSimulation::do_harm() {
    calm_since_ = now_;
    harm_at_ = now_ + (one_in(8) ? between(2'500, 4'000) : between(40, 600));
    harm(static_cast<Fault>(pick(static_cast<std::size_t>(Fault::count))), pick(instances_.size()));
    if (one_in(6)) harm(Fault::killed, pick(instances_.size()));  // seldom alone
    close_dead_links();
}

inline void RedisSimulation::harm(Fault fault, std::size_t place) {
    ++counts.faults[static_cast<std::size_t>(fault)];
    Instance& victim = *instances_[place];
    Data& data = primary_->data;
    Data left = data;  // what is left by the generation that follows
    switch (fault) {
        case Fault::connection_lost: victim.link->is_open = false; break;
        case Fault::cut_off: victim.cut_until = now_ + between(20, 4 * lease_ms); break;
        case Fault::frozen: victim.frozen_until = now_ + between(20, 4 * lease_ms); break;
        case Fault::killed: start(place); break;
        case Fault::trimmed: data.trim(1 + pick(3)); break;
        case Fault::failover_without_loss: promote(std::move(left), false); break;
        case Fault::failover_without_tail: promote(replica_, false); break;
        case Fault::two_primaries: promote(replica_, true); break;
        case Fault::flushed: data = {}; break;
        case Fault::log_deleted: data.records.clear(), data.last = {}; break;
        case Fault::restarted_empty: promote({}, false); break;
        case Fault::restarted_without_tail: promote(replica_, false); break;
        case Fault::slow: slow_until_ = now_ + between(50, 600); break;
        case Fault::count: break;
    }
}

/// Another server, or another process of the same one: with another identity either way. `old_lives`: cut off from its
/// replica, but not from all clients, it goes on for a while.
inline void RedisSimulation::promote(Data data, bool old_lives) {
    auto next = std::make_shared<Redis>();
    next->identity = fresh_name();
    next->clock_offset = primary_->clock_offset + between(-4'000, 2'000);
    next->data = std::move(data);
    const auto die = [this, old = primary_] {
        old->is_alive = false;
        close_dead_links();
    };
    primary_ = std::move(next);
    if (!old_lives) return die();
    for (const Ref& i : instances_) {
        if (one_in(2)) i->link->is_open = false;
        if (one_in(2)) i->client->is_open = false;
    }
    const Ms lives = between(50, 500);
    two_until_ = std::max(two_until_, now_ + lives);
    later(lives, die);
}

inline void RedisSimulation::close_dead_links() {
    for (const Ref& i : instances_)
        for (const LinkRef& link : {i->link, i->client})
            if (!link->server->is_alive) link->is_open = false;
}

}  // namespace etage::simulation
