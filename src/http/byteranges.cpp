#include "http/byteranges.hpp"

#include <algorithm>
#include <limits>

namespace etage::http {
namespace {

constexpr std::string_view crlf = "\r\n";
constexpr std::string_view dashes = "--";
constexpr std::string_view type_line = "Content-Type: ";
constexpr std::string_view range_line = "Content-Range: ";
constexpr std::string_view boundary_prefix = "etg.";  // RFC 2046 §5.1.1: needs no quotes as a parameter

/// What a head is made of, given to `write` piece by piece, so that its size is that of what is written.
template <class Write>
void write_head(const Byteranges& parts, std::string_view type, std::string_view range, bool is_first, Write&& write) {
    if (!is_first) write(crlf);
    write(dashes), write(parts.boundary()), write(crlf);
    if (!type.empty()) write(type_line), write(type), write(crlf);
    write(range_line), write(range), write(crlf), write(crlf);
}

template <class Write>
void write_end(const Byteranges& parts, Write&& write) {
    write(crlf), write(dashes), write(parts.boundary()), write(dashes), write(crlf);
}

}  // namespace

Byteranges::Byteranges(std::uint64_t bits, std::string_view content_type, std::uint64_t complete_length) noexcept
    : content_type_(content_type), complete_length_(complete_length) {
    constexpr std::string_view hex = "0123456789abcdef";
    auto at = std::ranges::copy(boundary_prefix, boundary_.begin()).out;
    for (; at != boundary_.end(); bits >>= 4) *at++ = hex[bits & 0xF];
}

std::string Byteranges::media_type() const { return std::string("multipart/byteranges; boundary=").append(boundary()); }

void Byteranges::append_head(std::string& out, ByteRange range, bool is_first) const {
    RangeText text;
    write_head(*this, content_type_, write_content_range(text, range, complete_length_), is_first,
               [&](std::string_view piece) { out += piece; });
}

void Byteranges::append_end(std::string& out) const {
    write_end(*this, [&](std::string_view piece) { out += piece; });
}

std::optional<std::uint64_t> Byteranges::content_length(std::span<const ByteRange> ranges) const noexcept {
    std::uint64_t total = 0;
    bool fits = true;
    const auto add = [&](std::uint64_t size) {
        fits = fits && size <= std::numeric_limits<std::uint64_t>::max() - total;
        total += size;
    };
    const auto measure = [&](std::string_view piece) { add(piece.size()); };
    for (const ByteRange& range : ranges) {
        RangeText text;
        write_head(*this, content_type_, write_content_range(text, range, complete_length_), &range == ranges.data(),
                   measure);
        add(range.size());
    }
    write_end(*this, measure);
    return fits ? std::optional(total) : std::nullopt;
}

}  // namespace etage::http
