#pragma once
// Upgrade (RFC 9110 §7.8): which requests may become a tunnel through Etage, and to what.

#include "http/message.hpp"

#include <string>
#include <string_view>

namespace etage::flow {

/// A GET without content that names at least one protocol that can go through a tunnel. Not HTTP itself ("h2c",
/// "HTTP/2.0": requests in it would pass unseen), nor TLS. Asked of every request; cheap when it wants no upgrade.
bool wants_tunnel(const http::RequestHead& request) noexcept;

/// Those protocols, as a field value; "" without any.
std::string tunnel_protocols(const http::RequestHead& request);

}  // namespace etage::flow
