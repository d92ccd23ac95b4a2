#include "redis/log_reader.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <utility>

namespace etage::redis {

using coherence::Continuity;
using coherence::SeenLog;
using Step = Continuity::Step;

namespace {

constexpr Duration reply_time = std::chrono::seconds(1);
constexpr int looks_until_attached = 8;  // several instances may begin a new history at once

}  // namespace

LogReader::LogReader(LogHouse& house, LogAppender& appender) : house_(house), appender_(appender) {
    const Instant now = base::read_clock().mono;
    view_.heard = now;
    view_.instance = house.instance;
    const Instant dim = now + house.options.blind_max;
    house.engine.sees_until(Instant::min(), house.options.strict ? Instant::min() : dim);
}

asio::awaitable<void> LogReader::run() {
    Duration pause = house_.options.retry_first;
    while (!house_.stopping.load(std::memory_order_acquire)) {
        const bool has_read = co_await read_on_one_connection();
        if (has_read) {
            house_.metrics.add(base::Counter::log_reattached);
            pause = house_.options.retry_first;
        }
        co_await house_.pause(pause);
        pause = std::min(pause * 2, house_.options.retry_max);
    }
}

void LogReader::stop() {
    if (connection_) connection_->close();
}

LogView LogReader::view() const {
    LogView out;
    {
        const std::lock_guard lock(mutex_);
        out = view_;
    }
    out.position = house_.engine.fence();
    out.floor = house_.engine.floor();
    out.queued = appender_.queued();
    return out;
}

void LogReader::detach(std::string why) {
    if (house_.stopping.load(std::memory_order_acquire)) return;
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(view_.attached, false) && view_.trouble == why) return;
        view_.trouble = why;
    }
    house_.log.warn("log not read", {{"why", why}});
}

/// True: something was read.
asio::awaitable<bool> LogReader::read_on_one_connection() {
    const Instant deadline = base::read_clock().mono + house_.options.connect_timeout;
    auto connection = co_await house_.client.connect(house_.names.log, deadline);
    bool goes_on = connection.has_value();
    if (goes_on) {
        connection_ = std::move(*connection);
        goes_on = co_await attach();
    } else {
        detach(connection.error().what);
    }
    house_.in_trouble.store(!goes_on, std::memory_order_release);
    house_.moved.notify_all();
    int batches = 0;
    for (; goes_on; ++batches) goes_on = co_await read_batch();
    if (connection_) connection_->close();
    connection_.reset();
    co_return batches > 1;
}

asio::awaitable<bool> LogReader::attach() {
    for (int looks = 0; looks < looks_until_attached; ++looks) {
        // Before the look: what is appended later may be missing in it.
        known_.own = coherence::id_of(appender_.newest());
        const Instant sent = base::read_clock().mono;
        const auto reply = co_await ask(look_command(house_.names, known_.read));
        if (!reply) co_return false;
        const auto look = parse_look(*reply);
        if (look) house_.clock.sample(sent, base::read_clock().mono, static_cast<std::int64_t>(look->seen.clock_ms));
        if (!look || !look->is_primary) {
            detach(look ? "it is a replica" : look.error().what);
            co_return false;
        }
        const Continuity next = coherence::continue_log(known_, look->seen);
        if (next.step == Step::replay || next.step == Step::gap || next.step == Step::cold) {
            take_up(look->seen, next);
            co_return true;
        }
        const bool begun = co_await begin_history(look->seen, next);
        if (!begun) co_return false;
    }
    detach("its history changes faster than it can be read");
    co_return false;
}

/// Or only a step in it. False: the connection is of no use.
asio::awaitable<bool> LogReader::begin_history(const SeenLog& seen, const Continuity& next) {
    if (next.step == Step::step) {
        const auto stepped = co_await ask(step_command(house_.names, next.id, house_.instance));
        co_return stepped.has_value();
    }
    const std::string random = random_name();
    const auto reply = co_await ask(begin_command(house_.names, seen, next, random, house_.instance));
    if (!reply) co_return false;
    if (reply->is(Reply::Kind::error)) {
        detach(reply->text);
        co_return false;
    }
    if (reply->integer == 1) {
        house_.metrics.add(base::Counter::log_histories);
        house_.log.warn("log begun anew", {{"why", next.why}, {"at", next.id.text()}});
    }
    co_return true;
}

void LogReader::take_up(const SeenLog& seen, const Continuity& next) {
    const bool is_suspicious = std::exchange(is_suspicious_, false);
    const bool is_gap = next.step == Step::gap || (next.step == Step::replay && is_suspicious);
    const bool was_cold = known_.generation.empty();
    const bool history_changed = !was_cold && known_.generation != seen.generation;
    if (is_gap) {
        known_.read = seen.last;
        house_.metrics.add(base::Counter::log_gaps);
        house_.log.warn("log has a gap", {{"why", is_suspicious ? "it could not be read on" : next.why}});
    } else {
        known_.read = next.id;
    }
    known_.generation = seen.generation;
    // Positions of one history mean nothing in another: until all of it has been read no value counts.
    if (history_changed) house_.generation.store(0, std::memory_order_release);
    house_.engine.raise_floor(coherence::position_of(known_.read));
    house_.set_history(seen.generation);
    has_just_attached_ = true;
    if (history_changed || (is_gap && !was_cold)) appender_.tail_lost(base::read_clock().mono);
    appender_.hold();
    house_.moved.notify_all();
}

/// Nothing: the connection has failed.
asio::awaitable<std::optional<Reply>> LogReader::ask(Command command) {
    std::vector<Command> commands;
    commands.push_back(std::move(command));
    auto replies = co_await connection_->exchange(std::move(commands), base::read_clock().mono + reply_time);
    if (replies && replies->size() == 1) co_return std::move(replies->front());
    detach(replies ? "a reply is missing" : replies.error().what);
    co_return std::nullopt;
}

}  // namespace etage::redis
