#pragma once
// The JSON of POST /purge (DESIGN §10): strict, because a purge that was misunderstood looks like one that worked.

#include "flow/invalidation.hpp"
#include "gateway/house.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace etage::gateway {

/// Things one request may name; a row of docs/limits.md.
inline constexpr std::size_t purge_items_max = 10'000;

/// The request, or what is wrong with it, for people.
std::expected<PurgeRequest, std::string> parse_purge_request(std::string_view json);

/// What it names, in the words of the log. Errors: bad_request for a URL that is none.
Result<flow::Invalidation> invalidation_of(const PurgeRequest& request);

/// Everything it names, for people: "tag posts, url /posts/7"; no longer than a line of log takes.
std::string words_of(const PurgeRequest& request);

/// `{"seq": "…", "instances": {"confirmed": 1, "live": 1}}`. The position is text: it has more bits than a JavaScript
/// number.
std::string purge_receipt_json(const PurgeReceipt& receipt);

}  // namespace etage::gateway
