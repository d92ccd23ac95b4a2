#include "redis/log_check.hpp"

#include <algorithm>

namespace etage::redis {

void SelfCheck::sample(Sequence position, std::span<const TagHash> tags, Instant now) {
    const std::lock_guard lock(mutex_);
    if (!is_fine_ || samples_.size() >= self_checks_max || (last_ && now < *last_ + self_check_every)) return;
    last_ = now;
    samples_.push_back({position, {tags.begin(), tags.end()}, now, 0});
}

SelfCheck::Outcome SelfCheck::look(Instant now) {
    Outcome outcome;
    for (Sample& sample : take_due(now)) {
        ++outcome.looked;
        if (!is_fine_(sample.position, sample.tags)) outcome.violated.push_back(sample.position);
        if (++sample.looks == after.size()) continue;
        const std::lock_guard lock(mutex_);
        samples_.push_back(std::move(sample));
    }
    return outcome;
}

std::optional<Instant> SelfCheck::due() const {
    const std::lock_guard lock(mutex_);
    const auto first = std::ranges::min_element(samples_, {}, &Sample::due);
    return first == samples_.end() ? std::nullopt : std::optional(first->due());
}

std::vector<SelfCheck::Sample> SelfCheck::take_due(Instant now) {
    const std::lock_guard lock(mutex_);
    const auto rest = std::ranges::partition(samples_, [&](const Sample& s) { return s.due() > now; });
    std::vector<Sample> taken(std::move_iterator(rest.begin()), std::move_iterator(rest.end()));
    samples_.erase(rest.begin(), rest.end());
    return taken;
}

}  // namespace etage::redis
