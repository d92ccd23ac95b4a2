#pragma once
// What is written once for many answers: the fields a client may see, the heads and codings of an entry.

#include "policy/route.hpp"
#include "store/entry.hpp"

#include <etage/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etage::flow {

/// RFC 9110 §6.4.1: whether an answer with this status has content at all.
bool has_content(int status) noexcept;

/// RFC 9110 §15.4.5: of the representation metadata only what guides cache updates belongs in a 304.
bool belongs_in_304(const http::Field& field) noexcept;

/// RFC 9110 §12.5.5, once.
void add_vary_accept_encoding(http::Fields& fields);

/// RateLimit, RateLimit-Policy, X-RateLimit-*: they speak of whoever asked the origin, and are never stored.
bool is_limit_field(const http::Field& field) noexcept;

/// What a client may see of an origin's fields, under the route's rules: without hop-by-hop, tag and Age fields,
/// with the route's Cache-Control and a Date.
struct Presentation {
    const policy::Route* route = nullptr;
    bool per_user = false;  // the identity is in the key: `private` unless the route says otherwise
    WallTime now{};
    bool for_one =
        false;  // of whoever asked: what the route tells caches behind us holds only where it keeps it from them
};
http::Fields client_fields(const http::Fields& origin, const Presentation& how);

/// Fills in `parts.etag`, codings and representations (heads included) from status, fields and content. Makes `coding`
/// too when it pays. What the origin encoded unasked is decoded beside it, when that is no more than
/// `decoded_bytes_max`. CPU-bound then, meant for a compressor thread. `parts.fields`, `parts.status` are set before.
void shape_entry(store::EntryParts& parts, std::string content, const Presentation& how, http::Coding coding,
                 std::size_t decoded_bytes_max);

/// More bytes than this for each encoded one are no content but an attack, or a mistake.
inline constexpr std::uint32_t decoded_ratio_max = 256;

/// The fields of a head that was written, without Content-Length.
http::Fields fields_of_head(std::string_view head);

/// The same response with a coding it did not have, or has not as small as it gets (`again`). CPU-bound. Precondition:
/// codable.
base::Ref<const store::Entry> with_coding(const store::Entry&, http::Coding coding, bool again);

/// True when this content is worth a coding, all but Content-Encoding considered: then the answer varies on
/// Accept-Encoding even while it is streamed.
bool would_compress(int status, http::FieldSpan fields, std::optional<std::uint64_t> length,
                    const policy::Route* route);

}  // namespace etage::flow
