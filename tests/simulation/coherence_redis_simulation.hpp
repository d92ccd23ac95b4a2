#pragma once
// The instances of coherence_redis_world.hpp at work, and the oracle's part of them.

#include "coherence_redis_world.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <random>
#include <utility>

namespace etage::simulation {

class RedisSimulation {
public:
    struct Options {
        std::uint64_t seed = 1;
        Unprotected unprotected = Unprotected::nothing;
        bool has_faults = true;
    };
    struct Counts {
        std::uint64_t reads = 0, hits = 0, stale = 0, shared = 0, joined = 0, fills = 0, unsure = 0, confirmed = 0,
                      blind = 0, tokens = 0, timeouts = 0;
        std::uint64_t acknowledged = 0, by_all = 0, settled = 0, refused = 0, twice = 0, overflows = 0, gaps = 0,
                      histories = 0, not_next = 0, lives = 0;
        std::array<std::uint64_t, static_cast<std::size_t>(Fault::count)> faults{};
    };

    explicit RedisSimulation(Options options);
    void run(std::uint64_t reads);

    Counts counts;
    std::string violation;

private:
    using Server = std::shared_ptr<Redis>;
    using Step = Continuity::Step;
    struct Batch;
    struct Appended {
        Sequence position = 0;  // 0: another history
        bool is_deposed = false;
        bool is_below = false;
    };
    struct Census {
        bool all = false;
        bool is_deposed = false;
    };

    // coherence_redis_reader.hpp
    void connect(const Ref& i);
    void lose(const Ref& i);
    void look(const Ref& i, const LinkRef& link, int tries);
    void decide(const Ref& i, const LinkRef& link, StreamId own, const coherence::SeenLog& seen, int tries);
    void begin_history(const Ref& i, const LinkRef& link, const coherence::SeenLog& seen, const Continuity& next,
                       int tries);
    void take_up(const Ref& i, const coherence::SeenLog& seen, const Continuity& next);
    void iterate(const Ref& i, const LinkRef& link);
    void finish(const Ref& i, const LinkRef& link, const std::shared_ptr<Batch>& batch);
    bool take_batch(Instance& i, const Batch& batch);
    void apply(Instance& i, StreamId id, const SimRecord& record);
    void see(Instance& i, Ms sent) const;

    // coherence_redis_writer.hpp
    using Then = std::function<void(std::optional<Appended>)>;
    void write();
    void invalidate(const Ref& i, LogRecord what);
    void append(const Ref& i, const flow::Invalidation& what, const Then& then);
    Appended add(Redis& server, const std::string& history, const flow::Invalidation& what);
    void acknowledge(const Ref& i, const LogRecord& what, const Appended& at);
    void wait_for_all(const Ref& i, const LogRecord& what, Sequence position, Ms give_up);
    Census take_census(const Redis& server, const Instance& home, Sequence position) const;
    void remember(Instance& i, const flow::Invalidation& what, Sequence position) const;
    void queue(Instance& i, const flow::Invalidation& what);
    void tail_lost(Instance& i);
    void hold(Instance& i) const;
    void flush(const Ref& i);
    void flush_one(const Ref& i);
    void settle();

    // coherence_redis_requests.hpp
    void read();
    std::optional<LogRecord> pick_token(const Instance& home, bool& bypasses);
    void answer(const Instance& home, const Request& request, const Entry& entry, bool fresh);
    Validity validity(const Instance& home, Entry& entry) const;
    Sight sight(const Instance& home) const;
    void board(const Ref& home, std::size_t key, const Request& request);
    void fill(const Ref& home, std::size_t key, const FlightRef& flight);
    void ask_origin(const Ref& home, std::size_t key, const FlightRef& flight, Moment began, bool timed_out);
    void land(const Ref& home, std::size_t key, const FlightRef& flight, const Entry& entry);
    void share(const Ref& home, std::size_t key, Entry entry, bool timed_out);
    void put(Redis& server, std::size_t key, const Value& value) const;
    Entry origin_response(std::size_t key) const;

    // coherence_redis_faults.hpp
    void do_harm();
    void harm(Fault fault, std::size_t place);
    void promote(Data data, bool old_lives);
    void close_dead_links();
    void start(std::size_t place);

    // --- chance and time
    std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    bool one_in(std::size_t n) { return pick(n) == 0; }
    Ms between(Ms low, Ms high) { return low + static_cast<Ms>(pick(static_cast<std::size_t>(high - low + 1))); }
    Ms latency() { return now_ < slow_until_ ? between(10, 90) : one_in(60) ? between(20, 120) : between(0, 4); }
    Ref any_instance() { return instances_[pick(instances_.size())]; }
    bool without(Unprotected what) const { return options_.unprotected == what; }
    std::string fresh_name() { return std::to_string(random_()); }
    static Instant instant(Ms time) { return Instant(std::chrono::milliseconds(time)); }

    void later(Ms delay, std::function<void()> what) { due_.push({now_ + delay, ++order_, std::move(what)}); }
    /// At an instance: not while it is frozen, and not in another life.
    void on(const Ref& i, Ms delay, std::function<void()> what) {
        later(delay, [this, i, what = std::move(what)]() mutable {
            if (!is_alive(i)) return;
            if (i->frozen_until > now_) return on(i, i->frozen_until - now_ + between(0, 2), std::move(what));
            what();
        });
    }
    bool is_known(Sequence position) const {
        return std::ranges::any_of(instances_, [&](const Ref& i) { return i->engine.fence() >= position; });
    }
    bool is_alive(const Ref& i) const { return std::ranges::find(instances_, i) != instances_.end(); }

    /// `what` at the server, `then` here; with nothing, if either way was lost. Then `what` may have happened.
    template <typename Answer>
    void call(const Ref& i, const LinkRef& link, std::function<Answer(Redis&)> what,
              std::function<void(std::optional<Answer>)> then, std::size_t lost_one_in = 100) {
        later(latency(), [=, this] {
            std::optional<Answer> answer;
            const bool arrives =
                link->is_open && link->server->is_alive && i->cut_until <= now_ && !one_in(2 * lost_one_in);
            if (arrives) answer = what(*link->server);
            if (arrives && one_in(lost_one_in)) answer.reset();
            const Ms back = answer ? latency() : between(5, 40);
            on(i, back, [then, answer] { then(answer); });
        });
    }
    /// The client finds the new primary when it has lost the old one.
    LinkRef client(const Ref& i) const {
        if (!i->client->is_open || !i->client->server->is_alive) i->client = std::make_shared<Link>(primary_);
        return i->client;
    }
    void run_due();

    struct Due {
        Ms when;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Due& other) const { return when != other.when ? when > other.when : order > other.order; }
    };
    struct Token {
        LogRecord record;
        Sequence position;
    };
    struct Owed {
        Ref home;
        LogRecord record;
        Ms since;
    };

    Options options_;
    std::mt19937_64 random_;
    Ms now_ = 0;
    std::uint64_t order_ = 0;
    Moment moment_ = 0;
    std::priority_queue<Due> due_;
    Server primary_;
    Data replica_;
    Ms slow_until_ = 0;
    Ms two_until_ = -lease_ms;  // two servers take themselves for the primary
    Ms harm_at_ = 1'000;
    Ms calm_since_ = 0;
    std::vector<Ref> instances_;
    std::array<int, world_keys> versions_{};
    std::vector<Token> tokens_;
    std::vector<Owed> owed_;
    Oracle everywhere_;
    int names_ = 0;
};

}  // namespace etage::simulation
