#pragma once
// Partial content (RFC 9110 §14, §15.3.7; RFC 9111 §3.3, §3.4): what may be asked for, kept and put together.

#include "http/message.hpp"
#include "http/range.hpp"

#include <etage/time.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace etage::policy {

/// The range of a GET that asks for one range, takes it uncoded, and makes it depend on nothing but If-Range. Such a
/// request can be answered with a part, and forwarded as it is.
std::optional<http::RangeSet> single_range(const http::RequestHead&) noexcept;

/// What a 206 holds. Nothing when that cannot be told: no Content-Range in bytes, or of a representation of unknown
/// length, or one that contradicts the length of the content, several ranges, or ranges of a coding, which nobody could
/// decode (RFC 9110 §14.1.1: they are of the encoded bytes).
std::optional<http::Part> part_of(http::FieldSpan response, std::optional<std::uint64_t> content_length) noexcept;

/// Does the part have every byte that the range comes to?
bool holds(const http::Part&, const http::RangeSet&) noexcept;

/// What the part lacks to be whole, when that is a beginning or an end.
std::optional<http::ByteRange> missing_piece(const http::Part&) noexcept;

/// The strong validator of a response, borrowed: its ETag, or without one a Last-Modified that is old enough (RFC 9110
/// §8.8.2.2). Empty when there is none.
std::string_view strong_validator(http::FieldSpan response, WallTime now) noexcept;

/// RFC 9110 §15.3.7.3: parts may be put together when their responses have the same strong validator.
bool same_representation(http::FieldSpan, http::FieldSpan, WallTime now) noexcept;

/// The range of both together, when they touch.
std::optional<http::ByteRange> together(const http::Part&, const http::Part&) noexcept;

}  // namespace etage::policy
