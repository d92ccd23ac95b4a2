#pragma once
// What Redis does for the log at one moment: five scripts, the commands that run them, and what their replies mean.

#include "coherence/continuity.hpp"
#include "redis/client.hpp"
#include "redis/log_options.hpp"

#include <etage/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace etage::redis {

// --- look: everything that continue_log() wants to know

const Script& look_script();
struct Look {
    coherence::SeenLog seen;
    bool is_primary = true;
};
Command look_command(const LogNames& names, coherence::StreamId read);
Result<Look> parse_look(const Reply& reply);

// --- begin: a new history, unless another instance was first

const Script& begin_script();
Command begin_command(const LogNames& names, const coherence::SeenLog& seen, const coherence::Continuity& next,
                      std::string_view random, std::string_view instance);

// --- beat: this instance is alive and has come so far

const Script& beat_script();
Command beat_command(const LogNames& names, std::string_view instance, Sequence applied, Duration lease);

// --- census: who is alive, and how far

const Script& census_script();
struct Member {
    std::string instance;
    Sequence applied = 0;
};
struct Census {
    std::vector<Member> members;  // whose lease has not lapsed
    /// So old is the history, or the list if that is younger, by the clock of the server that the history began on;
    /// negative: there is none that counts.
    std::int64_t known_ms = -1;
    std::int64_t clock_ms = 0;  // the server's
};
Command census_command(const LogNames& names);
Result<Census> parse_census(const Reply& reply);
Command leave_command(const LogNames& names, std::string_view instance);

// --- append: to this history and no other; the reply is the id

/// Else the reply is an error with this code.
inline constexpr std::string_view other_history = "HISTORY";
const Script& append_script();
std::vector<std::string> append_keys(const LogNames& names);
std::vector<std::string> append_arguments(std::string_view generation, std::uint64_t records_max,
                                          std::vector<std::string> fields);

/// A record without effect.
Command step_command(const LogNames& names, coherence::StreamId id, std::string_view instance);

}  // namespace etage::redis
