#pragma once
// What would happen to a GET, room by room, without anything happening: nothing is fetched or touched.

#include "flow/rooms.hpp"
#include "gateway/house.hpp"

#include <etage/time.hpp>

#include <asio/awaitable.hpp>

#include <string>

namespace etage::gateway {

/// A JSON object. Errors: bad_request when the URL is none.
asio::awaitable<Result<std::string>> explain_request(const flow::Rooms& rooms, ExplainRequest request, Now now);

}  // namespace etage::gateway
