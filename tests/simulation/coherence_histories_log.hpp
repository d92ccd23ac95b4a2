#pragma once
// Those who read and write the log in the world of coherence_histories_model.hpp: as src/redis/log_reader.cpp,
// log_reading.cpp, log_appender.cpp and log_members.cpp.

#include "coherence_histories_model.hpp"

namespace etage::simulation::histories {

/// Reads the log for one instance, one record at a time, and takes up a new history when there is one.
class Follower final : public Actor {
public:
    explicit Follower(std::size_t instance) : instance_(instance) {}

    bool finished() const override { return true; }  // it waits for what may never come
    bool ready(const World& world) const override {
        const Instance& home = world.instances[instance_];
        if (at_ != At::read || home.link == nowhere) return true;
        const Server& server = world.servers[home.link];
        const auto said = server.live.find(instance_);
        return server.records.upper_bound(home.known.read) != server.records.end() ||
               server.generation != home.known.generation || !server.records.contains(home.known.read) || !home.clear ||
               home.counts != home.known.generation || said == server.live.end() ||
               said->second < coherence::position_of(home.known.read);
    }

    std::string_view step(World& world) override {
        Instance& home = world.at(instance_);
        if (home.link == nowhere) return connect(world, home);
        Server& server = world.servers[home.link];
        switch (at_) {
            case At::look: return look(home, server);
            case At::decide: return decide(world, home, server);
            case At::take_up: return take_up(world, home);
            case At::read: return read(world, home, server);
            case At::check: return check(home, server);
            case At::take: break;
        }
        return take(world, home);
    }

    void describe(std::string& state) const override {
        state += static_cast<char>('A' + static_cast<int>(at_));
        if (at_ == At::look) return;
        state += seen_.generation;
        histories::describe(state, seen_.last);
        histories::describe(state, seen_.has_read ? 1 : 0);
        histories::describe(state, static_cast<std::uint64_t>(lapses_));
        if (at_ < At::check) return;
        for (const auto& [id, tag] : batch_) histories::describe(state, id), histories::describe(state, tag);
    }

private:
    enum class At : std::uint8_t { look, decide, take_up, read, check, take };

    std::string_view connect(const World& world, Instance& home) {
        home.link = world.servers.size() - 1;
        at_ = At::look;
        return "connects";
    }

    std::string_view look(const Instance& home, const Server& server) {
        seen_ = server.seen(home.known.read);
        own_ = coherence::id_of(home.newest);
        at_ = At::decide;
        return "looks at what is there";
    }

    /// What a script does is done by whoever is there first: then the look was at something else.
    std::string_view decide(World& world, const Instance& home, Server& server) {
        auto known = home.known;
        known.own = own_;
        if (world.without(Mutant::another_server_is_taken_for_the_same)) {
            const auto parsed = coherence::Generation::parse(seen_.generation);
            if (parsed) seen_.identity = parsed->identity;
        }
        next_ = coherence::continue_log(known, seen_);
        if (next_.step == Step::replay || next_.step == Step::gap || next_.step == Step::cold) {
            at_ = At::take_up;
            return "knows how it goes on";
        }
        at_ = At::look;
        if (next_.step == Step::step) return server.add(next_.id, 0), "appends a step";
        if (server.generation != seen_.generation || !server.add(next_.id, 0)) return "finds that another was faster";
        server.generation = coherence::Generation::text("g" + std::to_string(++world.names), server.identity,
                                                        server.clock_ms, next_.id);
        return "begins a new history";
    }

    std::string_view take_up(World& world, Instance& home) {
        const bool changed = !home.known.generation.empty() && home.known.generation != seen_.generation;
        const bool is_gap = next_.step == Step::gap;
        const bool is_overlooked = (is_gap && !changed && world.without(Mutant::a_gap_is_overlooked)) ||
                                   (changed && world.without(Mutant::a_new_history_is_no_floor));
        home.known.read = is_gap ? seen_.last : next_.id;
        home.known.generation = seen_.generation;
        if (changed) home.counts.clear();
        const Sequence position = coherence::position_of(home.known.read);
        is_overlooked ? home.apply(position, 0) : home.raise_floor(position);
        home.appends_to = seen_.generation;
        if (changed && !world.without(Mutant::a_lost_tail_is_not_appended_again)) home.queued |= home.recent;
        if (!world.without(Mutant::what_is_queued_does_not_hold)) home.hold();
        if (world.without(Mutant::values_count_before_the_log_is_read)) {
            home.counts = seen_.generation;
            home.clear = true;
        }
        at_ = At::read;
        return "takes the history up";
    }

    /// With the beat goes what has been applied.
    std::string_view read(const World& world, const Instance& home, Server& server) {
        StreamId applied = home.known.read;
        const auto next = server.records.upper_bound(home.known.read);
        batch_.clear();
        if (next != server.records.end()) batch_.push_back(*next);
        if (world.without(Mutant::says_it_has_applied_before_it_has) && !batch_.empty()) applied = next->first;
        server.live[instance_] = coherence::position_of(applied);
        lapses_ = home.lapses;
        at_ = At::check;
        return batch_.empty() ? "hears that there is nothing new" : "hears a record";
    }

    std::string_view check(const Instance& home, const Server& server) {
        seen_.generation = server.generation;
        seen_.has_read = server.records.contains(home.known.read);
        at_ = At::take;
        return "asks whether it was the next one";
    }

    std::string_view take(const World& world, Instance& home) {
        at_ = At::read;
        if (!coherence::is_next_batch(home.known, seen_.generation, seen_.has_read) &&
            !world.without(Mutant::a_batch_is_not_checked)) {
            home.link = nowhere;
            return "drops what it heard, and the connection";
        }
        if (batch_.empty()) {
            if (lapses_ != home.lapses) return "hears too late that there is nothing new";
            home.clear = true;
            home.counts = home.known.generation;
            return "sees";
        }
        const auto& [id, tag] = batch_.front();
        home.apply(coherence::position_of(id), tag);
        home.known.read = id;
        if (!world.without(Mutant::what_is_queued_does_not_hold)) home.hold();
        return "applies a record";
    }

    using Step = Continuity::Step;

    std::size_t instance_;
    At at_ = At::look;
    coherence::SeenLog seen_;
    StreamId own_;
    Continuity next_;
    std::vector<std::pair<StreamId, TagHash>> batch_;
    int lapses_ = 0;
};

/// What became of an append.
struct Append {
    std::string history;
    Sequence before = 0;
    Sequence position = 0;  // 0: refused

    void send(const Instance& home, Server& server) {
        history = home.appends_to;
        before = std::max(home.newest, home.engine.fence());
        position = 0;
        if (history.empty() || !server.keeps(history) || server.last == StreamId{}) return;
        const StreamId id = server.next_id();
        server.add(id, key_tag);
        position = coherence::position_of(id);
    }
    bool is_recorded() const { return position > before; }
    bool is_late(const World& world, const Instance& home) const {
        return home.appends_to != history && !world.without(Mutant::a_late_answer_is_taken_for_recorded);
    }
};

/// Commits, invalidates through its instance, acknowledges.
class Writer final : public Actor {
public:
    struct Manner {
        std::size_t id = 0;
        std::size_t instance = 0;
        bool loses_reply = false;
        bool wait_all = false;
        bool to_deposed = false;  // its client still has the first server, whoever is the primary by now
    };
    explicit Writer(Manner manner) : manner_(manner) {}

    bool finished() const override { return at_ == At::done; }
    bool ready(const World& world) const override {
        if (at_ != At::census) return !finished();
        return all_have(world) || is_given_up(world);
    }

    std::string_view step(World& world) override {
        Instance& home = world.at(manner_.instance);
        switch (at_) {
            case At::commit: world.versions[manner_.id] = ++world.version; return at_ = At::ahead, "commits";
            case At::ahead:
                world.begun |= bit();
                home.apply_ahead(key_tag);
                return at_ = At::send, "applies ahead";
            case At::send:
                append_.send(home, manner_.to_deposed ? world.servers.front() : world.primary());
                return at_ = At::answer, "appends";
            case At::answer: return hear(world, home);
            case At::census:
                at_ = At::done;
                if (!all_have(world)) return "gives up waiting for all";
                world.acknowledged_everywhere |= bit();
                return "acknowledges for all";
            case At::done: break;
        }
        return "nothing";
    }

    void describe(std::string& state) const override {
        state += static_cast<char>('A' + static_cast<int>(at_));
        if (at_ < At::answer || at_ == At::done) return;
        state += append_.history;
        histories::describe(state, append_.position);
        histories::describe(state, append_.before);
    }

private:
    enum class At : std::uint8_t { commit, ahead, send, answer, census, done };
    Invalidations bit() const { return Invalidations{1} << manner_.id; }

    std::string_view hear(World& world, Instance& home) {
        at_ = At::done;
        if (manner_.loses_reply || !append_.is_recorded()) {
            if (world.without(Mutant::what_was_not_recorded_is_dropped)) return "is refused";
            home.queued |= bit();
            home.apply_ahead(key_tag);
            return "is refused, and queued";
        }
        if (!world.without(Mutant::acknowledged_before_its_position_is_applied))
            home.apply_ahead(append_.position, key_tag);
        home.newest = std::max(home.newest, append_.position);
        home.recent |= bit();
        if (append_.is_late(world, home)) {
            home.queued |= bit();
            if (!world.without(Mutant::a_late_answer_is_not_marked_again)) home.apply_ahead(key_tag);
        }
        home.acknowledged |= bit();
        world.positions[manner_.id] = append_.position;
        if (manner_.wait_all) at_ = At::census;
        return "acknowledges";
    }

    /// Who sees has said so within a lease: to this server, or to one before it. A young history has not heard of all.
    bool all_have(const World& world) const {
        if (world.without(Mutant::acknowledges_all_without_waiting)) return true;
        const Server& server = world.primary();
        if (!server.keeps(append_.history)) return false;
        for (std::size_t i = 0; i < world.instances.size(); ++i) {
            const auto said = server.live.find(i);
            const bool is_heard_of = said != server.live.end();
            const bool may_see = world.instances[i].clear && !world.without(Mutant::a_young_census_is_believed);
            if ((is_heard_of || may_see) && (!is_heard_of || said->second < append_.position)) return false;
        }
        return true;
    }
    bool is_given_up(const World& world) const { return !world.primary().keeps(append_.history); }

    Manner manner_;
    At at_ = At::commit;
    Append append_;
};

/// Appends what is queued, until it is in the log.
class Flusher final : public Actor {
public:
    explicit Flusher(std::size_t instance) : instance_(instance) {}

    bool finished() const override { return true; }
    bool ready(const World& world) const override {
        const Instance& home = world.instances[instance_];
        return is_sent_ || (home.queued != 0 && !home.appends_to.empty() && home.appends_to != refused_);
    }
    std::string_view step(World& world) override {
        Instance& home = world.at(instance_);
        if (!is_sent_) {
            append_.send(home, world.primary());
            is_sent_ = true;
            what_ = home.queued;
            return "appends what was queued";
        }
        is_sent_ = false;
        if (!append_.is_recorded()) return refused_ = append_.history, "is refused again";
        home.apply_ahead(append_.position, key_tag);
        home.newest = std::max(home.newest, append_.position);
        home.recent |= what_;
        if (append_.is_late(world, home)) return "is too late, and stays queued";
        home.queued &= ~what_;
        return "is recorded";
    }
    void describe(std::string& state) const override {
        ((state += refused_) += is_sent_ ? '+' : '-') += is_sent_ ? append_.history : "";
        histories::describe(state, is_sent_ ? append_.position + 1 : 0);
        histories::describe(state, is_sent_ ? append_.before + 1 : 0);
        histories::describe(state, is_sent_ ? what_ : 0);
    }

private:
    std::size_t instance_;
    bool is_sent_ = false;
    Invalidations what_ = 0;
    std::string refused_;
    Append append_;
};

}  // namespace etage::simulation::histories
