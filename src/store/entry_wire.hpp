#pragma once
// How a stored response looks outside of this process (docs/formats.md). Fence first, so that a script can compare it
// without knowing the rest; then version, checksum, and everything that makes the entry, its heads and codings
// included: what climbs into memory is ready to be sent.
//
// Time · No clock of another machine is believed. The value says how old the response was when it was written and for
// how long it was to be kept; whoever reads it knows how much of that is left, and so how old it is now.
// Hostile bytes · Whatever is read is checked before it is believed; what does not fit to the last byte is nothing.

#include "store/entry.hpp"

#include "http/vary.hpp"

#include <etage/sequence.hpp>
#include <etage/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace etage::store {

inline constexpr std::uint8_t wire_version = 1;
inline constexpr std::size_t wire_fence_bytes = 8;  // at the front, the most significant byte first

/// What stands before every value.
struct WireHead {
    Sequence fence = 0;
    std::uint64_t generation = 0;  // of the log that the fence is a position of
    Duration kept_for{};           // from the moment of writing; whole milliseconds
};

/// A response; its age is that of `now`.
std::string encode(const WireHead& head, const Entry& entry, Instant now);
/// Where several responses share a name: which request fields select among them.
std::string encode(const WireHead& head, const http::VaryNames& vary);

struct Decoded {
    WireHead head;
    std::variant<EntryParts, http::VaryNames>
        content;  // without EntryParts::key_hash: its secret is each process's own
};

/// `left` is what remains of kept_for at `now`. Nothing when it is damaged, of another version, or no value of ours.
/// Copies what it needs.
std::optional<Decoded> decode(std::string_view bytes, Duration left, Instant now);

}  // namespace etage::store
