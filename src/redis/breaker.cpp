#include "redis/breaker.hpp"

#include <algorithm>

namespace etage::redis {

namespace {

/// splitmix64.
std::uint64_t next_random(std::uint64_t& state) noexcept {
    std::uint64_t z = state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/// Between 75 % and 125 %: many instances that lost one server do not come back as one.
Duration jittered(Duration d, std::uint64_t random) noexcept {
    const auto quarter = d / 4;
    return d - quarter +
           Duration(static_cast<Duration::rep>(random >> 11) % std::max<Duration::rep>(2 * quarter.count(), 1));
}

}  // namespace

Breaker::Breaker(const Options& options, std::uint64_t seed)
    : options_(options), back_off_(options.retry_first), random_(seed) {}

bool Breaker::failed(Instant now) {
    const std::lock_guard lock(mutex_);
    const auto in_a_row = in_a_row_.load(std::memory_order_relaxed) + 1;
    in_a_row_.store(in_a_row, std::memory_order_relaxed);
    if (open_.load(std::memory_order_relaxed) || in_a_row < options_.failures_max) return false;
    schedule(now);
    open_.store(true, std::memory_order_release);
    return true;
}

void Breaker::recovered() noexcept {
    const std::lock_guard lock(mutex_);
    if (open_.load(std::memory_order_relaxed)) return;
    in_a_row_.store(0, std::memory_order_relaxed);
    back_off_ = options_.retry_first;
}

Instant Breaker::probe_due() const {
    const std::lock_guard lock(mutex_);
    return open_.load(std::memory_order_relaxed) ? probe_due_ : Instant::min();
}

bool Breaker::begin_probe(Instant now) {
    const std::lock_guard lock(mutex_);
    if (!open_.load(std::memory_order_relaxed) || now < probe_due_) return false;
    probe_due_ = now + options_.probe_time_max;
    return true;
}

void Breaker::end_probe(bool well, Instant now) {
    const std::lock_guard lock(mutex_);
    if (!open_.load(std::memory_order_relaxed)) return;
    if (!well) return schedule(now);
    // One more failure opens it again; a success forgives all.
    in_a_row_.store(options_.failures_max - 1, std::memory_order_relaxed);
    open_.store(false, std::memory_order_release);
}

void Breaker::schedule(Instant now) {
    probe_due_ = now + jittered(back_off_, next_random(random_));
    back_off_ = std::min(back_off_ * 2, options_.retry_max);
}

}  // namespace etage::redis
