#pragma once
// Which content is worth an encoding.

#include <string_view>

namespace etage::codec {

/// Whether compressing content of this type is worth it: text/*, JSON, XML, JavaScript, SVG, WebAssembly, fonts and
/// icons that are not compressed yet, … (parameters ignored, case folded); not other images, video, archives, event
/// streams.
bool is_compressible(std::string_view content_type) noexcept;

}  // namespace etage::codec
