#pragma once
// Where the content of a message ends, and what of the bytes is content (RFC 9112 §6, §7). No I/O, no allocation.

#include "http/message.hpp"

#include <cstdint>
#include <string_view>

namespace etage::http {

/// Chunk extensions and trailers of one message together, in bytes (RFC 9112 §7.1.1 asks for a limit). A row of
/// docs/limits.md.
inline constexpr std::uint32_t chunk_overhead_bytes_max = 16 * 1024;

/// Decodes the content of one message: length-delimited, chunked or until close. Chunk extensions and trailers are
/// bounded, checked and dropped.
class BodyDecoder {
public:
    BodyDecoder() = default;
    BodyDecoder(BodyKind kind, std::uint64_t content_length) noexcept;

    struct Step {
        std::size_t consumed = 0;  // bytes of the input that are dealt with
        std::string_view content;  // borrowed from the input; may be empty
        bool finished = false;     // the message has ended; the rest of the input is not ours
        bool failed = false;       // framing error: close the connection
        std::string_view why;
    };

    /// Takes from the front of `bytes` as much as yields one piece of content, and the framing behind it. Call again
    /// with the rest until it neither consumes nor finishes. `until_close` never finishes here: the caller knows the
    /// end of the connection. A failed decoder stays failed.
    Step step(std::string_view bytes) noexcept;

    bool finished() const noexcept { return state_ == State::done; }
    BodyKind kind() const noexcept { return kind_; }

private:
    /// What may come next.
    enum class State : std::uint8_t {
        size,             // a digit of the chunk size, or what ends it
        extension_begin,  // blanks, then ';'
        extension_name_begin,
        extension_name,
        extension_equals,  // blanks, then '=' or ';'
        extension_value_begin,
        extension_token,
        extension_quoted,
        extension_escaped,
        extension_end,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_begin,  // a trailer's name, or the last line end
        trailer_name,
        trailer_value,
        trailer_lf,
        last_lf,
        done,
        failed,
    };

    Step step_chunked(std::string_view bytes) noexcept;
    Step fail(Step at, std::string_view why) noexcept;
    // The byte is taken and the state moved on, or false: not in the grammar.
    bool take_framing(char c) noexcept;
    bool take_size(char c) noexcept;
    bool take_extension(char c) noexcept;
    bool take_trailer(char c) noexcept;
    bool end_extension(char c) noexcept;
    bool expect(char c, char wanted, State next) noexcept;
    bool become(State next) noexcept;

    BodyKind kind_ = BodyKind::none;
    State state_ = State::done;
    std::uint8_t digits_ = 0;     // of the chunk size so far
    std::uint32_t overhead_ = 0;  // extension and trailer bytes so far
    std::uint64_t left_ = 0;      // of the content (length) or of the chunk
};

/// What is wrong with the content at the front of `bytes`, as far as it has arrived; "" when nothing is. `decoder`: at
/// that place; a copy, so nothing is taken.
std::string_view why_malformed(BodyDecoder decoder, std::string_view bytes) noexcept;

}  // namespace etage::http
