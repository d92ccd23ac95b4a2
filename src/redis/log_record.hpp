#pragma once
// One invalidation as the fields of an XADD, and back. The form is public (docs/formats.md): any language may append.
//
//   tag posts · key v1:posts:… · url http://host/posts?a=1 or /posts · prefix /posts · host example.com ·
//   group "http://host name" · all 1 · soft 1 · by <instance> · genesis 1 · ratchet 1 · step 1
//
// Each may be there several times. Whatever is not understood invalidates everything: who wrote it wanted something
// gone.

#include "flow/invalidation.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etage::redis {

struct LogRecord {
    flow::Invalidation what;  // without targets: a mark
    std::string by;           // the instance; empty: a foreign hand
    std::string trouble;      // what was not understood, for people; then `what` is everything
};

/// Names and values in turn; never empty. `by` may be.
std::vector<std::string> record_fields(const flow::Invalidation& invalidation, std::string_view by);

/// Names and values in turn, as Redis gives them.
LogRecord read_record(std::span<const std::string_view> fields);

/// An invalidation in pieces of which each makes a record of so many bytes, if its targets allow. One without targets
/// is one piece: a mark.
inline constexpr std::size_t record_bytes_max = std::size_t{64} << 10;  // a row of docs/limits.md
std::vector<flow::Invalidation> in_pieces(flow::Invalidation invalidation, std::size_t bytes_max = record_bytes_max);

}  // namespace etage::redis
