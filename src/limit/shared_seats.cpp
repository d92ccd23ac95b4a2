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
    if (subject->in_flight < max && subject->is_asking) return {Answer::wait, {}, 0, subject->in_flight};
    if (subject->in_flight >= max || now < subject->ask_at) return {Answer::no, {}, 0, subject->in_flight};
    subject->is_asking = true;
    // Some more, where there are many: the next requests need not ask.
    const std::uint64_t more = std::exchange(subject->woken, 0) + subject->in_flight / 4;
    const std::uint64_t wanted = std::min(max, subject->in_flight + 1 + more);
    return {Answer::ask, {}, wanted, subject->in_flight};
}

/// The call under way has ended; who has waited for it is woken outside the lock.
template <class F>
Seat SharedSeats::end(std::uint64_t key, F&& settle) {
    Waiting waiting;
    Seat seat;
    {
        const std::lock_guard lock(mutex_);
        Subject* const subject = find(key);
        if (subject == nullptr) return {};
        subject->is_asking = false;
        subject->woken = subject->waiting.size();
        waiting.swap(subject->waiting);
        seat = settle(*subject);
    }
    for (auto& wake : waiting) wake();
    return seat;
}

void SharedSeats::wait(std::uint64_t key, std::move_only_function<void()> wake) {
    {
        const std::lock_guard lock(mutex_);
        Subject* const subject = find(key);
        if (subject != nullptr && subject->is_asking) {
            subject->waiting.push_back(std::move(wake));
            return;
        }
    }
    wake();
}

Seat SharedSeats::granted(std::uint64_t key, std::uint64_t held, Instant asked_at, Instant now) {
    return end(key, [&](Subject& subject) {
        subject.held = held;
        subject.lapses = asked_at + lapse_after;
        if (now < subject.lapses && subject.in_flight < held) return sit(key, subject);
        subject.ask_at = now + again_after;
        return Seat();
    });
}

void SharedSeats::confirmed(std::uint64_t key, std::uint64_t held, Instant asked_at) {
    end(key, [&](Subject& subject) {
        subject.held = held;
        subject.lapses = asked_at + lapse_after;
        return Seat();
    });
}

void SharedSeats::failed(std::uint64_t key) {
    end(key, [](Subject&) { return Seat(); });
}

Seat SharedSeats::enter_alone(std::uint64_t key, std::string_view name, std::uint64_t max, std::uint64_t instances,
                              Instant now) {
    const std::lock_guard lock(mutex_);
    Subject* const subject = find_or_add(key, name, max);
    if (subject == nullptr) return {};
    const std::uint64_t part = std::max<std::uint64_t>(max / std::max<std::uint64_t>(instances, 1), 1);
    const std::uint64_t held = now < subject->lapses ? subject->held : 0;
    if (subject->in_flight < std::min(max, std::max(part, held))) return sit(key, *subject);
    return {};
}

std::vector<SharedSeats::Held> SharedSeats::beat() {
    const std::lock_guard lock(mutex_);
    std::vector<Held> said;
    std::erase_if(subjects_, [](const auto& row) {
        const Subject& subject = row.second;
        return subject.in_flight == 0 && subject.peak == 0 && subject.held == 0 && !subject.is_asking;
    });
    for (auto& [key, subject] : subjects_) {
        if (subject.is_asking) continue;
        const std::uint64_t wanted = std::exchange(subject.peak, subject.in_flight);
        // Until it is confirmed nobody sits down in what is given up meanwhile.
        subject.held = std::min(subject.held, wanted);
        subject.is_asking = true;
        said.push_back({key, subject.name, {wanted, subject.in_flight, subject.max}});
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
}

}  // namespace etage::limit
