#pragma once
// What the fields of a head say about the message and its connection: where content ends (RFC 9112 §6), whether the
// connection goes on (§9.3), which host is meant (§3.2). Whatever two readers could understand differently is refused.

#include "http/h1_refusal.hpp"
#include "http/message.hpp"

#include <cstdint>
#include <string_view>

namespace etage::http {

/// Told every field line of a head in order, then asked for the conclusion.
class Framing {
public:
    Refusal note(const Field& field) noexcept;

protected:
    /// RFC 9112 §6.1: only exactly "chunked", once, alone, and not in HTTP/1.0.
    Refusal check_transfer_coding(std::uint8_t minor) const noexcept;
    bool keeps_alive(std::uint8_t minor) const noexcept;
    bool chunked() const noexcept { return transfer_codings_ > 0; }
    bool has_length() const noexcept { return has_length_; }
    std::uint64_t length() const noexcept { return length_; }
    bool upgrade_named() const noexcept { return upgrade_named_; }
    bool end_to_end_named() const noexcept { return end_to_end_named_; }
    /// Connection names fields of which we know nothing.
    bool others_named() const noexcept { return others_named_; }

private:
    Refusal note_length(std::string_view value) noexcept;
    Refusal note_connection(std::string_view value) noexcept;

    std::string_view transfer_coding_;
    std::uint64_t length_ = 0;
    std::uint32_t transfer_codings_ = 0;
    bool has_length_ = false;
    bool close_named_ = false;
    bool keep_alive_named_ = false;
    bool upgrade_named_ = false;
    bool end_to_end_named_ = false;
    bool others_named_ = false;
    std::uint32_t connection_options_ = 0;
};

class RequestFraming : public Framing {
public:
    using Framing::others_named;
    Refusal note(const Field& field) noexcept;
    /// Expects method, minor and the target's parts in `out`.
    Refusal conclude(RequestHead& out) const noexcept;

private:
    Refusal note_expect(std::string_view value) noexcept;
    Refusal conclude_host(RequestHead& out) const noexcept;

    std::string_view host_;
    bool has_host_ = false;
    bool has_upgrade_ = false;
    bool expects_continue_ = false;
};

class ResponseFraming : public Framing {
public:
    /// Expects status and minor in `out`.
    Refusal conclude(Method request_method, ResponseHead& out) const noexcept;
};

}  // namespace etage::http
