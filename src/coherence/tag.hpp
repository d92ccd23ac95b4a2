#pragma once
// Everything a tag (DESIGN §4): surrogate keys, and implicit tags for the key itself, the URI, path prefixes, host,
// route, user, everything, and all URIs whose queries make no difference. One hash names a tag; its kind is part of it,
// so a surrogate key can never imitate a URI.

#include <etage/sequence.hpp>

#include <cstdint>
#include <string_view>

namespace etage::coherence {

enum class TagKind : std::uint8_t { everything, surrogate, key, uri, prefix, host, route, user, group, search };

/// Equal on every instance and in every version (it lies in Redis): the first 8 bytes of SHA-256 of kind and text. A
/// collision can only invalidate too much, but clients choose URIs and may write to them: one that stands for
/// `everything` must not be found. Thread-safe.
TagHash tag_hash(TagKind kind, std::string_view text) noexcept;

}  // namespace etage::coherence
