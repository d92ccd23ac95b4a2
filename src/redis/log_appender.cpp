#include "redis/log_appender.hpp"

#include "base/clock.hpp"
#include "redis/log_record.hpp"
#include "redis/log_scripts.hpp"

#include <algorithm>

namespace etage::redis {

using flow::Invalidation;

namespace {

constexpr Duration flush_time = std::chrono::seconds(1);

std::unexpected<Error> not_recorded(std::string why) {
    return failure(Blame::remote_store, Fault::not_recorded, std::move(why), true);
}

}  // namespace

/// Whatever the log gives now must be above this; what is not is of a log that has gone back.
Sequence LogAppender::known_position() const noexcept { return std::max(newest(), house_.engine.fence()); }

asio::awaitable<Result<Sequence>> LogAppender::invalidate(Invalidation invalidation, Instant deadline) {
    if (invalidation.targets.empty()) co_return house_.engine.fence();
    const std::vector<TagHash> tags = house_.tags_of(invalidation);
    house_.engine.apply_ahead({tags, invalidation.softness});
    const auto appended = co_await append(invalidation, deadline);
    if (!appended) {
        queue(invalidation);
        house_.engine.apply_ahead({tags, invalidation.softness});  // the reader may have moved meanwhile
        co_return failure(
            Blame::remote_store, Fault::not_recorded,
            "the invalidation holds here, but could not be recorded for other instances: " + appended.error().what,
            true);
    }
    // Before anything is acknowledged: see Engine::apply_ahead.
    const Sequence position = appended->position;
    house_.engine.apply_ahead(position, {tags, invalidation.softness});
    remember(invalidation, position, true);
    if (is_lost(*appended)) {
        queue(invalidation);
        house_.engine.apply_ahead({tags, invalidation.softness});  // its position may lie below the new history's floor
    }
    house_.metrics.add(base::Counter::invalidations);
    if (invalidation.softness == coherence::Softness::hard) check_.sample(position, tags, base::read_clock().mono);
    co_return position;
}

asio::awaitable<Result<LogAppender::Appended>> LogAppender::append(const Invalidation& invalidation, Instant deadline) {
    const Sequence before = known_position();
    const auto pieces = in_pieces(invalidation);
    std::string refused;
    for (;;) {
        const std::string history = co_await readable_history(refused, deadline);
        if (history.empty())
            co_return not_recorded(refused.empty() ? "the log could not be read yet" : "the log begins a new history");
        const auto position = co_await append_to(history, pieces, deadline);
        if (!position) co_return std::unexpected(position.error());
        if (*position > before) co_return Appended{*position, history};
        refused = history;
        house_.refuse_history(history);
    }
}

/// 0: it is another history by now. So it is when a position is not above what was known before.
asio::awaitable<Result<Sequence>> LogAppender::append_to(const std::string& history,
                                                         const std::vector<Invalidation>& pieces, Instant deadline) {
    Sequence position = 0;
    for (const Invalidation& piece : pieces) {
        const auto keys = append_keys(house_.names);
        const auto arguments =
            append_arguments(history, house_.options.records_max, record_fields(piece, house_.instance));
        const auto reply = co_await house_.client.run(append_script(), keys, arguments, deadline);
        if (!reply) co_return std::unexpected(reply.error());
        if (reply->is_error(other_history)) co_return 0;
        const auto id = reply->is(Reply::Kind::bulk) ? coherence::parse_stream_id(reply->text) : std::nullopt;
        if (!id) co_return not_recorded(reply->text);
        if (!coherence::has_position(*id)) co_return not_recorded("its id is no position: " + reply->text);
        position = coherence::position_of(*id);  // the last one covers all
    }
    co_return position;
}

/// At the start, and when a history ends, it takes the reader a moment. Empty: none until then, or it is in trouble.
asio::awaitable<std::string> LogAppender::readable_history(const std::string& refused, Instant deadline) {
    const auto is_there = [this, &refused] {
        const std::string history = house_.history();
        return !history.empty() && history != refused;
    };
    std::function<bool()> is_known = [this, &is_there] {
        return is_there() || house_.in_trouble.load(std::memory_order_acquire);
    };
    co_await house_.moved.wait_until(deadline, std::move(is_known));
    co_return is_there() ? house_.history() : std::string();
}

void LogAppender::remember(const Invalidation& invalidation, Sequence position, bool settle) {
    for (Sequence known = newest(); known < position;)
        if (newest_.compare_exchange_weak(known, position, std::memory_order_acq_rel)) break;
    const std::lock_guard lock(mutex_);
    // Under the lock, so that moments do not go back.
    const Instant now = base::read_clock().mono;
    recent_.forget_before(now - tail_window);
    recent_.note(invalidation, now);
    if (settle && house_.options.settle > Duration::zero()) settling_.note(invalidation, now + house_.options.settle);
}

void LogAppender::queue(const Invalidation& invalidation) {
    house_.metrics.add(base::Counter::invalidations_queued);
    {
        const std::lock_guard lock(mutex_);
        if (!unrecorded_.add(invalidation)) house_.metrics.add(base::Counter::invalidations_lost_to_overflow);
    }
    house_.woken.notify_all();
}

void LogAppender::tail_lost(Instant now) {
    {
        const std::lock_guard lock(mutex_);
        recent_.forget_before(now - tail_window);
        for (const Invalidation& each : recent_.all()) unrecorded_.add(each);
    }
    house_.woken.notify_all();
}

void LogAppender::hold() {
    std::vector<Invalidation> held;
    {
        const std::lock_guard lock(mutex_);
        held = under_way_;
        for (Invalidation& each : unrecorded_.all()) held.push_back(std::move(each));
    }
    for (const Invalidation& each : held) {
        const std::vector<TagHash> tags = house_.tags_of(each);
        house_.engine.apply_ahead({tags, each.softness});
    }
}

std::size_t LogAppender::queued() const {
    const std::lock_guard lock(mutex_);
    std::size_t targets = unrecorded_.size();
    for (const Invalidation& each : under_way_) targets += each.targets.size();
    return targets;
}

// --- on the log's thread

asio::awaitable<void> LogAppender::run() {
    Duration pause = house_.options.retry_first;
    const std::function<bool()> wakes = [this] {
        return house_.stopping.load(std::memory_order_acquire) || has_work(base::read_clock().mono);
    };
    while (!house_.stopping.load(std::memory_order_acquire)) {
        co_await house_.woken.wait_until(next_moment(), wakes);
        const Instant now = base::read_clock().mono;
        const auto checked = check_.look(now);
        house_.metrics.add(base::Counter::coherence_checks, checked.looked);
        for (const Sequence position : checked.violated) {
            house_.metrics.add(base::Counter::coherence_violations);
            house_.log.error("coherence violated", {{"position", static_cast<std::int64_t>(position)}});
        }
        queue_what_is_due(now);
        const bool done = co_await flush();
        if (done) {
            pause = house_.options.retry_first;
            continue;
        }
        co_await house_.pause(pause);
        pause = std::min(pause * 2, house_.options.retry_max);
    }
    co_await flush();
}

bool LogAppender::has_work(Instant now) const {
    const auto due = check_.due();
    if (due && *due <= now) return true;
    const std::lock_guard lock(mutex_);
    return !unrecorded_.empty() || (settling_.first() && *settling_.first() <= now);
}

Instant LogAppender::next_moment() const {
    Instant next = base::read_clock().mono + std::chrono::seconds(1);
    if (const auto due = check_.due()) next = std::min(next, *due);
    const std::lock_guard lock(mutex_);
    if (const auto due = settling_.first()) next = std::min(next, *due);
    return next;
}

void LogAppender::queue_what_is_due(Instant now) {
    const std::lock_guard lock(mutex_);
    for (const Invalidation& each : settling_.take_until(now)) unrecorded_.add(each);
}

/// False: not all of it could be appended.
asio::awaitable<bool> LogAppender::flush() {
    {
        const std::lock_guard lock(mutex_);
        under_way_ = unrecorded_.take();
    }
    bool all = true;
    Sequence last = 0;
    const std::vector<Invalidation> work = under_way_;  // only this coroutine changes it
    for (const Invalidation& each : work) {
        const auto appended = co_await append(each, base::read_clock().mono + flush_time);
        if (appended) {
            last = appended->position;
            const std::vector<TagHash> tags = house_.tags_of(each);
            house_.engine.apply_ahead(last, {tags, each.softness});
            remember(each, last, false);
        }
        const bool is_there = appended && !is_lost(*appended);
        const std::lock_guard lock(mutex_);
        if (!is_there) unrecorded_.add(each);
        under_way_.erase(under_way_.begin());
        all = all && is_there;
    }
    // Our record was read before its position was known here: it was still held then, marked behind itself, and what it
    // names would not be kept until the next record. One without effect is one.
    is_step_due_ |= last != 0 && !house_.engine.nothing_after(last);
    if (is_step_due_) {
        const auto stepped = co_await append({}, base::read_clock().mono + flush_time);
        is_step_due_ = !stepped.has_value();
    }
    co_return all && !is_step_due_;
}

}  // namespace etage::redis
