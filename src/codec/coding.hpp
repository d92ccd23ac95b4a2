#pragma once
// Content codings (RFC 9110 §8.4.1): gzip (RFC 1952), brotli (RFC 7932), zstd (RFC 8878 with the window of RFC 9659).
// Whole bodies here, streams in codec/stream.hpp.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace etage::codec {

enum class Format : std::uint8_t { gzip, brotli, zstd };

/// How much work a body is worth. `fast` is for one that may be asked for once, `strong` for one that is asked for
/// often: a tenth smaller, for ten times the work. Its levels are lower for large bodies, so that 8 MiB take a second
/// and a half.
///
/// Size and speed with JSON of posts, on one core (gzip 6 and 10; brotli 5 and 11, over 128 KiB 9; zstd 3 and 17, over
/// 1 MiB 15):
///
///                      20 kB            200 kB               2 MB
///     gzip    fast     0.27   83 MB/s   0.25     58 MB/s     0.25   57 MB/s
///             strong   0.26   11 MB/s   0.23      8 MB/s     0.22    8 MB/s
///     brotli  fast     0.26   86 MB/s   0.26     54 MB/s     0.25   48 MB/s
///             strong   0.23    1 MB/s   0.23      8 MB/s     0.22   11 MB/s
///     zstd    fast     0.27  408 MB/s   0.26    411 MB/s     0.25  312 MB/s
///             strong   0.24    9 MB/s   0.21      5 MB/s     0.21    6 MB/s
enum class Effort : std::uint8_t { fast, strong };

/// The content in `format`. Nothing when it would not be smaller by at least an eighth, or without memory. The same
/// content makes the same bytes. Thread-safe; CPU-bound: call it off the event loop.
std::optional<std::string> encode(Format format, std::string_view content, Effort effort);

/// What decoding may make. Both are to be given: only the caller knows what it can hold.
struct DecodeLimits {
    std::size_t bytes_max;    // of the content
    std::uint32_t ratio_max;  // content bytes for each encoded one, once there are more than `ratio_free_bytes`
};

/// Below this the ratio is not looked at: a page of blanks is no bomb.
inline constexpr std::size_t ratio_free_bytes = std::size_t{1} << 20;

enum class DecodeFault : std::uint8_t {
    corrupt,    // not in the format, damaged, cut short, or followed by something else
    too_large,  // perhaps in the format, but more than the limits allow, or a zstd window of more than 8 MiB
    no_memory,  // the library got none
};

using Decoded = std::expected<std::string, DecodeFault>;

/// The content of a whole body. gzip may be several members, zstd several frames. Holds at most twice what the limits
/// allow (while it grows), and the library's window: none for gzip, 16 MiB for brotli, 8 MiB for zstd. Thread-safe;
/// CPU-bound.
Decoded decode(Format format, std::string_view encoded, DecodeLimits limits);

}  // namespace etage::codec
