#pragma once
// The instances of log_world.hpp at work: readers of the log, writers, requests. One event is one thing that happens at
// one place; between asking and being answered anything may happen, and an instance that is frozen does nothing.

#include "log_world.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>

namespace etage::simulation {

class LogSimulation {
public:
    struct Options {
        std::uint64_t seed = 1;
        LogMutant mutant = LogMutant::none;
        bool strict = true;
        bool nemesis = true;
    };
    struct Counts {
        std::uint64_t reads = 0, hits = 0, stale = 0, unsure = 0, blind = 0, dim = 0, fills = 0, shared = 0, joined = 0;
        std::uint64_t tokens = 0, acknowledged = 0, by_all = 0, refused = 0, gaps = 0, histories = 0, cold = 0,
                      faults = 0;
    };

    explicit LogSimulation(Options options);
    void run(std::uint64_t reads);

    Counts counts;
    std::string violation;

private:
    using Ref = std::shared_ptr<SimInstance>;
    using Server = std::shared_ptr<SimServer>;
    using Link = std::shared_ptr<SimLink>;
    struct Batch;

    // log_simulation_reader.hpp
    void connect(const Ref& i);
    void lose(const Ref& i);
    void look(const Ref& i, const Link& link, int tries);
    void decide(const Ref& i, const Link& link, coherence::SeenLog seen, StreamId own, std::vector<SimRecord> retained,
                int tries);
    void begin_history(const Ref& i, const Link& link, const coherence::SeenLog& seen, const Continuity& next,
                       int tries);
    void take_up(const Ref& i, const Link& link, const coherence::SeenLog& seen, const Continuity& next,
                 const std::vector<SimRecord>& retained);
    void iterate(const Ref& i, const Link& link);
    void take_batch(const Ref& i, const Link& link, const Batch& batch);
    void apply(SimInstance& i, StreamId id, const SimRecord& record);
    void see(SimInstance& i, const Batch& batch);

    // log_simulation_writer.hpp
    void write();
    void append(const Ref& i, std::vector<LogRecord> records, std::function<void(std::optional<Sequence>)> then);
    void acknowledge(const Ref& i, const LogRecord& record, Sequence position, Ms asked);
    void refuse(const Ref& i, const LogRecord& record);
    void wait_for_all(const Ref& i, const LogRecord& record, Sequence position, Ms give_up);
    void flush(const Ref& i);
    void hold(SimInstance& i);
    void tail_lost(SimInstance& i);
    void queue(SimInstance& i, const flow::Invalidation& what);
    void check_what_is_owed();
    void owe(const Ref& i, const LogRecord& record, Ms since);

    // log_simulation_requests.hpp
    void read();
    void answer(SimInstance& home, const Request& request, const Entry& entry, bool fresh);
    Validity validity(SimInstance& home, Entry& entry) const;
    void board(const Ref& home, std::size_t key, const Request& request);
    void fill(const Ref& home, std::size_t key, const std::shared_ptr<Flight>& flight);
    void ask_origin(const Ref& home, std::size_t key, const std::shared_ptr<Flight>& flight, Moment began);
    void land(const Ref& home, std::size_t key, const std::shared_ptr<Flight>& flight, const Entry& entry);
    void share(const Ref& home, std::size_t key, const Entry& entry);
    bool counts_here(const SimInstance& home, const SimData::Shared& shared) const;
    Entry origin_response(std::size_t key) const;
    static TagHash surrogate(std::size_t key, int version, std::size_t which);

    // log_simulation_nemesis.hpp
    void do_harm();
    void fail_over(bool lose_tail);
    void start(std::size_t place);

    // chance and time
    std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    bool one_in(std::size_t n) { return pick(n) == 0; }
    Ms between(Ms low, Ms high) { return low + static_cast<Ms>(pick(static_cast<std::size_t>(high - low + 1))); }
    Ms latency() { return one_in(60) ? between(20, 120) : between(1, 4); }
    Ref any_instance() { return instances_[pick(instances_.size())]; }
    bool is(LogMutant m) const { return options_.mutant == m; }
    bool is_reachable() const { return now_ >= unreachable_until_ && primary_->is_alive; }
    std::string fresh_name() { return std::to_string(random_()); }
    void violate(std::string what) {
        if (violation.empty()) violation = "at " + std::to_string(now_) + ": " + what;
    }

    void later(Ms delay, std::function<void()> what) { due_.push({now_ + delay, ++order_, std::move(what)}); }
    /// On an instance: not while it is frozen, and not in another life.
    void on(const Ref& i, Ms delay, std::function<void()> what) {
        later(delay, [this, i, what = std::move(what)]() mutable {
            if (std::ranges::find(instances_, i) == instances_.end()) return;
            if (i->frozen_until > now_) return on(i, i->frozen_until - now_ + between(0, 2), std::move(what));
            what();
        });
    }
    void run_due();

    struct Due {
        Ms when;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Due& other) const { return when != other.when ? when > other.when : order > other.order; }
    };
    struct Owed {
        Ref instance;
        LogRecord record;
        Ms since;
        Ms due;
    };
    struct Token {
        LogRecord record;
        Sequence position;
    };

    Options options_;
    std::mt19937_64 random_;
    Ms now_ = 0;
    std::uint64_t order_ = 0;
    Moment moment_ = 0;
    std::priority_queue<Due> due_;
    Server primary_;
    SimData replica_;
    Ms unreachable_until_ = 0;
    Ms harm_at_ = 0;
    Ms calm_since_ = 0;
    Ms history_begun_ = 0;
    std::vector<Ref> instances_;
    std::array<int, world_keys> versions_{};
    std::vector<Token> tokens_;
    Oracle everywhere_;
    std::vector<Owed> owed_;
    std::vector<Owed> acknowledged_;  // lately
    int names_ = 0;
};

}  // namespace etage::simulation
