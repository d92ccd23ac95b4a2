#pragma once
// HTTP/1.1 without I/O: bytes in, parsed heads and content out. Strict by construction (THREATS §1.3): what is not in
// the grammar is an error, never guessed. Nothing here allocates.

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

/// What parsing said. On `failed`, `fault` is one of bad_request, uri_too_long, fields_too_large, not_implemented,
/// version_unsupported (requests) or origin_protocol (responses), and `why` is a static text for log and body.
struct ParseOutcome {
    ParseState state = ParseState::incomplete;
    Fault fault = Fault::internal;
    std::string_view why;
};

/// Finds and parses one message head at the front of a growing buffer. Feed it the whole buffer each time; it remembers
/// how far it has searched, so a head that comes byte by byte costs linear time. One object per connection and
/// direction; reset() after each message.
class HeadParser {
public:
    explicit HeadParser(const HeadLimits& limits = {}) noexcept : limits_(limits) {}

    /// On `complete`, `out` borrows from `bytes` and `slots`; out.head_bytes is where content begins. Empty lines before
    /// the request line are skipped (RFC 9112 §2.2), at most four.
    ParseOutcome parse_request(std::string_view bytes, FieldSlots& slots, RequestHead& out) noexcept;

    /// `request_method` decides whether there is content (RFC 9112 §6.3). 1xx heads are returned like others.
    ParseOutcome parse_response(std::string_view bytes, Method request_method, FieldSlots& slots,
                                ResponseHead& out) noexcept;

    void reset() noexcept { searched_ = 0; line_checked_ = false; }

private:
    HeadLimits limits_;
    std::size_t searched_ = 0;    // bytes known to hold no end of head
    bool line_checked_ = false;
};

/// Decodes the content of one message: length-delimited, chunked or until close. Chunk extensions and trailers are
/// bounded, checked and dropped.
class BodyDecoder {
public:
    BodyDecoder() = default;
    BodyDecoder(BodyKind kind, std::uint64_t content_length) noexcept;

    struct Step {
        std::size_t consumed = 0;     // bytes of the input that are dealt with
        std::string_view content;     // borrowed from the input; may be empty
        bool finished = false;        // the message has ended; the rest of the input is not ours
        bool failed = false;          // framing error: close the connection
        std::string_view why;
    };

    /// Takes from the front of `bytes` as much as yields one piece of content. Call again with the rest until it neither
    /// consumes nor finishes. `until_close` never finishes here: the caller knows the end of the connection.
    Step step(std::string_view bytes) noexcept;

    bool finished() const noexcept { return state_ == State::done; }
    BodyKind kind() const noexcept { return kind_; }

private:
    enum class State : std::uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer, done, failed };

    Step step_chunked(std::string_view bytes) noexcept;

    BodyKind kind_ = BodyKind::none;
    State state_ = State::done;
    std::uint64_t left_ = 0;          // of the content (length) or of the chunk
    std::uint8_t digits_ = 0;
    std::uint32_t overhead_ = 0;      // extension and trailer bytes so far
    std::uint32_t line_ = 0;          // bytes of the current trailer line
    std::uint8_t trailer_state_ = 0;
};

}  // namespace etage::http
