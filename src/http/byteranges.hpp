#pragma once
// multipart/byteranges (RFC 9110 §14.6): the text between several ranges of one representation.

#include "http/range.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace etage::http {

/// Writes what stands around the parts of one answer: for each range a head and then its bytes, at last the end.
/// `content_type` is borrowed.
class Byteranges {
public:
    /// `bits` make the boundary. The same bits make the same one, so that an answer can be repeated; whoever writes the
    /// representation should not be able to foresee them. Without a `content_type` the parts have none.
    Byteranges(std::uint64_t bits, std::string_view content_type, std::uint64_t complete_length) noexcept;

    std::string_view boundary() const noexcept { return {boundary_.data(), boundary_.size()}; }
    /// The Content-Type of the answer.
    std::string media_type() const;

    /// What precedes the bytes of a range. `is_first`: nothing was written before it.
    void append_head(std::string& out, ByteRange, bool is_first) const;
    void append_end(std::string& out) const;

    /// Of the whole content, to the byte. Nothing when it does not fit into 64 bits.
    std::optional<std::uint64_t> content_length(std::span<const ByteRange>) const noexcept;

private:
    std::array<char, 20> boundary_{};
    std::string_view content_type_;
    std::uint64_t complete_length_;
};

}  // namespace etage::http
