// Many keys, tags and instances on virtual time, at random but from a seed, against an oracle that remembers
// everything.
//
// Four instances with their own memory, engine and lag on one ordered log; a shared store; an origin that reads its
// database some time after it was asked and answers some time later; writes that commit, invalidate at one instance and
// are acknowledged there. Tags change with every version. The tables have room for 32 marks, so marks are forgotten all
// the time. The oracle is a std::map of exact marks for each instance, filled when an invalidation is acknowledged
// there or the instance has read it in the log; it knows when every fill began.
//
// ETAGE_SEED=n runs another world; the seed is printed.

#include "coherence_oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace etage::simulation {
namespace {

using coherence::Engine;
using coherence::Validity;

constexpr std::size_t instances = 4;
constexpr std::size_t keys = 64;
constexpr std::size_t surrogates = 24;
constexpr std::size_t marks_max = 32;
constexpr std::size_t log_records_kept = 64;
constexpr int reads_per_tick = 8;

using Time = std::uint64_t;  // virtual

enum class Mutant : std::uint8_t {
    none,
    stored_with_the_fence_of_the_moment,
    hit_is_not_judged,
    fast_path_ignores_what_was_applied_ahead,
    soft_mark_is_overlooked,
    shared_entry_is_not_judged,
    older_content_under_the_higher_fence,
    joins_any_flight,
    acknowledged_before_its_position_is_applied,
    a_gap_is_overlooked,
};
constexpr int mutants = static_cast<int>(Mutant::a_gap_is_overlooked) + 1;

struct Flight {
    Sequence fence = 0;
    Moment leader = 0;              // when the request of the leader began; 0 for a refresh
    std::vector<Moment> followers;  // likewise
};
using FlightRef = std::shared_ptr<Flight>;

struct Instance {
    Engine engine{0, marks_max};
    std::array<std::optional<Entry>, keys> memory;
    std::array<FlightRef, keys> flights;
    std::size_t read_of_log = 0;
    Time reads_next = 0;
    Oracle oracle;
};

struct Counts {
    std::uint64_t reads = 0, hits = 0, stale = 0, fills = 0, shared = 0, joined = 0, writes = 0, gaps = 0;
    std::uint64_t gone = 0, gone_too_much = 0;  // the second: the oracle would have allowed it
};

class Simulation {
public:
    explicit Simulation(std::uint64_t seed, Mutant mutant = Mutant::none) : random_(seed), mutant_(mutant) {}

    void run(std::uint64_t reads) {
        while (counts.reads < reads && violation.empty()) {
            ++now_;
            run_due();
            for (Instance& instance : instances_) read_log(instance);
            if (pick(16) == 0) write();
            for (int i = 0; i < reads_per_tick; ++i) read(instances_[pick(instances)], pick_key());
        }
    }

    std::uint64_t forgotten() const {
        std::uint64_t sum = 0;
        for (const Instance& instance : instances_) sum += instance.engine.marks_forgotten();
        return sum;
    }

    Counts counts;
    std::string violation;

private:
    // --- chance and time

    std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    std::size_t pick_key() { return std::min(pick(keys), pick(keys)); }  // some are hotter
    Time latency() { return 1 + (pick(50) == 0 ? 100 + pick(200) : pick(20)); }

    void later(std::function<void()> what) { due_.push({now_ + latency(), ++moment_, std::move(what)}); }

    void run_due() {
        while (!due_.empty() && due_.top().when <= now_) {
            const auto what = due_.top().what;
            due_.pop();
            ++moment_;
            what();
        }
    }

    // --- origin

    static TagHash key_tag(std::size_t key) { return 1000 + key; }
    static TagHash surrogate(std::size_t key, int version, std::size_t which) {
        const auto mixed = (key * 31 + static_cast<std::size_t>(version) / 2 * 7 + which * 13) * 2654435761U;
        return 100 + (mixed >> 8U) % surrogates;
    }
    Entry origin_response(std::size_t key) const {
        const int version = versions_[key];
        return {0, 0, {1, key_tag(key), surrogate(key, version, 0), surrogate(key, version, 1)}, version, 0};
    }

    void write() {
        ++counts.writes;
        const std::size_t key = pick_key();
        const Entry before = origin_response(key);
        const TagHash tag = pick(100) == 0 ? before.tags[0] : before.tags[1 + pick(3)];
        for (std::size_t k = 0; k < keys; ++k)  // whatever carries the tag has changed
            if (const auto tags = origin_response(k).tags; std::ranges::count(tags, tag) != 0) ++versions_[k];
        const auto softness = pick(5) == 0 ? Softness::soft : Softness::hard;
        Instance& home = instances_[pick(instances)];
        later([this, &home, tag, softness] { apply_ahead(home, tag, softness); });
    }

    void apply_ahead(Instance& home, TagHash tag, Softness softness) {
        home.engine.apply_ahead({{&tag, 1}, softness});
        const Moment began = moment_;
        later([this, &home, tag, softness, began] {
            log_.push_back({(log_.size() + 1) << 4U, tag, softness, began});
            later([this, &home, index = log_.size() - 1] { acknowledge(home, log_[index]); });
        });
    }

    void acknowledge(Instance& home, const LogRecord& record) {
        if (mutant_ != Mutant::acknowledged_before_its_position_is_applied)
            home.engine.apply_ahead(record.position, {{&record.tag, 1}, record.softness});
        home.oracle.bind(moment_, record);
    }

    // --- the log

    void read_log(Instance& instance) {
        if (now_ < instance.reads_next || instance.read_of_log == log_.size()) return;
        ++moment_;
        instance.reads_next = now_ + 1 + (pick(50) == 0 ? 300 + pick(3000) : pick(30));
        if (instance.read_of_log + log_records_kept < log_.size()) return cross_gap(instance);
        for (std::size_t some = 1 + pick(8); some > 0 && instance.read_of_log < log_.size(); --some) {
            const LogRecord& record = log_[instance.read_of_log++];
            instance.engine.apply(record.position, {{&record.tag, 1}, record.softness});
            instance.oracle.bind(moment_, record);
        }
    }

    void cross_gap(Instance& instance) {
        ++counts.gaps;
        if (mutant_ == Mutant::a_gap_is_overlooked)
            instance.engine.apply(log_.back().position, {});
        else
            instance.engine.raise_floor(log_.back().position);
        while (instance.read_of_log < log_.size()) instance.oracle.bind(moment_, log_[instance.read_of_log++]);
    }

    // --- requests

    void read(Instance& home, std::size_t key) {
        ++counts.reads;
        const Moment began = ++moment_;
        auto& place = home.memory[key];
        if (place) {
            const Validity verdict = validity(home, *place);
            if (verdict <= Validity::stale) return answer_from_memory(home, key, began, verdict == Validity::valid);
            ++counts.gone;
            if (home.oracle.allows(began, *place, false)) ++counts.gone_too_much;
            place.reset();
        }
        board(home, key, began);
    }

    Validity validity(Instance& home, Entry& entry) const {
        if (mutant_ == Mutant::hit_is_not_judged) return Validity::valid;
        const Sequence position = home.engine.fence();
        const bool unchanged = mutant_ == Mutant::fast_path_ignores_what_was_applied_ahead
                                   ? entry.validated == position
                                   : home.engine.nothing_after(entry.validated);
        if (unchanged) return Validity::valid;
        const auto verdict = home.engine.judge(entry.fence, entry.tags);
        if (verdict == Validity::valid) entry.validated = position;
        if (verdict == Validity::stale && mutant_ == Mutant::soft_mark_is_overlooked) return Validity::valid;
        return verdict;
    }

    void answer_from_memory(Instance& home, std::size_t key, Moment began, bool fresh) {
        ++(fresh ? counts.hits : counts.stale);
        check(home, began, *home.memory[key], fresh);
        if (!fresh && !home.flights[key]) start_flight(home, key, 0);
    }

    void board(Instance& home, std::size_t key, Moment began) {
        const TagHash known[] = {1, key_tag(key)};
        FlightRef& flight = home.flights[key];
        const bool may_join = flight && (mutant_ == Mutant::joins_any_flight ||
                                         home.engine.judge(flight->fence, known) == Validity::valid);
        if (!may_join) return start_flight(home, key, began);
        ++counts.joined;
        flight->followers.push_back(began);
    }

    void start_flight(Instance& home, std::size_t key, Moment leader) {
        home.flights[key] = std::make_shared<Flight>(Flight{home.engine.fence(), leader, {}});
        fill(home, key, home.flights[key]);
    }

    // --- fills: shared store, then origin

    void fill(Instance& home, std::size_t key, const FlightRef& flight) {
        ++counts.fills;
        const Sequence fence = flight->fence;
        const Moment began = moment_;
        later([this, &home, key, flight, fence, began] {
            const std::optional<Entry> found = shared_[key];
            later([this, &home, key, flight, fence, began, found] {
                if (found && may_use_shared(home, *found)) return take_shared(home, key, flight, *found);
                ask_origin(home, key, flight, fence, began);
            });
        });
    }

    bool may_use_shared(const Instance& home, const Entry& entry) const {
        return mutant_ == Mutant::shared_entry_is_not_judged ||
               home.engine.judge(entry.fence, entry.tags) == Validity::valid;
    }

    void take_shared(Instance& home, std::size_t key, const FlightRef& flight, const Entry& entry) {
        ++counts.shared;
        land(home, key, flight, entry);
        put(home.memory[key], entry);
    }

    void ask_origin(Instance& home, std::size_t key, const FlightRef& flight, Sequence fence, Moment began) {
        later([this, &home, key, flight, fence, began] {
            Entry entry = origin_response(key);
            entry.fence = fence;
            entry.began = began;
            later([this, &home, key, flight, entry] {
                put(home.memory[key], stamped(home, entry));
                land(home, key, flight, entry);
                later([this, &home, key, entry] { put(shared_[key], stamped(home, entry)); });
            });
        });
    }

    Entry stamped(const Instance& home, Entry entry) const {
        if (mutant_ == Mutant::stored_with_the_fence_of_the_moment) entry.fence = home.engine.fence();
        return entry;
    }

    void put(std::optional<Entry>& place, Entry entry) {
        if (place && place->fence > entry.fence) {
            if (mutant_ != Mutant::older_content_under_the_higher_fence) return;
            entry.fence = place->fence;
        }
        entry.validated = entry.fence;
        place = entry;
    }

    void land(Instance& home, std::size_t key, const FlightRef& flight, const Entry& entry) {
        if (home.flights[key] == flight) home.flights[key].reset();
        if (flight->leader != 0) check(home, flight->leader, entry, true);
        for (const Moment follower : flight->followers) {
            const bool may_use =
                mutant_ == Mutant::joins_any_flight || home.engine.judge(entry.fence, entry.tags) == Validity::valid;
            if (may_use)
                check(home, follower, entry, true);
            else
                fill(home, key, std::make_shared<Flight>(Flight{home.engine.fence(), follower, {}}));  // alone
        }
    }

    void check(const Instance& home, Moment request, const Entry& entry, bool fresh) {
        if (!violation.empty() || home.oracle.allows(request, entry, fresh)) return;
        violation = "read " + std::to_string(counts.reads) + " at " + std::to_string(now_) + " of key " +
                    std::to_string(entry.tags[1] - 1000) + ", version " + std::to_string(entry.version) +
                    ", whose fill began at moment " + std::to_string(entry.began) +
                    ", before an invalidation that bound it";
    }

    struct Due {
        Time when;
        Moment order;
        std::function<void()> what;
        bool operator<(const Due& other) const { return when != other.when ? when > other.when : order > other.order; }
    };

    std::mt19937_64 random_;
    Mutant mutant_;
    Time now_ = 0;
    Moment moment_ = 0;
    std::priority_queue<Due> due_;
    std::array<int, keys> versions_{};
    std::array<std::optional<Entry>, keys> shared_;
    std::vector<LogRecord> log_;
    std::array<Instance, instances> instances_;
};

std::uint64_t seed() {
    const char* text = std::getenv("ETAGE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

TEST(CoherenceAtRandom, NeverServesWhatTheOracleForbids) {
    std::printf("ETAGE_SEED=%llu\n", static_cast<unsigned long long>(seed()));
    Simulation simulation(seed());
    simulation.run(1'200'000);
    EXPECT_EQ(simulation.violation, "") << "ETAGE_SEED=" << seed();

    const Counts& c = simulation.counts;
    std::printf(
        "%llu reads: %llu hits, %llu stale, %llu joined, %llu fills (%llu from the shared store); %llu writes, %llu "
        "gaps, %llu marks forgotten; %llu entries gone, %llu of them too early\n",
        static_cast<unsigned long long>(c.reads), static_cast<unsigned long long>(c.hits),
        static_cast<unsigned long long>(c.stale), static_cast<unsigned long long>(c.joined),
        static_cast<unsigned long long>(c.fills), static_cast<unsigned long long>(c.shared),
        static_cast<unsigned long long>(c.writes), static_cast<unsigned long long>(c.gaps),
        static_cast<unsigned long long>(simulation.forgotten()), static_cast<unsigned long long>(c.gone),
        static_cast<unsigned long long>(c.gone_too_much));
    // It must have been a world worth testing.
    EXPECT_GT(c.hits, c.reads / 4);
    for (const auto some : {c.stale, c.joined, c.shared, c.writes, c.gone, simulation.forgotten()})
        EXPECT_GT(some, 1000U);
    EXPECT_GT(c.gaps, 10U);
}

TEST(CoherenceAtRandom, TheSameSeedIsTheSameWorld) {
    Simulation one(7);
    Simulation two(7);
    Simulation other(8);
    for (Simulation* simulation : {&one, &two, &other}) simulation->run(20'000);
    EXPECT_EQ(one.counts.hits, two.counts.hits);
    EXPECT_EQ(one.counts.fills, two.counts.fills);
    EXPECT_NE(one.counts.hits, other.counts.hits);
}

class PlantedBug : public testing::TestWithParam<int> {};

TEST_P(PlantedBug, IsCaught) {
    Simulation simulation(1, static_cast<Mutant>(GetParam()));
    simulation.run(1'200'000);
    EXPECT_NE(simulation.violation, "");
    std::printf("mutant %d: %s\n", GetParam(), simulation.violation.c_str());
}

INSTANTIATE_TEST_SUITE_P(Coherence, PlantedBug, testing::Range(1, mutants));

}  // namespace
}  // namespace etage::simulation
