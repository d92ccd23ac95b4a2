#pragma once
// Rule 7: who has applied what. An instance is in the hash "{ns}:live" with the position it has applied and the moment
// at which it no longer counts, by the clock of Redis; it writes both with every iteration of its reader, and sees no
// longer than that lease itself.
//
// Interleaving that bites · After a failover the hash may be older than its server, or empty: whoever read from the old
// server still sees for a lease. So a census counts only when the history it belongs to is older than a lease, and so
// is the hash: its field "since" says when it began, for somebody may have deleted it.
//
// Thread-safe; coroutines run on the caller's executor.

#include "redis/log_house.hpp"
#include "redis/log_scripts.hpp"

namespace etage::redis {

class LogMembers {
public:
    explicit LogMembers(LogHouse& house) : house_(house) {}

    /// Until all have applied it, or the deadline. While it is not known who lives, one more is counted as live.
    asio::awaitable<flow::Receipt> receipt(Sequence position, Instant deadline);

    /// This instance answers no requests any more: nobody need wait for it.
    asio::awaitable<void> leave(Instant deadline);

private:
    flow::Receipt count(const Census& census, Sequence position) const;

    LogHouse& house_;
};

}  // namespace etage::redis
