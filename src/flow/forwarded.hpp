#pragma once
// What the origin is asked in a client's name (laws 1, 3 and 6 of THREATS §2.1).

#include "flow/origin.hpp"
#include "http/message.hpp"
#include "policy/route.hpp"

#include <string_view>

namespace etage::flow {

/// The request without its content: the key's target and authority, end-to-end fields, nothing by which a client could
/// make the origin answer for another request than the key says. `fill`: it is for everybody, so what this client alone
/// wants stays here. `client`: its address. `via`: "1.1 pseudonym", or "" when handlers of this process answer and no
/// proxy is to be told of.
OriginRequest origin_request(const http::RequestHead& request, std::string_view scheme, std::string_view client,
                             const policy::Match& match, bool fill, std::string_view via);

}  // namespace etage::flow
