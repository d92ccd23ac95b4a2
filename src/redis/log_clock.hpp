#pragma once
// What time it is where the log lies: the one clock that all instances of one history share. Nobody's own clock is
// compared with another's; each only knows between which two moments of its own that one was read.
//
// Thread-safe: one thread samples, any thread asks.

#include <etage/time.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace etage::redis {

class LogClock {
public:
    /// `read_ms`: what the server's clock said, at some moment between the two.
    void sample(Instant sent, Instant received, std::int64_t read_ms) noexcept {
        earliest_.store(read_ms - in_ms(received) - 1, std::memory_order_relaxed);
        latest_.store(read_ms - in_ms(sent) + 1, std::memory_order_relaxed);
    }

    /// It is at least so late there, in milliseconds.
    std::int64_t at_least(Instant now) const noexcept { return in_ms(now) + earliest_.load(std::memory_order_relaxed); }
    /// And at most so late.
    std::int64_t at_most(Instant now) const noexcept { return in_ms(now) + latest_.load(std::memory_order_relaxed); }

private:
    static std::int64_t in_ms(Instant moment) noexcept {
        return std::chrono::floor<std::chrono::milliseconds>(moment.time_since_epoch()).count();
    }

    std::atomic<std::int64_t> earliest_{0};
    std::atomic<std::int64_t> latest_{0};
};

}  // namespace etage::redis
