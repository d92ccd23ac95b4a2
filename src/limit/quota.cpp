#include "limit/quota.hpp"

#include <algorithm>
#include <limits>

namespace etage::limit {

namespace {

/// No span in here is longer, so that the sum of three of them and the age of the process still fit into 64 bits.
constexpr std::int64_t span_max = INT64_MAX / 4;

__extension__ typedef unsigned __int128 Wide;  // of a count and a span

std::int64_t span_of(std::uint64_t tokens, std::int64_t emission) noexcept {
    std::int64_t span = 0;
    return __builtin_mul_overflow(tokens, emission, &span) ? span_max : std::min(span, span_max);
}

Decision take_bucket(const Quota& quota, State& state, Instant now, std::uint64_t cost) noexcept {
    const std::int64_t emission = quota.emission().count();
    const std::int64_t full = span_of(quota.burst, emission);
    const std::int64_t used = std::max((state.idle_at - now).count(), std::int64_t{0});
    const std::int64_t wanted = used + span_of(std::max<std::uint64_t>(cost, 1), emission);

    Decision decision;
    decision.allowed = wanted <= full && cost <= quota.burst;
    const std::int64_t left_used = decision.allowed && cost > 0 ? wanted : used;
    if (!decision.allowed)
        decision.retry_after = cost <= quota.burst ? Duration(wanted - full) : Duration::max();
    else if (cost > 0)
        state.idle_at = now + Duration(wanted);
    decision.remaining = static_cast<std::uint64_t>(std::max(full - left_used, std::int64_t{0}) / emission);
    decision.reset_after = Duration(left_used);
    return decision;
}

// --- Windows

/// The windows of a state, as they are seen now.
struct Windows {
    std::int64_t length;  // above 0
    Instant end;          // of the one that runs
    std::uint64_t current;
    std::uint64_t previous;

    bool is_unused() const noexcept { return current == 0 && previous == 0; }
    /// How much of the previous window one that slides still covers.
    std::int64_t covered(Instant now) const noexcept {
        return std::clamp((end - now).count(), std::int64_t{0}, length);
    }

    bool has_room(std::uint64_t quota, Instant now, std::uint64_t cost) const noexcept {
        if (cost > quota || current > quota - cost) return false;
        return Wide{previous} * static_cast<Wide>(covered(now)) <=
               Wide{quota - cost - current} * static_cast<Wide>(length);
    }

    std::uint64_t remaining(std::uint64_t quota, Instant now) const noexcept {
        if (current >= quota) return 0;
        const Wide left = Wide{quota - current} * static_cast<Wide>(length);
        const Wide weighs = Wide{previous} * static_cast<Wide>(covered(now));
        return weighs >= left ? 0 : static_cast<std::uint64_t>((left - weighs) / static_cast<Wide>(length));
    }
};

std::int64_t length_of(const Quota& quota) noexcept { return std::min(quota.window.count(), span_max); }

/// How long a state is of use after its window has ended.
Duration tail_of(const Quota& quota) noexcept {
    return quota.algorithm == Algorithm::sliding_window ? Duration(length_of(quota)) : Duration::zero();
}

/// Where the running window ends. By the calendar; but once a window has ended at `last`, the next ones follow it, as
/// long as the calendar does not contradict by more than its own precision.
Instant running_end(const Quota& quota, Instant last, Now now) noexcept {
    constexpr std::int64_t precision = Duration(std::chrono::seconds(1)).count();
    const std::int64_t length = length_of(quota);
    const std::int64_t wall = std::max(Duration(now.wall.time_since_epoch()).count(), std::int64_t{0});
    const Instant by_calendar = now.mono + Duration(length - wall % length);
    if (last == Instant{} || last > now.mono) return by_calendar;
    const Instant next = last + Duration(((now.mono - last).count() / length + 1) * length);
    const std::int64_t apart = std::abs((next - by_calendar).count());
    return std::min(apart, length - apart) < precision ? next : by_calendar;
}

Windows windows_of(const Quota& quota, const State& state, Now now) noexcept {
    const Duration tail = tail_of(quota);
    const Instant end = state.idle_at - tail;
    if (end > now.mono) return {length_of(quota), end, state.current, state.previous};
    const bool is_previous = state.idle_at > now.mono;  // a sliding window's: it has ended and still weighs
    return {length_of(quota), running_end(quota, state.idle_at == Instant{} ? Instant{} : end, now), 0,
            is_previous ? state.current : 0};
}

State state_of(const Quota& quota, const Windows& windows) noexcept {
    if (windows.is_unused()) return {};
    return {windows.end + tail_of(quota), windows.current, windows.previous};
}

/// Until a cost that may be granted, but not now, is there.
Duration room_after(const Quota& quota, const Windows& windows, Instant now, std::uint64_t cost) noexcept {
    if (quota.algorithm == Algorithm::fixed_window) return windows.end - now;
    const std::uint64_t others = quota.quota - cost;
    const auto length = static_cast<Wide>(windows.length);
    if (windows.current <= others)  // the previous one must weigh less
        return windows.end - now -
               Duration(static_cast<std::int64_t>(Wide{others - windows.current} * length / windows.previous));
    // This one must become the previous one, and weigh less.
    return windows.end - now +
           Duration(windows.length - static_cast<std::int64_t>(Wide{others} * length / windows.current));
}

Decision take_window(const Quota& quota, State& state, Now now, std::uint64_t cost) noexcept {
    Windows windows = windows_of(quota, state, now);
    const std::uint64_t asked = std::max<std::uint64_t>(cost, 1);
    Decision decision;
    decision.allowed = windows.has_room(quota.quota, now.mono, asked);
    if (!decision.allowed) {
        decision.retry_after = cost <= quota.quota ? room_after(quota, windows, now.mono, asked) : Duration::max();
    } else if (cost > 0) {
        windows.current += cost;
        state = state_of(quota, windows);
    }
    decision.remaining = windows.remaining(quota.quota, now.mono);
    decision.reset_after = windows.end - now.mono;
    return decision;
}

std::uint64_t sum_of(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

bool is_bucket(const Quota& quota) noexcept { return quota.algorithm == Algorithm::token_bucket; }

}  // namespace

Decision take(const Quota& quota, State& state, Now now, std::uint64_t cost) noexcept {
    return is_bucket(quota) ? take_bucket(quota, state, now.mono, cost) : take_window(quota, state, now, cost);
}

void debit(const Quota& quota, State& state, Now now, std::uint64_t cost) noexcept {
    if (cost == 0) return;
    if (is_bucket(quota)) {
        const std::int64_t used = std::clamp((state.idle_at - now.mono).count(), std::int64_t{0}, span_max);
        state.idle_at = now.mono + Duration(std::min(used + span_of(cost, quota.emission().count()), span_max));
        return;
    }
    Windows windows = windows_of(quota, state, now);
    windows.current = sum_of(windows.current, cost);
    state = state_of(quota, windows);
}

void credit(const Quota& quota, State& state, Now now, std::uint64_t cost) noexcept {
    if (is_bucket(quota)) {
        state.idle_at -= std::min(Duration(span_of(cost, quota.emission().count())), state.idle_at - Instant{});
        if (state.idle_at <= now.mono) state = {};
        return;
    }
    Windows windows = windows_of(quota, state, now);
    const std::uint64_t of_current = std::min(windows.current, cost);
    windows.current -= of_current;
    windows.previous -= std::min(windows.previous, cost - of_current);
    state = state_of(quota, windows);
}

Instant counts_until(const Quota& quota, const State& state) noexcept { return state.idle_at - tail_of(quota); }

Used used(const Quota& quota, const State& state, Now now) noexcept {
    if (state.idle_at <= now.mono) return {};
    if (is_bucket(quota)) return {.idle_after = state.idle_at - now.mono};
    const State seen = state_of(quota, windows_of(quota, state, now));
    if (seen.idle_at <= now.mono) return {};
    return {seen.idle_at - now.mono, seen.current, seen.previous};
}

State state_of(const Used& used, Now now) noexcept {
    if (used.idle_after <= Duration::zero()) return {};
    return {now.mono + std::min(used.idle_after, Duration(2 * span_max)), used.current, used.previous};
}

State more_used(const Quota& quota, const State& known, const State& other, Now now) noexcept {
    if (is_bucket(quota)) return known.idle_at >= other.idle_at ? known : other;
    Windows windows = windows_of(quota, known, now);
    const Windows theirs = windows_of(quota, other, now);
    if (theirs.is_unused()) return known;
    if (windows.is_unused()) windows.end = running_end(quota, theirs.end - Duration(windows.length), now);
    const std::int64_t newer = (theirs.end - windows.end).count();
    if (newer < -windows.length / 2) {
        windows.previous = std::max(windows.previous, tail_of(quota) > Duration::zero() ? theirs.current : 0);
    } else {
        windows.current = std::max(windows.current, theirs.current);
        if (newer <= windows.length / 2)
            windows.previous = std::max(windows.previous, theirs.previous);
        else
            windows.current = std::max(windows.current, theirs.previous);
    }
    return state_of(quota, windows);
}

}  // namespace etage::limit
