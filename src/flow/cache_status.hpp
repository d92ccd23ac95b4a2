#pragma once
// Cache-Status (RFC 9211): the verdict in words.

#include "http/h1_writer.hpp"

#include <etage/verdict.hpp>

namespace etage::flow {

/// Appends "Cache-Status: etage; hit; ttl=57" and its relatives. Ours is the last member of the list: the origin's own
/// line, if any, stands before it in the head (RFC 9211 §2: closest to the origin first).
void append_cache_status(http::FieldTail& tail, const Verdict& verdict) noexcept;

}  // namespace etage::flow
