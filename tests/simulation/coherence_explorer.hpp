#pragma once
// Walks through every interleaving of the actors of a world.
//
// A schedule is a list of actors, run from scratch on a new world each time; what is real in it needs no copying and no
// hooks. Two schedules that lead to the same state (ghost state included) have the same futures, so each state is
// expanded once and the schedules through it are counted, not walked. That this counts right is itself tested against
// plain enumeration.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace etage::simulation {

using Schedule = std::vector<std::size_t>;

template <class World>
class Explorer {
public:
    using Mutant = decltype(World::mutant);
    enum class Memory : std::uint8_t { states, none };

    Explorer(void (*furnish)(World&), Mutant mutant, Memory memory = Memory::states)
        : furnish_(furnish), mutant_(mutant), memory_(memory) {
        schedules_ = explore();
    }

    std::uint64_t schedules() const { return schedules_; }  // counted up to the first violation
    std::size_t states() const { return seen_.size(); }
    const std::string& violation() const { return violation_; }
    /// The violating schedule, in words.
    const std::string& story() const { return story_; }

private:
    World replay(std::string* story = nullptr) const {
        World world;
        world.mutant = mutant_;
        furnish_(world);
        for (const std::size_t actor : schedule_) {
            const std::string_view what = world.step(actor);
            if (story != nullptr) *story += "    " + std::to_string(actor) + " " + std::string(what) + "\n";
        }
        return world;
    }

    /// The number of schedules that continue the present one to its end.
    std::uint64_t explore() {
        const World world = replay();
        if (!world.violation.empty()) return fail(world.violation);
        std::string state = memory_ == Memory::states ? world.state() : std::string();
        if (const auto known = seen_.find(state); memory_ == Memory::states && known != seen_.end())
            return known->second;

        std::uint64_t count = 0;
        bool end = true;
        for (std::size_t actor = 0; actor < world.actors.size() && violation_.empty(); ++actor) {
            if (!world.actors[actor]->ready(world)) continue;
            end = false;
            schedule_.push_back(actor);
            count += explore();
            schedule_.pop_back();
        }
        if (end) count = arrive(world);
        if (memory_ == Memory::states) seen_.emplace(std::move(state), count);
        return count;
    }

    std::uint64_t arrive(const World& world) {
        const bool all = std::ranges::all_of(world.actors, [](const auto& actor) { return actor->finished(); });
        // A mutant may leave someone waiting for ever; that is not what it is to be caught for.
        if (!all && mutant_ == Mutant::none) fail("somebody waits for ever");
        return 1;
    }

    std::uint64_t fail(std::string_view what) {
        violation_ = what;
        replay(&story_);
        return 1;
    }

    void (*furnish_)(World&);
    Mutant mutant_;
    Memory memory_;
    Schedule schedule_;
    std::unordered_map<std::string, std::uint64_t> seen_;
    std::uint64_t schedules_ = 0;
    std::string violation_;
    std::string story_;
};

}  // namespace etage::simulation
