#pragma once
// The walk of one request through the world of coherence_model.hpp, step by step: hit, join or fill (DESIGN §2 and §4).
// One step = one thing that cannot be divided in a real process either: a load of the fence, a look into a store, the
// moment at which the origin reads its database, a put.

#include "coherence_model.hpp"

namespace etage::simulation {

/// A request: hit, join or fill.
class Reader final : public Actor {
public:
    struct Manner {
        std::size_t instance = 0;
        std::optional<std::size_t> token_of{};  // carries the token of this write and waits for it (rule 6)
        bool hit_only = false;                  // goes away on a miss: to look into the store at some moment
    };
    explicit Reader(Manner manner) : manner_(manner) {}

    bool finished() const override { return at_ == At::done; }
    bool ready(const World& world) const override {
        if (at_ == At::look && manner_.token_of) return may_begin(world);
        if (at_ == At::follow) return world.flights[*flight_].landed;
        return !finished();
    }

    std::string_view step(World& world) override {
        Instance& home = world.instances[manner_.instance];
        switch (at_) {
            case At::look: return look(world, home);
            case At::judge: return judge_found(world, home);
            case At::fence: return take_fence(world, home);
            case At::board: return board(world, home);
            case At::ask_shared: return ask_shared(world);
            case At::judge_shared: return judge_shared(world, home);
            case At::promote: return promote(world, home);
            case At::fetch: return fetch(world);
            case At::late_fence: return take_fence_late(home);
            case At::keep: return keep(world, home);
            case At::keep_shared: return keep_shared(world);
            case At::land: return land(world, home);
            case At::follow: return follow(world, home);
            case At::done: break;
        }
        return "nothing";
    }

    void describe(std::string& state) const override {
        using simulation::describe;
        state += static_cast<char>('A' + static_cast<int>(at_));
        if (finished()) return;
        describe(state, demand_.acknowledged);
        describe(state, found_);
        describe(state, result_);
        describe(state, fence_);
        describe(state, after_);
        describe(state, flight_ ? *flight_ + 1 : 0);
        describe(state, alone_ ? 1 : 0);
    }

private:
    enum class At : std::uint8_t {
        look,
        judge,
        fence,
        board,
        ask_shared,
        judge_shared,
        promote,
        fetch,
        late_fence,
        keep,
        keep_shared,
        land,
        follow,
        done
    };

    bool may_begin(const World& world) const {
        const auto bit = Invalidations{1} << *manner_.token_of;
        const bool acknowledged = (world.instances[0].acknowledged & bit) != 0;  // tokens come from instance 0
        if (!acknowledged || world.mutant == Mutant::token_is_ignored) return acknowledged;
        return world.instances[manner_.instance].engine.caught_up(world.writes[*manner_.token_of].position);
    }

    std::string_view look(World& world, Instance& home) {
        demand_ = world.demand(home, manner_.token_of ? Invalidations{1} << *manner_.token_of : 0);
        found_ = home.stored;
        at_ = found_ ? At::judge : manner_.hit_only ? At::done : At::fence;
        return "begins, looks into memory";
    }

    /// As the walk does it: position, fast path, judge, note.
    static Validity validity(const World& world, Instance& home, const Response& entry) {
        const Sequence position = home.engine.fence();
        const bool unchanged = world.mutant == Mutant::fast_path_ignores_what_was_applied_ahead
                                   ? entry.validated == position
                                   : home.engine.nothing_after(entry.validated);
        if (unchanged || world.mutant == Mutant::hit_is_not_judged) return Validity::valid;
        auto verdict = home.engine.judge(entry.fence, entry.tags);
        if (verdict == Validity::stale && world.mutant == Mutant::soft_mark_is_overlooked) verdict = Validity::valid;
        if (verdict == Validity::gone && world.mutant == Mutant::gone_is_served_as_stale) verdict = Validity::stale;
        const bool still_there = home.stored && home.stored->fence == entry.fence && home.stored->after == entry.after;
        if (verdict == Validity::valid && still_there) home.stored->validated = position;
        return verdict;
    }

    std::string_view judge_found(World& world, Instance& home) {
        const Validity verdict = validity(world, home, *found_);
        if (verdict > Validity::stale) {
            at_ = manner_.hit_only ? At::done : At::fence;  // kept: its validator goes with the request (304)
            return "finds it gone";
        }
        world.check(demand_, *found_, verdict == Validity::valid);
        if (verdict == Validity::stale && world.mutant == Mutant::stale_is_freshened_without_asking) {
            found_->fence = home.engine.fence();
            world.put(home.stored, *found_);
        }
        at_ = At::done;
        return verdict == Validity::valid ? "answers from memory" : "answers stale";
    }

    std::string_view take_fence(World& world, Instance& home) {
        fence_ = home.engine.fence();
        after_ = world.begun;
        at_ = !alone_ ? At::board : world.has_shared_store ? At::ask_shared : At::fetch;
        return "takes its fence";
    }

    std::string_view board(World& world, Instance& home) {
        if (home.flight) {
            const Sequence fence = world.flights[*home.flight].fence;
            if (world.mutant == Mutant::joins_any_flight || home.engine.judge(fence, request_tags) == Validity::valid) {
                flight_ = home.flight;
                at_ = At::follow;
                return "joins the flight";
            }
        }
        flight_ = home.flight = world.flights.size();
        world.flights.push_back({fence_, false, {}});
        at_ = world.has_shared_store ? At::ask_shared : At::fetch;
        return "starts a flight";
    }

    std::string_view ask_shared(World& world) {
        result_ = world.shared;
        at_ = result_ ? At::judge_shared : At::fetch;
        return "asks the shared store";
    }

    std::string_view judge_shared(World& world, Instance& home) {
        const bool valid = home.engine.judge(result_->fence, result_->tags) == Validity::valid;
        if (valid || world.mutant == Mutant::shared_entry_is_not_judged) {
            at_ = At::promote;
            return "takes what was shared";
        }
        result_.reset();
        at_ = At::fetch;
        return "refuses what was shared";
    }

    /// Under the entry's own fence, not fence_: the fill began when that other instance began it.
    std::string_view promote(World& world, Instance& home) {
        if (world.mutant == Mutant::promoted_with_the_fence_of_the_moment) result_->fence = home.engine.fence();
        world.put(home.stored, *result_);
        at_ = At::land;
        return "stores what was shared";
    }

    /// The origin compares validators by version; a 304 says that what was found is what it has now.
    std::string_view fetch(World& world) {
        const bool not_modified = found_ && found_->version == world.version;
        result_ = Response{fence_, world.version, response_tags, 0, after_};
        if (world.mutant == Mutant::entry_ignores_learned_tags) result_->tags = request_tags;
        at_ = world.mutant == Mutant::fence_taken_after_the_origin_was_read ? At::late_fence : At::keep;
        return not_modified ? "hears 304 from the origin" : "hears 200 from the origin";
    }

    std::string_view take_fence_late(Instance& home) {
        result_->fence = home.engine.fence();
        at_ = At::keep;
        return "takes its fence, too late";
    }

    std::string_view keep(World& world, Instance& home) {
        if (world.mutant == Mutant::stored_with_the_fence_of_the_moment) result_->fence = home.engine.fence();
        world.put(home.stored, *result_);
        at_ = world.has_shared_store ? At::keep_shared : At::land;
        return "stores";
    }

    std::string_view keep_shared(World& world) {
        world.put(world.shared, *result_);
        at_ = At::land;
        return "stores in the shared store";
    }

    std::string_view land(World& world, Instance& home) {
        world.check(demand_, *result_, true);
        at_ = At::done;
        if (!flight_) return "answers alone";
        world.flights[*flight_].landed = true;
        world.flights[*flight_].outcome = *result_;
        if (home.flight == flight_) home.flight.reset();
        return "lands, answers";
    }

    std::string_view follow(World& world, Instance& home) {
        const Response& outcome = world.flights[*flight_].outcome;
        const bool unjudged =
            world.mutant == Mutant::joins_any_flight || world.mutant == Mutant::follower_ignores_learned_tags;
        if (unjudged || home.engine.judge(outcome.fence, outcome.tags) == Validity::valid) {
            world.check(demand_, outcome, true);
            at_ = At::done;
            return "answers with what landed";
        }
        flight_.reset();
        alone_ = true;
        at_ = At::fence;
        return "refuses what landed";
    }

    Manner manner_;
    At at_ = At::look;
    Demand demand_;
    std::optional<Response> found_;
    std::optional<Response> result_;
    Sequence fence_ = 0;
    Invalidations after_ = 0;
    std::optional<std::size_t> flight_;
    bool alone_ = false;
};

}  // namespace etage::simulation
