#pragma once
// An origin that is never given more calls at once than it takes: a number, or as many as it answers without getting
// slower (limit/adaptive.hpp). Further calls wait in line for a moment, in order of arrival, and then fail: better one
// is told to come back than all wait for an origin that answers nobody any more.
//
// A call is under way until its content has been passed on, or was let go; a connection that became a tunnel is none
// any more. Latency is measured to the head of the answer, of calls without content only (an upload takes as long as
// its client), and of answers that say something of the work: an error is often quicker than an answer.
//
// Concurrency · Thread-safe; the mutex guards the limit, never a wait. Lifetime · Slots outlive this; coroutines that
// are only destroyed touch nothing else of it.

#include "base/log.hpp"
#include "flow/origin.hpp"
#include "limit/adaptive.hpp"
#include "net/slots.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace etage::origin {

/// Rows of docs/limits.md.
struct GuardLimits {
    bool is_adaptive = true;                                   // false: always `concurrency_max`
    std::size_t concurrency_max = 256;                         // calls at once
    Duration queue_time_max = std::chrono::milliseconds(100);  // in line
    std::size_t queue_max = 1024;                              // in line at once
};

class Guarded final : public flow::Origin {
public:
    Guarded(std::unique_ptr<flow::Origin> origin, std::string name, const GuardLimits& limits, base::Log& log);

    /// Fails with origin_busy (blame us) when there was no place in time.
    asio::awaitable<Result<flow::OriginResponse>> fetch(flow::OriginRequest request) override;
    bool can_upgrade() const noexcept override { return origin_->can_upgrade(); }

    /// For the admin pages.
    struct View {
        std::size_t limit = 0;  // calls at once, at the moment
        std::size_t in_flight = 0;
        std::uint64_t shed = 0;  // calls that were not made
    };
    View view() const;

private:
    void learn(const Result<flow::OriginResponse>& response, Duration latency, Instant now);
    Error refusal(Instant now);

    std::unique_ptr<flow::Origin> origin_;
    const std::string name_;
    const GuardLimits limits_;
    base::Log& log_;
    net::Slots slots_;
    mutable std::mutex mutex_;
    std::optional<limit::AdaptiveLimit> adaptive_;  // under it
    std::atomic<std::uint64_t> shed_{0};
    std::atomic<Instant> quiet_until_{Instant{}};  // for the log
};

}  // namespace etage::origin
