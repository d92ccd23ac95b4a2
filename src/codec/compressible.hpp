#pragma once
// Which content is worth an encoding.

#include <cstddef>
#include <string_view>

namespace etage::codec {

/// DESIGN §5: smaller bodies are sent as they are.
inline constexpr std::size_t compress_bytes_min = 600;

/// Whether compressing content of this type is worth it: text/*, JSON, XML, JavaScript, SVG, WebAssembly, fonts and
/// icons that are not compressed yet, … (parameters ignored, case folded); not other images, video, archives, event
/// streams.
bool is_compressible(std::string_view content_type) noexcept;

}  // namespace etage::codec
