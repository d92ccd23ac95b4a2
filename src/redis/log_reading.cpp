// One iteration after the other.

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "redis/log_reader.hpp"

#include <algorithm>
#include <utility>

namespace etage::redis {

using coherence::StreamId;
using Kind = Reply::Kind;

namespace {

constexpr Duration reply_time = std::chrono::seconds(1);  // beside what the records are waited for
constexpr Duration census_every = std::chrono::seconds(1);
constexpr int failures_until_skipped = 3;

std::int64_t milliseconds(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

/// The elements of an array; of anything else none.
const std::vector<Reply>& elements(const Reply& reply) {
    static const std::vector<Reply> none;
    return reply.is(Kind::array) ? reply.elements : none;
}

std::optional<StreamId> id_of_record(const Reply& record) {
    return elements(record).size() == 2 ? coherence::parse_stream_id(record.elements[0].text) : std::nullopt;
}

LogRecord read_fields(const Reply& record) {
    std::vector<std::string_view> fields;
    for (const Reply& field : elements(record.elements[1])) fields.emplace_back(field.text);
    return read_record(fields);
}

}  // namespace

/// The replies of one iteration, borrowed.
struct LogReader::Batch {
    const std::vector<Reply>* records = nullptr;
    bool has_read = false;  // the record before them is still there
    std::string_view generation;
    std::string_view beat_failed;  // why
};

Duration LogReader::block() const { return std::max<Duration>(house_.options.lease / 4, std::chrono::milliseconds(1)); }

std::vector<Command> LogReader::iteration() {
    const std::string count = std::to_string(count_);
    // Who has just attached wants to know where the log ends.
    const std::string wait = std::to_string(std::exchange(has_just_attached_, false) ? 1 : milliseconds(block()));
    const std::string read = known_.read.text();
    const std::string& log = house_.names.log;
    std::vector<Command> commands;
    commands.push_back(
        beat_command(house_.names, house_.instance, coherence::position_of(known_.read), house_.options.lease));
    commands.push_back(Command(log, {"XREAD", "COUNT", count, "BLOCK", wait, "STREAMS", log, read}));
    commands.push_back(Command(log, {"XRANGE", log, read, read}));
    commands.push_back(Command(log, {"GET", house_.names.generation}));
    return commands;
}

/// Now and then: how many live, and what time it is there. False: the connection is of no use.
asio::awaitable<bool> LogReader::take_census() {
    const Instant sent = base::read_clock().mono;
    if (sent < next_census_) co_return true;
    next_census_ = sent + census_every;
    const auto reply = co_await ask(census_command(house_.names));
    if (!reply) co_return false;
    const auto census = parse_census(*reply);
    if (!census) co_return true;  // what is wrong with it, the batch says, too
    house_.clock.sample(sent, base::read_clock().mono, census->clock_ms);
    const std::lock_guard lock(mutex_);
    view_.live = std::max<std::uint64_t>(census->members.size(), 1);
    co_return true;
}

asio::awaitable<bool> LogReader::read_batch() {
    const bool is_well = co_await take_census();
    if (!is_well) co_return false;
    const Instant sent = base::read_clock().mono;
    const Sequence own = appender_.newest();
    auto commands = iteration();
    const std::size_t asked = commands.size();
    const auto replies = co_await connection_->exchange(std::move(commands), sent + block() + reply_time);
    if (!replies || replies->size() != asked) {
        // A reply that is too long closes the connection: fewer records next time. One that is too long alone is
        // passed over.
        if (count_ == 1 && ++failures_ >= failures_until_skipped) is_suspicious_ = true;
        count_ = std::max<std::uint64_t>(count_ / 10, 1);
        detach(replies ? "a reply is missing" : replies.error().what);
        co_return false;
    }
    failures_ = 0;
    const std::string trouble = take_batch(*replies, sent, own);
    count_ = std::min(count_ * 2, batch_records_max);
    if (!trouble.empty()) {
        detach(trouble);
        co_return false;
    }
    if (coherence::has_position(known_.read)) co_return true;
    // From here on the log can go on with positions of their own.
    const auto stepped = co_await ask(step_command(house_.names, {known_.read.ms + 1, 0}, house_.instance));
    co_return stepped.has_value();
}

/// Why reading cannot go on like this; empty: it can.
std::string LogReader::take_batch(const std::vector<Reply>& replies, Instant sent, Sequence own) {
    Batch batch;
    if (auto trouble = read_replies(replies, batch); !trouble.empty()) return trouble;
    if (!coherence::is_next_batch(known_, batch.generation, batch.has_read)) return "the log is not the one it was";
    const bool is_all = batch.records->size() < count_;
    if (auto trouble = apply(*batch.records); !trouble.empty()) return trouble;
    if (is_all && coherence::position_of(known_.read) < own) {
        is_suspicious_ = true;
        return "what this instance has appended is not in it";
    }
    if (is_all) see(batch, sent);
    return {};
}

std::string LogReader::read_replies(const std::vector<Reply>& replies, Batch& batch) {
    for (std::size_t i = 1; i < replies.size(); ++i)
        if (replies[i].is(Kind::error)) return replies[i].text;
    if (replies[0].is_error("READONLY")) return "it is a replica";
    if (replies[0].is(Kind::error)) batch.beat_failed = replies[0].text;
    const auto& streams = elements(replies[1]);
    static const Reply none;
    batch.records = &elements(streams.size() == 1 && elements(streams[0]).size() == 2 ? streams[0].elements[1] : none);
    batch.has_read = elements(replies[2]).size() == 1;
    batch.generation = replies[3].text;
    return {};
}

std::string LogReader::apply(const std::vector<Reply>& records) {
    std::string trouble;
    for (const Reply& record : records) {
        const auto id = id_of_record(record);
        if (!id) {
            trouble = "a record has no id";
            break;
        }
        apply(*id, read_fields(record));
        if (id->ms > coherence::largest_ms) {
            trouble = "an id is out of all bounds: " + id->text();
            break;
        }
        known_.read = *id;
    }
    if (records.empty()) return {};
    house_.metrics.add(base::Counter::log_records_applied, records.size());
    appender_.hold();
    house_.moved.notify_all();
    return trouble;
}

void LogReader::apply(StreamId id, const LogRecord& record) {
    if (!record.trouble.empty()) {
        house_.metrics.add(base::Counter::log_records_unreadable);
        house_.log.warn("log record not understood", {{"id", id.text()}, {"by", record.by}, {"why", record.trouble}});
    }
    const Sequence position = coherence::position_of(id);
    const std::vector<TagHash> tags = house_.tags_of(record.what);
    const coherence::Record effect{tags, record.what.softness};
    // It shares its position with one that has been applied, or nothing could come after it.
    if (position <= house_.engine.fence() || id.ms > coherence::largest_ms) return house_.engine.apply_ahead(effect);
    if (!record.begins_history) return house_.engine.apply(position, effect);
    house_.metrics.add(base::Counter::log_gaps);
    house_.engine.apply_ahead(position, effect);
    house_.engine.raise_floor(position);
}

/// Everything that was in the log when this iteration was sent has been applied.
void LogReader::see(const Batch& batch, Instant sent) {
    const LogOptions& options = house_.options;
    // Without it nobody waits for this instance.
    if (batch.beat_failed.empty()) clear_until_ = sent + options.lease;
    const Instant dim = options.strict ? clear_until_ : std::max(clear_until_, sent + options.blind_max);
    house_.engine.sees_until(clear_until_, dim);
    // What lies in Redis counts from here on: every mark that concerns it has been read.
    house_.generation.store(base::hash64(known_.generation, 0) | 1U, std::memory_order_release);
    const std::lock_guard lock(mutex_);
    if (!std::exchange(view_.attached, true)) house_.log.info("log attached", {{"at", known_.read.text()}});
    view_.trouble = batch.beat_failed;
    view_.heard = sent;
}

}  // namespace etage::redis
