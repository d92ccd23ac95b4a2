#include "limit/shared_seats.hpp"

#include <algorithm>

namespace etage::limit {

SharedSeats::Subject* SharedSeats::find(std::uint64_t key) {
    const auto found = subjects_.find(key);
    return found == subjects_.end() ? nullptr : &found->second;
}

SharedSeats::Subject* SharedSeats::find_or_add(std::uint64_t key, std::string_view name, std::uint64_t max) {
    if (Subject* const subject = find(key)) {
        subject->max = max;
        return subject;
    }
    if (subjects_.size() >= subjects_max_) return nullptr;
    Subject& subject = subjects_[key];
    subject.name = name;
    subject.max = max;
    return &subject;
}

/// What is held must still be given up by a heartbeat.
void SharedSeats::forget_if_nothing(std::uint64_t key) noexcept {
    const auto found = subjects_.find(key);
    if (found == subjects_.end()) return;
    const Subject& subject = found->second;
    if (subject.in_flight == 0 && subject.held == 0 && !subject.is_asking) subjects_.erase(found);
}

Seat SharedSeats::sit(std::uint64_t key, Subject& subject) noexcept {
    subject.peak = std::max(subject.peak, ++subject.in_flight);
    return {*this, key};
}

SharedSeats::Entering SharedSeats::enter(std::uint64_t key, std::string_view name, std::uint64_t max, Instant now) {
    const std::lock_guard lock(mutex_);
    Subject* const subject = find_or_add(key, name, max);
    if (subject == nullptr) return {};
    if (now < subject->lapses && subject->in_flight < std::min(subject->held, max)) {
        Seat seat = sit(key, *subject);
        return {Answer::yes, std::move(seat), 0, subject->in_flight};
    }
    if (subject->in_flight >= max || subject->is_asking || now < subject->ask_at) {
        Entering no{Answer::no, {}, 0, subject->in_flight};
        forget_if_nothing(key);
        return no;
    }
    subject->is_asking = true;
    // Some more than one, where there are many: the next requests need not ask.
    const std::uint64_t wanted = std::min(max, subject->in_flight + 1 + subject->in_flight / 4);
    return {Answer::ask, {}, wanted, subject->in_flight};
}

Seat SharedSeats::granted(std::uint64_t key, std::uint64_t held, Instant asked_at, Instant now) {
    const std::lock_guard lock(mutex_);
    Subject* const subject = find(key);
    if (subject == nullptr) return {};
    subject->is_asking = false;
    subject->held = held;
    subject->lapses = asked_at + lapse_after;
    if (now < subject->lapses && subject->in_flight < held) return sit(key, *subject);
    subject->ask_at = now + again_after;
    forget_if_nothing(key);
    return {};
}

void SharedSeats::confirmed(std::uint64_t key, std::uint64_t held, Instant asked_at) {
    const std::lock_guard lock(mutex_);
    Subject* const subject = find(key);
    if (subject == nullptr) return;
    subject->is_asking = false;
    subject->held = held;
    subject->lapses = asked_at + lapse_after;
    forget_if_nothing(key);
}

void SharedSeats::failed(std::uint64_t key) noexcept {
    const std::lock_guard lock(mutex_);
    if (Subject* const subject = find(key)) subject->is_asking = false;
    forget_if_nothing(key);
}

Seat SharedSeats::enter_alone(std::uint64_t key, std::string_view name, std::uint64_t max, std::uint64_t instances,
                              Instant now) {
    const std::lock_guard lock(mutex_);
    Subject* const subject = find_or_add(key, name, max);
    if (subject == nullptr) return {};
    const std::uint64_t part = std::max<std::uint64_t>(max / std::max<std::uint64_t>(instances, 1), 1);
    const std::uint64_t held = now < subject->lapses ? subject->held : 0;
    if (subject->in_flight < std::min(max, std::max(part, held))) return sit(key, *subject);
    forget_if_nothing(key);
    return {};
}

std::vector<SharedSeats::Held> SharedSeats::beat() {
    const std::lock_guard lock(mutex_);
    std::vector<Held> said;
    for (auto& [key, subject] : subjects_) {
        if (subject.is_asking) continue;
        const std::uint64_t wanted = std::exchange(subject.peak, subject.in_flight);
        if (wanted == 0 && subject.held == 0) continue;
        // Until it is confirmed nobody sits down in what is given up meanwhile.
        subject.held = std::min(subject.held, wanted);
        subject.is_asking = true;
        said.push_back({key, subject.name, wanted, subject.max});
    }
    return said;
}

std::uint64_t SharedSeats::in_flight(std::uint64_t key) const {
    const std::lock_guard lock(mutex_);
    const auto found = subjects_.find(key);
    return found == subjects_.end() ? 0 : found->second.in_flight;
}

std::size_t SharedSeats::size() const {
    const std::lock_guard lock(mutex_);
    return subjects_.size();
}

void SharedSeats::leave(std::uint64_t key) noexcept {
    const std::lock_guard lock(mutex_);
    Subject* const subject = find(key);
    --subject->in_flight;
    forget_if_nothing(key);
}

}  // namespace etage::limit
