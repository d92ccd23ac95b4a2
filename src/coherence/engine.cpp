#include "coherence/engine.hpp"

#include <algorithm>

namespace etage::coherence {

Engine::Engine(Sequence start, std::size_t marks_max, std::uint64_t secret)
    : applied_(start), newest_(start), floor_(start), marks_(marks_max, secret) {}

Validity Engine::judge(Sequence fence, std::span<const TagHash> tags) const noexcept {
    if (nothing_after(fence)) return Validity::valid;
    auto verdict = fence < floor() ? Validity::unsure : Validity::valid;
    for (const TagHash tag : tags) {
        if (!marks_.maybe_newer(fence, tag)) continue;
        const Mark mark = marks_.find(tag);
        if (fence < mark.hard) return Validity::gone;
        if (fence < mark.soft) verdict = std::max(verdict, Validity::stale);
    }
    return verdict;
}

Sequence Engine::invalidate(const Record& record) {
    const std::lock_guard lock(writers_);
    const Sequence position = applied_.load(std::memory_order_relaxed) + 1;
    publish(position, record);
    applied_.store(position, std::memory_order_release);
    return position;
}

void Engine::apply(Sequence position, const Record& record) {
    const std::lock_guard lock(writers_);
    if (position <= applied_.load(std::memory_order_relaxed)) return;
    publish(position, record);
    applied_.store(position, std::memory_order_release);
}

void Engine::apply_ahead(const Record& record) {
    const std::lock_guard lock(writers_);
    publish(applied_.load(std::memory_order_relaxed) + 1, record);
}

void Engine::apply_ahead(Sequence position, const Record& record) {
    const std::lock_guard lock(writers_);
    if (position > applied_.load(std::memory_order_relaxed)) publish(position, record);
}

void Engine::raise_floor(Sequence position) {
    const std::lock_guard lock(writers_);
    if (position <= applied_.load(std::memory_order_relaxed)) return;
    floor_.store(position, std::memory_order_release);
    cover(position);
    applied_.store(position, std::memory_order_release);
}

void Engine::publish(Sequence position, const Record& record) noexcept {
    const bool hard = record.softness == Softness::hard;
    for (const TagHash tag : record.tags) marks_.mark(tag, hard ? Mark{position, 0} : Mark{0, position});
    cover(position);
}

/// After the marks and before applied_: whoever has seen applied_ move finds newest_ at least as far.
void Engine::cover(Sequence position) noexcept {
    if (position > newest_.load(std::memory_order_relaxed)) newest_.store(position, std::memory_order_release);
}

}  // namespace etage::coherence
