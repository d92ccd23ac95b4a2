#pragma once
// Ranges of bytes (RFC 9110 §14): what a client asks for, what of it a representation has, and how the answer says so.
// Nothing here allocates.

#include "http/message.hpp"

#include <etage/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace etage::http {

/// Bytes of a representation, both ends included. `first <= last < 2^64 - 1`.
struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    constexpr std::uint64_t size() const noexcept { return last - first + 1; }
    friend constexpr bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// Some bytes of a representation whose length is known.
struct Part {
    ByteRange range;
    std::uint64_t complete = 0;

    friend constexpr bool operator==(const Part&, const Part&) = default;
};

/// One range-spec (RFC 9110 §14.1.2): from `first` on, to `last` or to the end; or the last `first` bytes.
struct RangeSpec {
    static constexpr std::uint64_t to_the_end = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t first = 0;  // of a suffix: how many bytes
    std::uint64_t last = to_the_end;
    bool suffix = false;

    friend constexpr bool operator==(const RangeSpec&, const RangeSpec&) = default;
};

/// How many range-specs a Range may have before it is taken for an attack (RFC 9110 §17.15) and ignored.
inline constexpr std::size_t ranges_max = 16;

/// A Range field of the unit `bytes`.
class RangeSet {
public:
    enum class Kind : std::uint8_t {
        invalid,   // no such field, two of them, another unit, or not its grammar: as if there was none (§14.2)
        too_many,  // its grammar, but more than ranges_max: likewise
        ranges,
    };

    Kind kind() const noexcept { return kind_; }
    /// In the order asked; empty unless `ranges`.
    std::span<const RangeSpec> specs() const noexcept { return std::span(specs_).first(size_); }

private:
    friend RangeSet parse_range(std::string_view) noexcept;
    bool add(std::string_view spec) noexcept;

    std::array<RangeSpec, ranges_max> specs_{};
    std::uint8_t size_ = 0;
    Kind kind_ = Kind::invalid;
};

/// A value of Range. Numbers too large for 64 bits are as good as infinite.
RangeSet parse_range(std::string_view value) noexcept;
/// The Range of a request. The caller looks at the method: it has a meaning for GET only (§14.2).
RangeSet parse_range(FieldSpan request) noexcept;

/// What a Range comes to, for one representation.
class ResolvedRanges {
public:
    enum class Answer : std::uint8_t {
        whole,          // ignore the Range: 200
        partial,        // 206: one range plainly, several as multipart/byteranges
        unsatisfiable,  // 416
    };

    Answer answer() const noexcept { return answer_; }
    /// In the order asked, apart from each other by a byte at least, each inside the representation; empty unless
    /// `partial`. What touched is one, in the place of the first of them.
    std::span<const ByteRange> ranges() const noexcept { return std::span(ranges_).first(size_); }

private:
    friend ResolvedRanges resolve(const RangeSet&, std::uint64_t) noexcept;
    bool is_flood(std::uint64_t complete_length) const noexcept;
    void coalesce() noexcept;

    std::array<ByteRange, ranges_max> ranges_{};
    std::uint8_t size_ = 0;
    Answer answer_ = Answer::whole;
};

/// For a representation of `complete_length` bytes (RFC 9110 §14.1.2). More than two ranges that overlap, or more bytes
/// asked for than there are, are a flood (§17.15) and ignored. A last part of an empty representation is all of it.
ResolvedRanges resolve(const RangeSet&, std::uint64_t complete_length) noexcept;

/// Content-Range (RFC 9110 §14.4) of the unit `bytes`.
struct ContentRange {
    enum class Kind : std::uint8_t {
        invalid,      // also of another unit: the content is not to be combined with anything
        range,        // of a 206
        unsatisfied,  // of a 416: only `complete` is set
    };

    Kind kind = Kind::invalid;
    ByteRange range;
    std::optional<std::uint64_t> complete;  // nothing: "*", the sender does not know it

    friend bool operator==(const ContentRange&, const ContentRange&) = default;
};
ContentRange parse_content_range(std::string_view value) noexcept;

/// "bytes " and three numbers of 20 digits; a Range with one spec is shorter.
inline constexpr std::size_t range_text_bytes = 6 + 3 * 20 + 2;
using RangeText = std::array<char, range_text_bytes>;

/// Each writes into `out` and returns the view of what it wrote: "bytes 0-1/11", "bytes 0-1/*"; "bytes */11";
/// "bytes=5-9", "bytes=5-", "bytes=-5".
std::string_view write_content_range(RangeText& out, ByteRange, std::optional<std::uint64_t> complete) noexcept;
std::string_view write_unsatisfied_range(RangeText& out, std::uint64_t complete) noexcept;
std::string_view write_range(RangeText& out, const RangeSpec&) noexcept;

/// Whether an If-Range lets a Range be looked at (RFC 9110 §13.1.5); the rest are the selected representation's ETag
/// (of the very coding that would be sent: other codings have other bytes), Last-Modified and Date, empty when absent.
/// Tags are compared strongly; a date must be exactly Last-Modified, and that a strong validator (§8.8.2.2).
bool if_range_matches(std::string_view value, std::string_view etag, std::string_view last_modified,
                      std::string_view date, WallTime now) noexcept;

}  // namespace etage::http
