#pragma once
// Writing a request to an upstream: the head in one piece, the content as it comes.

#include "flow/origin.hpp"
#include "origin/response_head.hpp"
#include "origin/upstream_connection.hpp"

#include <asio/awaitable.hpp>

#include <string>
#include <string_view>

namespace etage::origin {

/// Appends request line, Host, end-to-end fields and framing (RFC 9112 §6.3), made from the parts only. `authority`
/// stands in when the request names none.
void append_request_head(std::string& out, const flow::OriginRequest& request, std::string_view authority);

/// Content that the client holds back is asked for when the upstream has asked for it. An answer that comes meanwhile
/// ends the sending at once, also while the client is slow.
///
/// True: everything is sent. False: not, but the answer is there or the connection has ended, so look there. Errors:
/// the client's (its body failed, or is not as long as it said) or origin_timeout; the connection is of no use then.
asio::awaitable<Result<bool>> send_request(UpstreamConnection& connection, const flow::OriginRequest& request,
                                           std::string_view authority, Duration patience, ResponseHeadReader& answer);

}  // namespace etage::origin
