#include "limit/adaptive.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace etage::limit {

namespace {

/// A queue of so much of what is in flight is no queue: latency is known no better.
constexpr double few_of_all = 0.1;

/// Less than this part of the base is no chance.
constexpr double faster = 0.7;

constexpr int probe_batches = 2;
constexpr std::size_t drops_of_a_batch = 16;  // it ends early

}  // namespace

AdaptiveLimit::AdaptiveLimit(Options options) noexcept : options_(options) {
    options_.min = std::max<std::size_t>(options_.min, 1);
    options_.max = std::max(options_.max, options_.min);
    limit_ = static_cast<double>(std::clamp(options_.start, options_.min, options_.max));
}

std::size_t AdaptiveLimit::limit() const noexcept {
    const auto whole = static_cast<std::size_t>(limit_);
    return is_probing() ? std::max(whole / 2, options_.min) : whole;
}

void AdaptiveLimit::sample(Duration latency, bool dropped, std::size_t in_flight, Instant now) noexcept {
    // What was sent before the probe began still fills the queue.
    if (is_probing() && in_flight > limit()) return;
    if (dropped) {
        ++batch_.drops;
    } else {
        ++batch_.answers;
        batch_.latency += std::max(latency, Duration(1));
        batch_.in_flight += static_cast<double>(in_flight);
        batch_.most_in_flight = std::max(batch_.most_in_flight, in_flight);
    }
    if (batch_.drops < drops_of_a_batch && batch_.answers + batch_.drops < std::max(batch_min, limit())) return;
    finish(std::exchange(batch_, {}), now);
}

void AdaptiveLimit::finish(const Batch& batch, Instant now) noexcept {
    const auto answers = static_cast<double>(batch.answers);
    const double dropped = static_cast<double>(batch.drops) / (answers + static_cast<double>(batch.drops));
    set(limit_ * (1 - std::min(dropped, 0.5)));
    if (dropped > 0.1) {
        probes_left_ = 0;  // what a broken origin answers is no base
        return;
    }
    if (std::exchange(is_first_, false)) return;  // who answers first is who answers fast
    const bool was_probing = is_probing();
    const bool was_full = batch.most_in_flight >= static_cast<std::size_t>(limit_);
    learn(static_cast<double>(batch.latency.count()) / answers, was_full, now);
    const bool was_tested = batch.most_in_flight * 2 >= static_cast<std::size_t>(limit_);
    if (was_probing || is_probing() || !was_tested) return;

    const double waiting = batch.in_flight / answers * (1 - base_ / smoothed_);
    const double few = std::max(std::sqrt(limit_) / 2, limit_ * few_of_all);
    if (waiting < few) set(limit_ + std::sqrt(limit_) / 2);
    if (waiting > 2 * few) set(limit_ - std::sqrt(limit_) / 2);
}

void AdaptiveLimit::set(double limit) noexcept {
    limit_ = std::clamp(limit, static_cast<double>(options_.min), static_cast<double>(options_.max));
}

void AdaptiveLimit::learn(double latency, bool was_full, Instant now) noexcept {
    if (is_probing()) {
        probed_ += latency;
        if (--probes_left_ == 0) set_base(probed_ / probe_batches, now + base_time);
        return;
    }
    smoothed_ = smoothed_ == 0 ? latency : smoothed_ + (latency - smoothed_) / 4;
    if (smoothed_ < base_ * faster || base_ == 0) set_base(smoothed_, now + base_time / 10);
    if (now < base_ends_) return;
    // Without the limit there would be no other latency.
    if (!was_full && smoothed_ < base_ / faster) return set_base(smoothed_, now + base_time);
    probes_left_ = probe_batches;
    probed_ = 0;
}

/// What is near the base of before is the same, measured once more.
void AdaptiveLimit::set_base(double latency, Instant until) noexcept {
    const bool is_near = latency > base_ * faster && latency * faster < base_;
    base_ = is_near ? (base_ + latency) / 2 : latency;
    base_ends_ = until;
}

}  // namespace etage::limit
