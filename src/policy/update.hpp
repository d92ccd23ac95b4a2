#pragma once
// What a later response may change of a stored one (RFC 9111 §3.2, §4.3.4, §4.3.5), and what is not stored of any.

#include "http/cache_control.hpp"
#include "http/message.hpp"

#include <cstdint>
#include <optional>

namespace etage::policy {

/// The stored fields with those of a validating response (a 304, or a 200 to HEAD) in their place. Not taken over is
/// what describes the message or content it came with: Content-Length, -Encoding, -Range, Transfer-Encoding, digests
/// of the content, ETag; nor Set-Cookie (law 12). Date and Age are the update's alone: without them it is as old as its
/// arrival.
http::Fields updated_fields(const http::Fields& stored, const http::Fields& update);

/// RFC 9111 §4.3.4: is a 304 about this stored response? Not when it has another tag, and its date was asked about
/// beside its tag: many an origin looks at the date alone, which has not changed within a second. When its tag alone
/// was asked about, the 304 has found it, whatever it says besides. Of several tags one is enough; weakness does not
/// count.
bool validates(http::FieldSpan not_modified, http::FieldSpan stored) noexcept;

/// RFC 9111 §4.3.5: does a 200 to HEAD speak of what is stored for GET? Its validators, as far as it has some, and its
/// Content-Length, if it has one, must be the stored ones; else the stored response is to be considered stale.
bool head_speaks_of(http::FieldSpan head, std::optional<std::uint64_t> head_length, http::FieldSpan stored,
                    std::uint64_t stored_length) noexcept;

/// RFC 9111 §5.2.2.4, §5.2.2.7: the response may be kept without the fields that no-cache="…" or private="…" lists.
/// False when the list is empty, or names what the cache itself works with (Vary, Cache-Control, Content-Type …): then
/// the directive is taken for the whole response.
bool keeps_without(std::string_view listed_fields) noexcept;

/// Takes out of `response` the fields that are listed, and returns them: they are for the one whose request was
/// forwarded, and for no one later. `per_user`: the key belongs to one user, who may have what is private.
http::Fields take_withheld(http::Fields& response, const http::ResponseCacheControl& governing, bool per_user);

}  // namespace etage::policy
