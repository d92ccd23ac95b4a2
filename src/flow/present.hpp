#pragma once
// In which shape (step 8): answers made from entries, streams and errors.

#include "flow/answer.hpp"
#include "flow/flight.hpp"
#include "flow/shape.hpp"

namespace etage::flow {

struct Presented {
    bool not_modified = false;
    http::Coding wanted = http::Coding::identity;  // what would have been sent if every coding were there
};

/// Everything of `out` but the tail's Age and Cache-Status, from an entry. No allocation but for 416 and several
/// ranges. A part that does not cover what is asked for is sent as it is.
Presented present_entry(const Visit& visit, base::Ref<const store::Entry> entry, Answer& out);

/// A GET that has a Range, of a stored 200 whose preconditions hold, or of a part: 206 or 416. False:
/// the Range says nothing here (no grammar, a flood, an If-Range that does not match), and the whole is the answer. One
/// range allocates nothing. Takes `entry` when it answers from it.
bool present_ranges(const Visit& visit, base::Ref<const store::Entry>& entry, Answer& out);

/// May what is stored answer this request? Of a whole always; of a part when it has the one range that is asked
/// for, and nothing else decides about it but an If-Range that holds.
bool covers(const Visit& visit, const store::Entry& entry) noexcept;

/// A response that is not (yet) stored, streamed or whole. `varies`: add Vary: Accept-Encoding.
void present_response(const Visit& visit, int status, std::string_view reason, const http::Fields& client_side,
                      std::optional<std::uint64_t> length, bool varies, Answer& out);

/// 304 or 412 to a conditional request, as the validators of a response say whose content is still coming. `fields`:
/// of the client, for the whole answer. False: the whole is the answer.
bool present_condition(const Visit& visit, const Arriving& arriving, const http::Fields& fields, bool varies,
                       Answer& out);

/// A small answer of Etage's own: problem+json (RFC 9457).
void present_problem(const Visit& visit, int status, std::string_view detail, std::string_view extra_fields,
                     Answer& out);

/// The same with a document of its own.
void present_problem_document(const Visit& visit, int status, std::string document, std::string_view extra_fields,
                              Answer& out);

/// A 200 of Etage's own.
void present_page(const Visit& visit, const http::Fields& fields, std::string content, Answer& out);

/// Fields for this one answer that no entry carries.
void add_to_head(const http::Fields& fields, Answer& out);

/// Age and Cache-Status for an answer from an entry.
void append_reuse_fields(const Visit& visit, const store::Entry& entry, Answer& out) noexcept;

}  // namespace etage::flow
