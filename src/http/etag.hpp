#pragma once
// Entity tags (RFC 9110 §8.8.3) and the strong ones Etage makes: 128 bits of SHA-256 of the identity content, and for
// each content coding the same with a suffix, so that any coding's tag names the same selected representation.

#include "http/message.hpp"
#include "http/negotiation.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace etage::http {

struct EntityTag {
    bool weak = false;
    std::string_view opaque;  // without quotes; borrows
};

/// `W/"…"` or `"…"`, the whole text; otherwise nothing.
std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept;

/// RFC 9110 §8.8.3.2.
bool weakly_equal(const EntityTag&, const EntityTag&) noexcept;
bool strongly_equal(const EntityTag&, const EntityTag&) noexcept;

/// `"` + 32 hex digits + `"`.
std::string make_strong_etag(std::string_view identity_content);

/// The tag of another coding of the same content: `-g`, `-b` or `-z` before the closing quote; identity: unchanged.
/// A weak tag stays weak. `again`: the coding was made a second time, with other bytes: `-G`, `-B`, `-Z`.
std::string etag_for_coding(std::string_view etag, Coding, bool again = false);

/// The tag of the identity content that was decoded from what `etag` is the tag of: `-i` before the closing quote.
std::string etag_for_decoded(std::string_view etag);

/// The weak tag of the same opaque text: for bytes that another time may be others (RFC 9110 §8.8.1). "" for what is no
/// entity tag.
std::string weakened(std::string_view etag);

/// True when If-None-Match (every line, `*`, lists; compared weakly) names `etag`, or the tag that Etage would give to
/// any coding of the same content, or to the content decoded. `etag` is the tag that the others are made from.
/// No allocation.
/// Malformed elements are skipped. Precondition: a representation exists (so `*` matches).
/// `codings`: who has another coding has the same content. Not so for one who asks for a range: of what a 304 leaves
/// them with they would cut the bytes of that coding.
bool if_none_match_hits(FieldSpan request, std::string_view etag, bool codings = true) noexcept;

/// For an origin, which knows nothing of the tags made here: beside each of them in If-Match and If-None-Match, the one
/// it was made from.
void add_original_tags(Fields& request);

/// If-Match: strong comparison, `*`; with the same tolerance for coding suffixes.
bool if_match_hits(FieldSpan request, std::string_view etag) noexcept;

}  // namespace etage::http
