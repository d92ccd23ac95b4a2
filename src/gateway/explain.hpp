#pragma once
// What would happen to a GET, room by room, without anything happening: nothing is fetched, counted or touched.

#include "flow/rooms.hpp"
#include "gateway/house.hpp"

#include <etage/time.hpp>

#include <string>

namespace etage::gateway {

/// A JSON object. Errors: bad_request when the URL is none.
Result<std::string> explain_request(const flow::Rooms& rooms, const ExplainRequest& request, Now now);

}  // namespace etage::gateway
