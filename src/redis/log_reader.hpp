#pragma once
// Reads the log for this instance: attaches, applies in order, and says how well it sees (DESIGN §4, rules 7 and 8).
//
// One iteration is one pipeline: "I am alive, and have come so far" · the next records, waited for a quarter of the
// lease · the record read last before · the generation. The last two are looked at after the records were read, so
// they tell whether the batch was the next one of the same history; if not, it is not applied, and reading begins anew
// on another connection. Who was heard of before an iteration was sent has been applied when it is done: that is what
// the lease is counted from, on the clock of this machine.
//
// Concurrency · run() is one coroutine on the log's thread; stop() there, too. view() from anywhere.

#include "coherence/continuity.hpp"
#include "redis/log_appender.hpp"
#include "redis/log_house.hpp"
#include "redis/log_record.hpp"
#include "redis/log_scripts.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace etage::redis {

/// How the log stands, for administration.
struct LogView {
    bool attached = false;
    std::string trouble;     // why not, in one line
    Sequence position = 0;   // applied
    Sequence floor = 0;      // below it nothing is known
    Instant heard;           // all that was in the log at this moment has been applied; never: the start
    std::uint64_t live = 1;  // instances, this one included
    std::size_t queued = 0;  // names waiting to be recorded
    std::string instance;
};

/// Records of one reply; a row of docs/limits.md.
inline constexpr std::uint64_t batch_records_max = 1000;

class LogReader {
public:
    LogReader(LogHouse& house, LogAppender& appender);

    asio::awaitable<void> run();
    void stop();

    LogView view() const;

private:
    struct Batch;

    // log_reader.cpp: one connection after the other
    asio::awaitable<bool> read_on_one_connection();
    asio::awaitable<bool> attach();
    asio::awaitable<bool> begin_history(const coherence::SeenLog& seen, const coherence::Continuity& next);
    void take_up(const coherence::SeenLog& seen, const coherence::Continuity& next);
    asio::awaitable<std::optional<Reply>> ask(Command command);
    void detach(std::string why);

    // log_reading.cpp: one batch after the other
    asio::awaitable<bool> read_batch();
    asio::awaitable<bool> take_census();
    std::vector<Command> iteration();
    std::string take_batch(const std::vector<Reply>& replies, Instant sent, Sequence own);
    static std::string read_replies(const std::vector<Reply>& replies, Batch& batch);
    std::string apply(const std::vector<Reply>& records);
    void apply(coherence::StreamId id, const LogRecord& record);
    void see(const Batch& batch, Instant sent);
    Duration block() const;

    LogHouse& house_;
    LogAppender& appender_;
    std::shared_ptr<Connection> connection_;
    coherence::KnownLog known_;
    bool has_just_attached_ = false;
    bool is_suspicious_ = false;  // what looks continuous is not to be believed: one gap
    std::uint64_t count_ = batch_records_max;
    int failures_ = 0;  // of the smallest batch, in a row
    Instant clear_until_ = Instant::min();
    Instant next_census_ = Instant::min();

    mutable std::mutex mutex_;
    LogView view_;
};

}  // namespace etage::redis
