#pragma once
// brotli (RFC 7932), without the large windows that browsers do not know.

#include "codec/coder.hpp"

namespace etage::codec {

/// Nothing when an eighth is not saved, or without memory.
std::optional<std::string> brotli(std::string_view content, Effort effort);

/// A window of 64 KiB; 2 MiB, strong 2.7 MiB. Null without memory.
std::unique_ptr<Encoder> make_brotli_encoder(Effort effort);

/// As large as the window that the stream asks for: up to 16 MiB (RFC 7932 §9.1), and tables. Null without memory.
std::unique_ptr<Decoder> make_brotli_decoder();

}  // namespace etage::codec
