#pragma once
// Ids of a Redis Stream, and the positions they are here: `ms << 20 | n` in 64 bits.
//
// An id has 128 bits, a position 64, so not every id has a position of its own. Those that Redis makes have one, until
// a million records share a millisecond (a clock that stands still makes them). Foreign hands may write any id. What
// has no position of its own shares the last one of its millisecond: the order is kept, and whoever applies such a
// record must not rely on its position being new (Engine::apply would take it for a repeat).

#include <etage/sequence.hpp>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etage::coherence {

struct StreamId {
    std::uint64_t ms = 0;
    std::uint64_t n = 0;
    friend auto operator<=>(const StreamId&, const StreamId&) = default;

    /// "ms-n", as Redis writes it.
    std::string text() const;
};

inline constexpr unsigned bits_of_n = 20;
inline constexpr std::uint64_t largest_n = (std::uint64_t{1} << bits_of_n) - 1;
/// The year 2248. A larger one is a mistake (an id of microseconds), and nothing could come after it.
inline constexpr std::uint64_t largest_ms = (std::uint64_t{1} << 43U) - 1;

/// "ms-n", or "ms" alone, which is "ms-0". Nothing else.
std::optional<StreamId> parse_stream_id(std::string_view text) noexcept;

/// Never decreasing; strictly increasing among ids with has_position().
Sequence position_of(StreamId id) noexcept;
constexpr bool has_position(StreamId id) noexcept { return id.n <= largest_n && id.ms <= largest_ms; }
/// The id that has this position.
constexpr StreamId id_of(Sequence position) noexcept { return {position >> bits_of_n, position & largest_n}; }

}  // namespace etage::coherence
