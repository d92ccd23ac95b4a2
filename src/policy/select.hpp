#pragma once
// In which shape (step 8): preconditions and codings against a stored response (RFC 9110 §13, §12.5.3).

#include "http/message.hpp"
#include "http/negotiation.hpp"

#include <etage/time.hpp>

#include <cstdint>
#include <string_view>

namespace etage::policy {

enum class Shape : std::uint8_t { full, not_modified, precondition_failed };

/// What selection needs to know of a stored response.
struct Selectable {
    int status = 200;
    std::string_view etag;           // that the tags of all codings are made from; may be empty
    std::string_view last_modified;  // may be empty
    http::CodingSet codings;
    http::FieldSpan fields{};          // of the response: Date stands in for a missing Last-Modified
    std::string_view identity_etag{};  // of the identity coding, where it is another
};

struct Selection {
    Shape shape = Shape::full;
    http::Coding coding = http::Coding::identity;
    http::Coding wanted = http::Coding::identity;  // what would be chosen if every coding were there
    bool ranges = false;  // `full`, and a GET that has a Range: RFC 9110 §13.2.2, step 5, is to be looked at
};

/// If-None-Match before If-Modified-Since, If-Match before If-Unmodified-Since (RFC 9110 §13.2.2); only for GET, HEAD
/// and QUERY and only for a 200 (elsewhere: full). If-Modified-Since is compared with Date when there is no
/// Last-Modified (RFC 9111 §4.3.2); what is no date is no condition. The coding is the best one stored; when none is
/// acceptable, identity: RFC 9110 §12.5.3 leaves it to the server, and content that is not asked for in this form
/// serves more clients than a 406. No allocation.
Selection select(const http::RequestHead& request, const Selectable& stored, WallTime now) noexcept;

}  // namespace etage::policy
