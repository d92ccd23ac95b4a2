#pragma once
// Does the log go on where this instance stopped reading it? (DESIGN §4, failures.) The one decision whose mistakes
// would be invisible: a record that is missed here is an answer that is served for ever.
//
// History · A log has one history as long as the same server process, with the same replicated data, has kept it. Its
// name is the *generation*, a text beside the log. A server that was restarted, or promoted, may have lost the tail
// without knowing it, and what it appends next may look like the continuation: so the generation names the server it
// was made on, and whoever first finds another one there begins a new history: a new generation, and a record with an
// id above everything known. That record is a floor for all who read it. Everyone else finds the generation changed,
// and takes the newest position as floor.
//
// The leap · Positions of a lost tail live on as fences of stored responses and as tokens of clients, and nobody alive
// need know them. So a new history begins `history_leap` ahead of its server's clock: above whatever was appended by
// the clock of the one before it, and, of two that were begun after each other, the later one above the earlier.
//
// Within one history · Records lie in order, and are only ever removed at the old end. So nothing was missed if what
// was read last is still there.

#include "coherence/stream_id.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace etage::coherence {

/// How far ahead of its server's clock a new history begins; by so much may the clock of a new primary be behind.
inline constexpr std::uint64_t history_leap_ms = 600'000;

/// What stands in "{ns}:log:generation", taken apart: "<random> <identity> <ms> <id>".
struct Generation {
    std::string identity;          // of the server that it was made on
    std::uint64_t made_at_ms = 0;  // by that server's clock
    StreamId begins;               // its first record: a log that ends before it has been deleted and made anew

    static std::string text(std::string_view random, std::string_view identity, std::uint64_t made_at_ms,
                            StreamId begins);
    static std::optional<Generation> parse(std::string_view text);
};

/// What this instance knows.
struct KnownLog {
    std::string generation;  // of the history it reads; empty: it has read none yet
    StreamId read;           // the newest record it has read
    StreamId own;            // the newest that it has appended
};

/// What is there, all at one moment.
struct SeenLog {
    std::string generation;  // empty: none
    std::string identity;    // of the server: process and replication history
    bool is_stream = true;   // false: the key holds something else
    bool has_read = false;   // the record that was read last is there
    StreamId first;          // that is retained
    StreamId newest;         // that is retained
    StreamId last;           // that was ever generated
    std::uint64_t length = 0;
    std::uint64_t clock_ms = 0;  // the server's
};

struct Continuity {
    enum class Step : std::uint8_t {
        replay,   // nothing was missed: read on behind `id`
        gap,      // `id` is the new floor: read on behind it
        cold,     // first time: `id`, the oldest retained, is the floor; what follows is read
        step,     // append a record without effect at `id`, which has a position of its own; then look again
        renew,    // begin a new history with a record at `id`; then look again
        rebuild,  // the same, and what is there is deleted before: nothing can be appended to it
    };
    Step step = Step::gap;
    StreamId id;
    std::string_view why;  // of gap, renew and rebuild, for people
};

Continuity continue_log(const KnownLog& known, const SeenLog& seen);

/// After every batch: was it the next one of the same history? `generation` and `has_read` were looked at after the
/// batch was read; `known` is from before. Otherwise the batch must not be applied. (That older records are there is
/// not enough: a log that was deleted goes on with ids of the server's clock, which may lie below what was read of it.)
bool is_next_batch(const KnownLog& known, std::string_view generation, bool has_read) noexcept;

}  // namespace etage::coherence
