#pragma once
// Requests in the world of coherence_histories_model.hpp, what happens to Redis, and who looks when all is quiet.

#include "coherence_histories_model.hpp"

namespace etage::simulation::histories {

inline bool sees(const World& world, const Instance& home) {
    return home.clear || (world.without(Mutant::the_lease_is_ignored) && !home.counts.empty());
}

/// Memory, Redis, the origin: and what was found is kept where it was not.
class Request final : public Actor {
public:
    struct Manner {
        std::size_t instance = 0;
        std::optional<std::size_t> token_of{};  // carries the token of this write
        std::optional<std::size_t> after{};     // begins when this write is acknowledged
        bool writes_behind = true;
    };
    explicit Request(Manner manner) : manner_(manner) {}

    /// What it is to follow may never be acknowledged.
    bool finished() const override {
        return at_ == At::done || (at_ == At::look && (manner_.token_of || manner_.after));
    }
    bool ready(const World& world) const override {
        if (at_ != At::look) return at_ != At::done;
        if (manner_.token_of) {
            const Sequence token = world.positions[*manner_.token_of];
            return token != 0 && world.instances[manner_.instance].engine.caught_up(token);
        }
        return !manner_.after || world.positions[*manner_.after] != 0;
    }

    std::string_view step(World& world) override {
        Instance& home = world.at(manner_.instance);
        switch (at_) {
            case At::look: return look(world, home);
            case At::fence:
                result_.fence = home.engine.fence();
                result_.after = world.begun;
                at_ = sees(world, home) && !home.counts.empty() ? At::ask : At::fetch;
                may_write_ = at_ == At::ask && manner_.writes_behind;
                return "takes its fence";
            case At::ask:
                found_ = world.primary().value;
                at_ = At::judge;
                return "asks Redis";
            case At::judge: return judge(world, home);
            case At::promote: return promote(world, home);
            case At::fetch:
                result_.version = world.version;
                at_ = At::keep;
                return "asks the origin";
            case At::keep:
                world.put(home.stored, result_);
                world.check(demand_, result_);
                at_ = may_write_ && !home.counts.empty() ? At::write : At::done;
                if (at_ == At::write) generation_ = home.counts;
                return "stores, answers";
            case At::write: return write(world);
            case At::done: break;
        }
        return "nothing";
    }

    void describe(std::string& state) const override {
        state += static_cast<char>('A' + static_cast<int>(at_));
        if (at_ == At::done || at_ == At::look) return;
        histories::describe(state, demand_);
        histories::describe(state, std::optional(result_));
        histories::describe(state, may_write_ ? 1 : 0);
        if (found_) state += found_->generation;
        histories::describe(state, found_ ? std::optional(found_->response) : std::nullopt);
        state += generation_;
    }

private:
    enum class At : std::uint8_t { look, fence, ask, judge, promote, fetch, keep, write, done };

    std::string_view look(World& world, Instance& home) {
        demand_ = home.acknowledged | world.acknowledged_everywhere;
        if (manner_.token_of) demand_ |= Invalidations{1} << *manner_.token_of;
        at_ = At::fence;
        if (!home.stored || !sees(world, home)) return "begins, finds nothing that counts";
        if (home.engine.judge(home.stored->fence, {&key_tag, 1}) != Validity::valid) return "begins, finds it gone";
        world.check(demand_, *home.stored);
        at_ = At::done;
        return "answers from memory";
    }

    std::string_view judge(World& world, Instance& home) {
        at_ = At::fetch;
        if (!found_) return "finds nothing in Redis";
        if (found_->generation != home.counts && !world.without(Mutant::values_of_any_history_count))
            return "finds a value of another history";
        if (home.engine.judge(found_->response.fence, {&key_tag, 1}) != Validity::valid &&
            !world.without(Mutant::what_redis_has_is_not_judged))
            return "finds in Redis what is gone";
        at_ = At::promote;
        return "finds a value in Redis";
    }

    std::string_view promote(World& world, Instance& home) {
        if (world.without(Mutant::promoted_with_the_fence_of_the_moment)) found_->response.fence = home.engine.fence();
        world.put(home.stored, found_->response);
        world.check(demand_, found_->response);
        at_ = At::done;
        return "answers from Redis";
    }

    std::string_view write(World& world) {
        auto& place = world.primary().value;
        std::optional<Response> there;
        if (place && place->generation == generation_) there = place->response;
        world.put(there, result_);
        place = Value{*there, generation_};
        at_ = At::done;
        return "writes to Redis";
    }

    Manner manner_;
    At at_ = At::look;
    Invalidations demand_ = 0;
    Response result_;
    bool may_write_ = false;
    std::optional<Value> found_;
    std::string generation_;
};

/// Happens once, at whatever moment.
class Event final : public Actor {
public:
    enum class Kind : std::uint8_t { flush_all, remove_log, trim, failover, cut, lapse, foreign_record };
    explicit Event(Kind kind, std::size_t instance = 0) : kind_(kind), instance_(instance) {}

    bool finished() const override { return done_; }
    std::string_view step(World& world) override {
        done_ = true;
        Server& server = world.primary();
        Instance& home = world.at(instance_);
        switch (kind_) {
            case Kind::flush_all: {
                Server empty;
                empty.identity = server.identity;
                empty.clock_ms = server.clock_ms;
                server = empty;
                return "FLUSHALL";
            }
            case Kind::remove_log: server.records.clear(), server.last = {}; return "the log is deleted";
            case Kind::trim:
                while (server.records.size() > 1) server.records.erase(server.records.begin());
                return "the log is trimmed";
            case Kind::failover:
                world.servers.push_back(world.replica);
                world.primary().identity = "s" + std::to_string(world.servers.size());
                for (Instance& each : world.instances) each.link = nowhere;
                return "a replica is promoted that has not got everything";
            case Kind::cut: home.link = nowhere; return "a connection is lost";
            case Kind::lapse:
                home.clear = false;
                ++home.lapses;
                server.live.erase(instance_);
                return "a lease lapses";
            case Kind::foreign_record: server.add(server.next_id(), other_tag); return "somebody else appends";
        }
        return "nothing";
    }
    void describe(std::string& state) const override { state += done_ ? '+' : '-'; }

private:
    Kind kind_;
    std::size_t instance_;
    bool done_ = false;
};

/// When nothing moves any more (INV-7): whatever anybody would serve is newer than all that was ever asked for.
class Judge final : public Actor {
public:
    bool finished() const override { return done_; }
    bool ready(const World& world) const override {
        return !done_ && std::ranges::none_of(world.actors, [&](const auto& actor) {
            return actor.get() != this && actor->ready(world);
        });
    }
    std::string_view step(World& world) override {
        done_ = true;
        for (const Instance& home : world.instances) {
            const auto would_serve = [&](const Response& response) {
                return home.engine.judge(response.fence, {&key_tag, 1}) == Validity::valid;
            };
            if (home.stored && would_serve(*home.stored)) world.check(world.begun, *home.stored);
            const auto& value = world.primary().value;
            const bool counts =
                value && (value->generation == home.counts || world.without(Mutant::values_of_any_history_count));
            if (counts && would_serve(value->response)) world.check(world.begun, value->response);
        }
        return "looks at what everybody has";
    }
    void describe(std::string& state) const override { state += done_ ? '+' : '-'; }

private:
    bool done_ = false;
};

}  // namespace etage::simulation::histories
