#pragma once
// Positions in the log of invalidations.

#include <cstdint>

namespace etage {

/// A position in the log: larger is later. With Redis it is `ms << 20 | n` of the stream id; in one process a counter.
using Sequence = std::uint64_t;

/// Hash of a tag (kind and text). A collision can only invalidate too much, never too little.
using TagHash = std::uint64_t;

}  // namespace etage
