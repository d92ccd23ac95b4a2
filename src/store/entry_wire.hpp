#pragma once
// How a stored response looks outside of this process (docs/formats.md). Fence first, so that a script can compare it
// without knowing the rest; then version, checksum, and everything that makes the entry, its heads and codings
// included: what climbs into memory is ready to be sent.
//
// Time · The value says how old the response was when it was written, and when that was, by a clock that its writer and
// its readers share (redis/log_clock.hpp): what has passed since is what it is older by now.
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

namespace etage::store {

inline constexpr std::uint8_t wire_version = 2;
inline constexpr std::size_t wire_fence_bytes = 8;  // at the front, the most significant byte first

/// What stands before every value.
struct WireHead {
    Sequence fence = 0;
    std::uint64_t generation = 0;  // of the log that the fence is a position of
    std::int64_t written_ms = 0;   // by the shared clock
};

/// A response; its age is that of `now`.
std::string encode(const WireHead& head, const Entry& entry, Instant now);
/// Where several responses share a name: which request fields select among them.
std::string encode(const WireHead& head, const http::VaryNames& vary);

/// A value that is whole: its version is ours, and its checksum right. Borrows the bytes.
struct Unsealed {
    enum class Kind : std::uint8_t { entry = 1, vary = 2 };
    WireHead head;
    Kind kind = Kind::entry;
    std::string_view content;
};
std::optional<Unsealed> unseal(std::string_view bytes) noexcept;

/// `clock_ms` is what the shared clock says at `now`. Fills in all but EntryParts::key_hash, whose secret is each
/// process's own. False when it does not hold together; `out` is worth nothing then.
bool read_entry(const Unsealed& value, std::int64_t clock_ms, Instant now, EntryParts& out);
bool read_vary(const Unsealed& value, http::VaryNames& out);

}  // namespace etage::store
