#include "limit/adaptive.hpp"

#include <algorithm>
#include <cmath>

namespace etage::limit {

AdaptiveLimit::AdaptiveLimit(Options options) noexcept : options_(options) {
    options_.min = std::max<std::size_t>(options_.min, 1);
    options_.max = std::max(options_.max, options_.min);
    limit_ = static_cast<double>(std::clamp(options_.start, options_.min, options_.max));
}

std::size_t AdaptiveLimit::limit() const noexcept {
    const auto whole = static_cast<std::size_t>(limit_);
    return is_probing_ ? std::max(whole / 2, options_.min) : whole;
}

void AdaptiveLimit::sample(Duration latency, bool dropped, std::size_t in_flight, Instant now) noexcept {
    // What was sent before the probe began still fills the queue.
    if (is_probing_ && in_flight > limit()) return;
    if (dropped) {
        batch_.is_dropped = true;
    } else {
        batch_.latency += std::max(latency, Duration(1));
        batch_.in_flight += static_cast<double>(in_flight);
        batch_.in_flight_max = std::max(batch_.in_flight_max, in_flight);
    }
    if (++batch_.count < std::max(batch_min, limit())) return;
    finish(std::exchange(batch_, {}), now);
}

void AdaptiveLimit::finish(const Batch& batch, Instant now) noexcept {
    const auto count = static_cast<double>(batch.count);
    if (batch.is_dropped) {
        is_probing_ = false;
        limit_ = std::max(limit_ * 0.9, static_cast<double>(options_.min));
        return;
    }
    const Duration latency = batch.latency / static_cast<std::int64_t>(batch.count);
    const bool was_probing = is_probing_;
    learn_base(latency, now);
    const bool was_tested = batch.in_flight_max * 2 >= static_cast<std::size_t>(limit_);
    if (was_probing || is_probing_ || !was_tested) return;

    const double waiting =
        batch.in_flight / count * (1 - static_cast<double>(base_.count()) / static_cast<double>(latency.count()));
    const double few = std::sqrt(limit_);
    if (waiting < few)
        limit_ += few / 2;
    else if (waiting > 2 * few)
        limit_ -= few / 2;
    limit_ = std::clamp(limit_, static_cast<double>(options_.min), static_cast<double>(options_.max));
}

void AdaptiveLimit::learn_base(Duration latency, Instant now) noexcept {
    if (is_probing_ || base_ == Duration::zero() || latency < base_) {
        base_ = latency;
        base_ends_ = now + base_time;
        is_probing_ = false;
    } else if (now >= base_ends_) {
        is_probing_ = true;
    }
}

}  // namespace etage::limit
