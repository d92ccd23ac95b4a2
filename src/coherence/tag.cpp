#include "coherence/tag.hpp"

#include "base/hash.hpp"

namespace etage::coherence {

TagHash tag_hash(TagKind kind, std::string_view text) noexcept {
    // Kinds far apart in all 64 bits: with neighbouring seeds XXH3 lets the last byte of a short text make up for the
    // seed, and the surrogate key "x" could stand for the host "y".
    const std::uint64_t seed = (static_cast<std::uint64_t>(kind) + 1) * 0x9E37'79B9'7F4A'7C15U;
    return base::hash64(text, seed);
}

}  // namespace etage::coherence
