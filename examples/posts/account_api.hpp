#pragma once
// What is not for everyone: a route with a limit, and one that answers each user alone.

#include <etage/server.hpp>

namespace etage::demo {

/// GET /protected: 120 requests a minute and client address. GET /me: `Authorization: Bearer NAME`, stored per user.
void declare_account(Server& server);

/// The user an Authorization field names. The demo believes every token; a real service checks it here.
std::optional<std::string> user_of(std::string_view authorization);

}  // namespace etage::demo
