#pragma once
// In which shape (step 8): heads written once for entries, and answers made from entries, streams and errors.

#include "flow/answer.hpp"
#include "flow/flight.hpp"

#include <etage/policy.hpp>

namespace etage::flow {

/// What a client may see of an origin's fields, under the route's rules: without hop-by-hop, tag, limit and Age fields,
/// with the route's Cache-Control and a Date.
struct Presentation {
    const policy::Route* route = nullptr;
    bool per_user = false;  // the identity is in the key: `private` unless the route says otherwise
    WallTime now{};
};
http::Fields client_fields(const http::Fields& origin, const Presentation& how);

/// Fills in `parts.etag`, codings and representations (heads included) from status, fields and content. Compresses when
/// it pays; CPU-bound, meant for a compressor thread. `parts.fields`, `parts.status` are set before.
void shape_entry(store::EntryParts& parts, std::string content, const Presentation& how);

/// True when shape_entry would try a coding: then the answer varies on Accept-Encoding even while it is streamed.
bool would_compress(int status, http::FieldSpan fields, std::optional<std::uint64_t> length);

/// Everything of `out` but the tail's Cache-Status, from an entry. No allocation. Returns true for a 304.
bool present_entry(const Visit& visit, base::Ref<const store::Entry> entry, Answer& out) noexcept;

/// A response that is not (yet) stored, streamed or whole. `varies`: add Vary: Accept-Encoding.
void present_response(const Visit& visit, int status, std::string_view reason, const http::Fields& client_side,
                      std::optional<std::uint64_t> length, bool varies, Answer& out);

/// The head of a response whose content is still coming; the caller attaches the stream. Its validators answer
/// conditional requests already.
void present_arriving(const Visit& visit, const Arriving& arriving, const Presentation& how, Answer& out);

/// A small answer of Etage's own: problem+json (RFC 9457).
void present_problem(const Visit& visit, int status, std::string_view detail, std::string_view extra_fields,
                     Answer& out);

/// Fields for this one answer that no entry carries.
void add_to_head(const http::Fields& fields, Answer& out);

/// Age and Cache-Status for an answer from an entry.
void append_reuse_fields(const Visit& visit, const store::Entry& entry, Answer& out) noexcept;

}  // namespace etage::flow
