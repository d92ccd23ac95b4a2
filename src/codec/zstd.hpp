#pragma once
// zstd (RFC 8878), with the window that RFC 9659 gives the content coding.

#include "codec/coder.hpp"

namespace etage::codec {

/// Nothing when an eighth is not saved, or without memory. The frame says its size and carries a checksum. A thread
/// keeps 1.3 MiB for fast ones; a strong one takes up to 35 MiB while it works.
std::optional<std::string> zstd(std::string_view content, Effort effort);

/// How much content the first frame says it has (RFC 8878 §3.1.1.1.4): a claim. Nothing when it does not say.
std::optional<std::size_t> zstd_claimed_size(std::string_view encoded) noexcept;

/// A window of 128 KiB; 2 MiB. Null without memory.
std::unique_ptr<Encoder> make_zstd_encoder(Effort effort);

/// As large as the window that the frame asks for: up to 8 MiB, and 0.4 MiB. Frames of zstd before 1.0, which the
/// library still knows, are corrupt. Null without memory.
std::unique_ptr<Decoder> make_zstd_decoder();

}  // namespace etage::codec
