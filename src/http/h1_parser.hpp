#pragma once
// HTTP/1.1 without I/O: bytes in, parsed heads and content out. Strict by construction (THREATS §1.3): what is not in
// the grammar is an error, never guessed. Nothing here allocates.

#include "http/h1_body.hpp"
#include "http/h1_refusal.hpp"
#include "http/message.hpp"

#include <etage/error.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace etage::http {

/// Rows of docs/limits.md.
struct HeadLimits {
    std::size_t request_line_bytes_max = 8 * 1024;  // over it: 414
    std::size_t head_bytes_max = 32 * 1024;         // over it: 431
    std::size_t fields_max = 100;                   // over it: 431; at most fields_capacity
};
inline constexpr std::size_t fields_capacity = 128;

/// Where the parser puts field lines. Reused between messages; a RequestHead borrows from it.
using FieldSlots = std::array<Field, fields_capacity>;

enum class ParseState : std::uint8_t { incomplete, complete, failed };

/// What parsing said. On `failed`, `fault` is one of bad_request, uri_too_long, fields_too_large, expectation_failed,
/// not_implemented, version_unsupported (requests) or origin_protocol (responses), and `why` is a static text for log
/// and body.
struct ParseOutcome {
    ParseState state = ParseState::incomplete;
    Fault fault = Fault::internal;
    std::string_view why;
};

/// Finds and parses one message head at the front of a growing buffer. Feed it the whole buffer each time; it remembers
/// how far it has searched, so a head that comes byte by byte costs linear time, and says the same as one that comes
/// whole. One object per connection and direction; reset() after each message.
class HeadParser {
public:
    explicit HeadParser(const HeadLimits& limits = {}) noexcept : limits_(limits) {}

    /// On `complete`, `out` borrows from `bytes` and `slots`; out.head_bytes is where content begins. Empty lines
    /// before the request line are skipped (RFC 9112 §2.2), at most four. A bad request line is refused as soon as it
    /// is complete. CONNECT is refused with not_implemented.
    ParseOutcome parse_request(std::string_view bytes, FieldSlots& slots, RequestHead& out) noexcept;

    /// `request_method` decides whether there is content (RFC 9112 §6.3). 1xx heads are returned like others.
    /// out.content_length is what the field says also where there is no content (HEAD, 304).
    ParseOutcome parse_response(std::string_view bytes, Method request_method, FieldSlots& slots,
                                ResponseHead& out) noexcept;

    void reset() noexcept { searched_ = first_line_end_ = 0, first_line_checked_ = false; }

private:
    struct Progress {
        Refusal refusal;
        bool complete = false;
    };

    std::size_t find_end(std::string_view bytes, std::size_t begin) noexcept;
    template <class Head, class Framing>
    Progress parse_lines(std::string_view bytes, std::size_t begin, FieldSlots& slots, Head& out,
                         Framing& framing) noexcept;
    template <class Head>
    Refusal parse_first_line(std::string_view bytes, std::size_t begin, Head& out) const noexcept;
    template <class Head, class Framing>
    Refusal parse_fields(std::string_view bytes, FieldSlots& slots, Head& out, Framing& framing) const noexcept;

    HeadLimits limits_;
    std::size_t searched_ = 0;        // bytes known to hold no end of head
    std::size_t first_line_end_ = 0;  // where the LF of the first line stands; 0: not seen yet
    bool first_line_checked_ = false;
};

}  // namespace etage::http
