#pragma once
// What a request is called (step 3; DESIGN §6): length-prefixed parts, so that no two requests share a key by accident.

#include "base/hash.hpp"
#include "http/message.hpp"
#include "policy/route.hpp"

#include <string>
#include <string_view>

namespace etage::policy {

/// Who the user is, for per-user routes: read from the route's header or cookie, else from Authorization.
struct Identity {
    bool present = false;
    bool from_authorization = false;
    std::string_view text;   // borrowed from the request; never stored or logged as it is, only hashed with a secret
};

Identity identity_of(const Route* route, const http::RequestHead& request) noexcept;

struct KeyInput {
    const http::RequestHead& request;
    const Route* route = nullptr;    // null: a standards cache without policy
    std::string_view scheme;         // of the listener: "http" or "https"
    const Identity& identity;
    std::uint64_t secret = 0;        // keyed hash of the identity
};

inline constexpr std::size_t key_bytes_max = 8 * 1024;   // a longer key: not cached (Detail::key_too_long)

/// Clears `out` and writes the key: version prefix, route name, method class (GET and HEAD are one), scheme, authority,
/// normalised path, query after the route's rule (stable sort by name when the route has a rule, as received without),
/// chosen headers, hashed identity. False when the path cannot be normalised or the key is too long. Reuses the
/// capacity of `out`: no allocation in the steady state.
bool make_key(std::string& out, const KeyInput&);

}  // namespace etage::policy
