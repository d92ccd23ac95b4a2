#pragma once
// gzip (RFC 1952) for whole bodies, through libdeflate.

#include "codec/coding.hpp"

namespace etage::codec {

/// Compresses at `level` (1..12). Nothing when the result would not be smaller than the input by at least an eighth.
/// Thread-safe; CPU-bound: call it off the event loop. A thread keeps 0.7 MiB for each level up to 9 that it used; the
/// higher ones take 9 MiB while they work.
std::optional<std::string> gzip(std::string_view content, int level);

/// Decompresses all members; `too_large` when they would exceed `bytes_max`. Holds at most twice `bytes_max`.
Decoded gunzip(std::string_view compressed, std::size_t bytes_max);

}  // namespace etage::codec
