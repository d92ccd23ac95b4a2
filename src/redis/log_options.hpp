#pragma once
// How the log on Redis is kept, and the names of its keys.

#include <etage/time.hpp>

#include <cstdint>
#include <string>

namespace etage::redis {

/// The same on all instances of a namespace.
struct LogOptions {
    std::string name_space = "etage";
    bool strict = false;                            // coherence.mode: blind when dim
    Duration lease = std::chrono::seconds(1);       // rule 8, and how long an instance counts as live
    Duration blind_max = std::chrono::seconds(30);  // rule 8, unless strict
    Duration settle{};                              // a second record after so long; zero: none
    std::uint64_t records_max = 100'000;            // retained, about; an instance that was away longer starts anew
    Duration retry_first = std::chrono::milliseconds(50);  // between attempts to attach or to append …
    Duration retry_max = std::chrono::milliseconds(500);   // … and at most so far apart; each with ± 25 % jitter
    Duration connect_timeout = std::chrono::milliseconds(1000);
};

/// How long an instance counts as live without being heard of. A little longer than it sees itself: clocks are cut to
/// milliseconds, and do not all go at the same pace.
inline std::chrono::milliseconds lives_for(Duration lease) noexcept {
    return std::chrono::ceil<std::chrono::milliseconds>(lease + lease / 50) + std::chrono::milliseconds(2);
}

/// The namespace in braces is what a cluster hashes: all keys of the log are in one slot.
struct LogNames {
    explicit LogNames(const std::string& name_space)
        : log("{" + name_space + "}:log"), generation(log + ":generation"), live("{" + name_space + "}:live") {}
    std::string log;
    std::string generation;
    std::string live;  // a hash: instance → "<position> <lapses at, ms>", and when it began
};

}  // namespace etage::redis
