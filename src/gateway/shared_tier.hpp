#pragma once
// What a Redis brings into the house: the client, the log of invalidations, the entries.

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "coherence/engine.hpp"
#include "gateway/config.hpp"
#include "redis/client.hpp"
#include "redis/entry_store.hpp"
#include "redis/log.hpp"
#include "redis/quotas.hpp"
#include "redis/seats.hpp"

#include <etage/error.hpp>

#include <memory>
#include <string>

namespace etage::gateway {

/// A row of docs/limits.md. Before the first request: what lies in Redis counts only once the log is read.
inline constexpr Duration attach_time_max = std::chrono::milliseconds(1500);

class SharedTier {
public:
    /// Borrowed; outlives the tier.
    struct Context {
        coherence::Engine& engine;
        base::Metrics& metrics;
        base::Log& log;
        flow::TagsOf tags_of;
        redis::Examine examine;  // the self-check: is everything with these tags as new as this position?
    };

    /// Nothing is connected yet. Errors: certificates that cannot be read.
    static Result<std::unique_ptr<SharedTier>> make(const RedisConfig& redis, const CoherenceConfig& coherence,
                                                    Context context);

    redis::RedisLog& log() noexcept { return *log_; }
    redis::EntryStore& entries() noexcept { return *entries_; }
    redis::RedisQuotas& quotas() noexcept { return *quotas_; }
    redis::RedisSeats& seats() noexcept { return *seats_; }

    /// The log begins to be read, on a thread of its own. Returns when it is, or cannot be within `attach_time_max`:
    /// then in one line why not. Unless
    /// `insist`, the first thing that is wrong is enough.
    std::string open(bool insist);
    /// Before the event loops go, and after they have stopped.
    void close() noexcept;

    /// Why it is away, in one line; empty when nothing is wrong.
    std::string trouble() const;

private:
    SharedTier() = default;

    std::unique_ptr<redis::Client> client_;
    std::unique_ptr<redis::RedisLog> log_;
    std::unique_ptr<redis::EntryStore> entries_;
    std::unique_ptr<redis::RedisQuotas> quotas_;
    std::unique_ptr<redis::RedisSeats> seats_;
};

}  // namespace etage::gateway
