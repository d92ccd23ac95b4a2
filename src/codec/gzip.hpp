#pragma once
// gzip (RFC 1952) for whole bodies, through libdeflate.

#include <optional>
#include <string>
#include <string_view>

namespace etage::codec {

/// Compresses at `level` (1..12). Nothing when the result would not be smaller than the input by at least an eighth.
/// Thread-safe; CPU-bound: call it off the event loop.
std::optional<std::string> gzip(std::string_view content, int level);

/// Decompresses; nothing when the input is not gzip, is truncated, or would exceed `bytes_max`.
std::optional<std::string> gunzip(std::string_view compressed, std::size_t bytes_max);

/// Whether compressing content of this type is worth it: text/*, JSON, XML, JavaScript, SVG, … (parameters ignored,
/// case folded); not images, video, archives, event streams.
bool is_compressible(std::string_view content_type) noexcept;

/// DESIGN §5: smaller bodies are sent as they are.
inline constexpr std::size_t compress_bytes_min = 600;

}  // namespace etage::codec
