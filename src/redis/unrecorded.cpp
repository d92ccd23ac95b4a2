#include "redis/unrecorded.hpp"

#include <algorithm>

namespace etage::redis {

namespace {

using coherence::Softness;
using flow::Invalidation;
using flow::Target;

const Target everything{Target::Kind::everything, {}};

}  // namespace

bool Unrecorded::add(const Invalidation& invalidation) {
    bool had_room = true;
    for (const Target& target : invalidation.targets) had_room &= add(target, invalidation.softness);
    return had_room;
}

bool Unrecorded::add(const Target& target, Softness softness) {
    Targets& same = softness == Softness::hard ? hard_ : soft_;
    if (hard_.contains(everything) || same.contains(everything)) return true;
    if (target == everything) same.clear();
    // What is gone need not be stale as well.
    if (softness == Softness::hard) soft_.erase(target);
    if (softness == Softness::soft && hard_.contains(target)) return true;
    same.insert(target);
    if (same.size() <= targets_max_) return true;
    same.clear();
    same.insert(everything);
    return false;
}

std::vector<Invalidation> Unrecorded::all() const {
    std::vector<Invalidation> out;
    if (!hard_.empty()) out.push_back({{hard_.begin(), hard_.end()}, Softness::hard});
    if (!soft_.empty() && !hard_.contains(everything)) out.push_back({{soft_.begin(), soft_.end()}, Softness::soft});
    return out;
}

std::vector<Invalidation> Unrecorded::take() {
    auto out = all();
    hard_.clear();
    soft_.clear();
    return out;
}

void Timed::note(const Invalidation& invalidation, Instant when) {
    noted_.push_back({when, invalidation});
    targets_ += invalidation.targets.size();
    if (targets_ <= targets_max_) return;
    const bool hard = std::ranges::any_of(noted_, [](const Noted& n) { return n.what.softness == Softness::hard; });
    noted_.clear();
    noted_.push_back({when, {{everything}, hard ? Softness::hard : Softness::soft}});
    targets_ = 1;
}

void Timed::forget_before(Instant moment) {
    while (!noted_.empty() && noted_.front().when < moment) drop_first();
}

std::vector<Invalidation> Timed::all() const {
    std::vector<Invalidation> out;
    for (const Noted& noted : noted_) out.push_back(noted.what);
    return out;
}

std::vector<Invalidation> Timed::take_until(Instant moment) {
    std::vector<Invalidation> out;
    while (!noted_.empty() && noted_.front().when <= moment) {
        out.push_back(noted_.front().what);
        drop_first();
    }
    return out;
}

std::optional<Instant> Timed::first() const {
    return noted_.empty() ? std::nullopt : std::optional(noted_.front().when);
}

void Timed::drop_first() {
    targets_ -= noted_.front().what.targets.size();
    noted_.pop_front();
}

}  // namespace etage::redis
