#include "coherence/tag.hpp"

#include "base/hash.hpp"

namespace etage::coherence {

TagHash tag_hash(TagKind kind, std::string_view text) noexcept {
    const char prefix = static_cast<char>(kind);
    return base::strong_hash({&prefix, 1}, text).high;
}

}  // namespace etage::coherence
