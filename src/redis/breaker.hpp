#pragma once
// Whether a server that failed is asked again: not by those who need an answer, but by one probe at a time.
//
// Concurrency · Thread-safe. Asking is one atomic read; the mutex is only for changes, and guards no wait.
// What this does not promise · That nobody is under way when it opens: those find out by themselves.

#include <etage/time.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace etage::redis {

class Breaker {
public:
    struct Options {
        std::uint32_t failures_max = 3;
        Duration retry_first = std::chrono::milliseconds(50);
        Duration retry_max = std::chrono::milliseconds(500);
        Duration probe_time_max = std::chrono::seconds(2);  // then its io_context is gone, and another may probe
    };

    /// `seed`: of the jitter.
    Breaker(const Options& options, std::uint64_t seed);

    bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

    /// A reply came. While open this changes nothing: a probe has to say so.
    void succeeded() noexcept {
        if (in_a_row_.load(std::memory_order_relaxed) != 0) recovered();
    }

    /// No connection, no reply in time. True when this failure opened it.
    bool failed(Instant now);

    /// Open: when the next probe is due. (Closed: Instant::min().)
    Instant probe_due() const;

    /// Open, due, and nobody else probes: the caller does, and says how it went.
    bool begin_probe(Instant now);
    void end_probe(bool well, Instant now);

private:
    void recovered() noexcept;
    void schedule(Instant now);

    const Options options_;
    mutable std::mutex mutex_;
    std::atomic<bool> open_{false};
    std::atomic<std::uint32_t> in_a_row_{0};
    Duration back_off_;  // of the probe after next; reset by a success, not by closing: who flaps is asked seldom
    Instant probe_due_ = Instant::min();
    std::uint64_t random_;
};

}  // namespace etage::redis
