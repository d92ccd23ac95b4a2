#pragma once
// Those who walk through the world of coherence_model.hpp beside the requests: background refresh, writers, readers of
// the log.

#include "coherence_model.hpp"

#include <algorithm>

namespace etage::simulation {

/// Behind the scenes: stale-while-revalidate or early refresh, with the stored validator.
class Refresher final : public Actor {
public:
    bool finished() const override { return next_ == 4; }

    std::string_view step(World& world) override {
        Instance& home = world.instances[0];
        switch (next_++) {
            case 0:
                if (!home.stored)
                    next_ = 4;
                else
                    entry_ = *home.stored;
                return "picks the entry to refresh";
            case 1:
                entry_.fence = home.engine.fence();
                entry_.after = world.begun;
                return "takes its fence";
            case 2: return ask(world);
            default: return keep(world, home);
        }
    }

    void describe(std::string& state) const override {
        simulation::describe(state, static_cast<std::uint64_t>(next_));
        if (!finished()) simulation::describe(state, entry_);
    }

private:
    std::string_view ask(World& world) {
        if (entry_.version == world.version) return "hears 304: the entry is freshened";
        entry_.version = world.version;
        entry_.tags = response_tags;
        return "hears 200: the entry is replaced";
    }

    std::string_view keep(World& world, Instance& home) {
        if (world.mutant == Mutant::refresh_stored_with_the_fence_of_the_moment) entry_.fence = home.engine.fence();
        world.put(home.stored, entry_);
        return "stores";
    }

    int next_ = 0;
    Response entry_;
};

/// Commits, invalidates, acknowledges. With a log elsewhere the invalidation has three steps of its own.
class Writer final : public Actor {
public:
    struct Manner {
        std::size_t id = 0;  // its bit
        TagHash tag = key_tag;
        Softness softness = Softness::hard;
        bool through_log = false;
        bool wait_all = false;  // acknowledged when every instance has applied it
    };

    Writer(Manner manner, Mutant mutant) : manner_(manner) {
        plan_ = manner.through_log ? std::vector{Do::commit, Do::ahead, Do::append, Do::ahead_at, Do::acknowledge}
                                   : std::vector{Do::commit, Do::invalidate, Do::acknowledge};
        const auto first_two_last = plan_.end() - 1;
        if (mutant == Mutant::invalidates_before_the_commit)
            std::rotate(plan_.begin(), plan_.begin() + 1, first_two_last);
        if (mutant == Mutant::acknowledges_before_invalidating)
            std::rotate(plan_.begin() + 1, first_two_last, plan_.end());
        if (mutant == Mutant::acknowledges_before_its_position_is_applied) std::erase(plan_, Do::ahead_at);
    }

    bool finished() const override { return next_ == plan_.size(); }

    bool ready(const World& world) const override {
        if (finished()) return false;
        if (plan_[next_] != Do::acknowledge || !manner_.wait_all) return true;
        if (world.mutant == Mutant::acknowledges_all_without_waiting) return true;
        for (const Instance& instance : world.instances)
            if (!instance.engine.caught_up(world.writes[manner_.id].position)) return false;
        return true;
    }

    std::string_view step(World& world) override {
        Instance& home = world.instances[0];
        const Tags tags{manner_.tag};
        const auto bit = Invalidations{1} << manner_.id;
        switch (plan_[next_++]) {
            case Do::commit:
                if (manner_.tag != other_tag) world.writes[manner_.id].version = ++world.version;
                return "commits";
            case Do::invalidate:
                world.begun |= bit;
                home.invalidate(tags, manner_.softness);
                return "invalidates";
            case Do::ahead:
                world.begun |= bit;
                home.apply_ahead(tags, manner_.softness);
                return "applies ahead";
            case Do::append:
                world.writes[manner_.id].position = world.append(tags, manner_.softness);
                return "appends to the log";
            case Do::ahead_at:
                home.apply_ahead(world.writes[manner_.id].position, tags, manner_.softness);
                return "applies at its position";
            case Do::acknowledge: break;
        }
        home.acknowledged |= bit;
        if (manner_.wait_all) world.acknowledged_everywhere |= bit;
        return "acknowledges";
    }

    void describe(std::string& state) const override { simulation::describe(state, next_); }

private:
    enum class Do : std::uint8_t { commit, invalidate, ahead, append, ahead_at, acknowledge };

    Manner manner_;
    std::vector<Do> plan_;
    std::size_t next_ = 0;
};

/// Invalidates so many other things that the table, which has one set here, forgets.
class Flooder final : public Actor {
public:
    bool finished() const override { return left_ == 0; }
    std::string_view step(World& world) override {
        Tags tags;
        for (TagHash i = 0; i < coherence::MarkTable::ways; ++i) tags.push_back(other_tag * left_ + i);
        --left_;
        world.instances[0].invalidate(tags, Softness::hard);
        return "invalidates eight other tags";
    }
    void describe(std::string& state) const override { simulation::describe(state, left_); }

private:
    std::uint64_t left_ = 2;
};

/// Reads the log for one instance, record by record, when it comes to it.
class Applier final : public Actor {
public:
    Applier(std::size_t instance, std::size_t records) : instance_(instance), records_(records) {}

    bool finished() const override { return next_ == records_; }
    bool ready(const World& world) const override { return !finished() && next_ < world.log.size(); }

    std::string_view step(World& world) override {
        const LogRecord& record = world.log[next_];
        Instance& home = world.instances[instance_];
        if (world.mutant == Mutant::position_moves_before_its_marks && !marks_owed_) {
            home.apply(record.position, {}, record.softness);
            marks_owed_ = true;
            return "moves its position";
        }
        ++next_;
        if (world.mutant == Mutant::a_record_is_lost && next_ == 1) return "loses a record";
        if (marks_owed_)
            home.apply_ahead(record.tags, record.softness);
        else
            home.apply(record.position, record.tags, record.softness);
        marks_owed_ = false;
        return "applies a record";
    }

    void describe(std::string& state) const override {
        simulation::describe(state, next_);
        simulation::describe(state, marks_owed_ ? 1 : 0);
    }

private:
    std::size_t instance_;
    std::size_t records_;
    std::size_t next_ = 0;
    bool marks_owed_ = false;
};

/// Comes back to a log whose old records have been trimmed away: it sees the newest position and nothing else.
class GapFinder final : public Actor {
public:
    GapFinder(std::size_t instance, std::size_t records) : instance_(instance), records_(records) {}

    bool finished() const override { return done_; }
    bool ready(const World& world) const override { return !done_ && world.log.size() == records_; }
    std::string_view step(World& world) override {
        Instance& home = world.instances[instance_];
        const Sequence newest = world.log.back().position;
        if (world.mutant == Mutant::a_gap_is_overlooked)
            home.apply(newest, {}, Softness::hard);
        else
            home.raise_floor(newest);
        done_ = true;
        return "finds a gap in the log";
    }
    void describe(std::string& state) const override { simulation::describe(state, done_ ? 1 : 0); }

private:
    std::size_t instance_;
    std::size_t records_;
    bool done_ = false;
};

}  // namespace etage::simulation
