#pragma once
// HTTP/1.1 serialisation, from parsed parts only: what a peer framed never leaves as it came.

#include "http/message.hpp"
#include "http/token.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace etage::http {

/// "HTTP/1.1 200 OK\r\n". An empty reason becomes reason_phrase(status).
void append_status_line(std::string& out, int status, std::string_view reason = {});

/// "GET /x HTTP/1.1\r\n".
void append_request_line(std::string& out, std::string_view method, std::string_view target);

/// "Name: value\r\n". Precondition: no CR, LF or NUL in either (parsers and is_field_value guarantee it).
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_field(std::string& out, FieldId id, std::string_view value);

/// Chunk framing (RFC 9112 §7.1): writes "1a\r\n" into `out` and returns the used part; the caller sends it, the
/// content, then "\r\n".
std::string_view chunk_head(std::array<char, 20>& out, std::uint64_t size) noexcept;
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// RFC 9110 §5.5: visible characters, SP, HTAB and obs-text; no CR, LF, NUL or other control.
bool is_field_value(std::string_view) noexcept;

/// Removes what must not be forwarded (RFC 9110 §7.6.1): Connection and all it names but known end-to-end fields,
/// Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade, Proxy-Authenticate/-Authorization,
/// HTTP2-Settings; and Content-Length (framing is ours).
void remove_hop_by_hop(Fields&);

/// A small field block written without allocation, on the stack of whoever answers: `Age`, `Cache-Status`, …
/// Appends beyond the capacity are dropped whole field by whole field and `overflowed()` says so.
class FieldTail {
public:
    void field(std::string_view name_and_colon, std::string_view value) noexcept;  // field("Age: ", "5")
    void begin(std::string_view name_and_colon) noexcept;                          // then text()/number()…, end()
    void text(std::string_view) noexcept;
    void number(std::int64_t) noexcept;
    void end() noexcept;
    std::string_view view() const noexcept { return {bytes_.data(), size_}; }
    bool overflowed() const noexcept { return overflowed_; }
    void clear() noexcept {
        size_ = 0;
        start_ = 0;
        overflowed_ = broken_ = false;
    }

private:
    std::array<char, 2048> bytes_;
    std::size_t size_ = 0;   // up to the last whole field, or further while one is open
    std::size_t start_ = 0;  // where the open field began
    bool overflowed_ = false;
    bool broken_ = false;  // the open field does not fit
};

}  // namespace etage::http
