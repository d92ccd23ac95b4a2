#pragma once
// Rule 6 with a log that lives in Redis: applied here, appended, applied at its position, and only then acknowledged.
//
// Concurrency · invalidate() on any thread and executor; run() is one coroutine on the log's thread; the rest from
// anywhere. What waits to be appended is under a mutex that is never held across a wait.
// Interleavings that bite · (1) An XADD that timed out may have been heard: it is appended again, and twice does no
// harm. (2) The log goes back (a failover that lost the tail, before anyone has begun the new history): an id that is
// not above what was known before it was asked for is worth nothing, for others compare it with fences that are above.
// It is queued like a failure. (3) What is queued holds here, but every fence the reader takes up would outgrow its
// mark: so it is marked anew whenever the reader has moved, until it is in the log. (4) An append is answered after the
// reader has moved to another history: too late to be among what is appended again then, so it is queued by whoever
// gets the answer.

#include "coherence/stream_id.hpp"
#include "redis/log_check.hpp"
#include "redis/log_house.hpp"
#include "redis/unrecorded.hpp"

#include <mutex>
#include <vector>

namespace etage::redis {

/// A server that is promoted may have missed so much: what this instance appended in that time is appended again.
inline constexpr Duration tail_window = std::chrono::seconds(30);

class LogAppender {
public:
    LogAppender(LogHouse& house, SelfCheck& check) : house_(house), check_(check) {}

    asio::awaitable<Result<Sequence>> invalidate(flow::Invalidation invalidation, Instant deadline);

    /// Appends what is queued or due, until the house stops; then once more, and returns.
    asio::awaitable<void> run();

    /// The reader has moved.
    void hold();
    /// The log has begun a new history: what it may have lost of ours is queued.
    void tail_lost(Instant now);
    /// The newest position that this instance has appended; 0: none.
    Sequence newest() const noexcept { return newest_.load(std::memory_order_acquire); }
    std::size_t queued() const;

private:
    struct Appended {
        Sequence position;
        std::string history;
    };
    asio::awaitable<Result<Appended>> append(const flow::Invalidation& invalidation, Instant deadline);
    /// What became of one: its position stands in a history that the reader may have left meanwhile.
    bool is_lost(const Appended& appended) const { return house_.history() != appended.history; }
    asio::awaitable<Result<Sequence>> append_to(const std::string& history,
                                                const std::vector<flow::Invalidation>& pieces, Instant deadline);
    asio::awaitable<std::string> readable_history(const std::string& refused, Instant deadline);
    void remember(const flow::Invalidation& invalidation, Sequence position, bool settle);
    void queue(const flow::Invalidation& invalidation);
    void queue_what_is_due(Instant now);
    asio::awaitable<bool> flush();
    bool has_work(Instant now) const;
    Instant next_moment() const;
    Sequence known_position() const noexcept;

    LogHouse& house_;
    SelfCheck& check_;
    std::atomic<Sequence> newest_{0};
    mutable std::mutex mutex_;
    Unrecorded unrecorded_;
    std::vector<flow::Invalidation> under_way_;  // taken from there, not yet appended
    bool is_step_due_ = false;                   // only run() touches it
    Timed recent_;
    Timed settling_;
};

}  // namespace etage::redis
