#pragma once
// Which bytes of a representation are there, when it came in pieces (RFC 9111 §3.4).

#include "http/range.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace etage::http {

/// A set of bytes as disjoint pieces in ascending order, no two of them adjacent. Not thread-safe for writing.
class ByteSpans {
public:
    /// More holes than this are not kept in mind: who leaves them asks for crumbs.
    static constexpr std::size_t pieces_max = 64;

    /// Merges it with what it overlaps or adjoins. False, and nothing changes, when that would make more than
    /// pieces_max pieces.
    bool add(ByteRange);

    bool covers(ByteRange) const noexcept;
    /// All bytes of a representation of this length.
    bool complete(std::uint64_t complete_length) const noexcept;

    /// One Range that asks for all of the representation that is not there: from the first missing byte to the last,
    /// or to the end when nothing beyond that is there or the length is unknown. Nothing when nothing is missing.
    std::optional<RangeSpec> missing(std::optional<std::uint64_t> complete_length) const noexcept;
    /// The same for a part: the smallest range that holds every missing byte of `wanted`.
    std::optional<ByteRange> missing_in(ByteRange wanted) const noexcept;

    std::span<const ByteRange> pieces() const noexcept { return pieces_; }
    /// How many bytes are there.
    std::uint64_t bytes() const noexcept;
    /// Bytes on the heap.
    std::size_t footprint() const noexcept { return pieces_.capacity() * sizeof(ByteRange); }

private:
    /// The piece that holds this byte, or null.
    const ByteRange* piece_at(std::uint64_t byte) const noexcept;

    std::vector<ByteRange> pieces_;
};

}  // namespace etage::http
