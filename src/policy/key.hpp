#pragma once
// What a request is called (step 3; DESIGN §6): length-prefixed parts, so that no two requests share a key by accident.
// And what the origin is asked in its name: everything the key normalises or leaves out is normalised in, or missing
// from, the forwarded request too (law 1), or somebody could have an answer stored under a name it does not belong to.

#include "base/hash.hpp"
#include "http/message.hpp"
#include "http/no_vary_search.hpp"
#include "policy/route.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etage::policy {

/// Who the user is, for per-user routes: read from the route's header or cookie, else from Authorization.
struct Identity {
    bool present = false;
    bool from_authorization = false;
    std::string_view text;  // borrowed from the request; never stored or logged as it is, only hashed with a secret
};

/// With a header or cookie named by the route, nothing else counts as identity; an empty value is none. Of several
/// lines or cookies of that name the first counts.
Identity identity_of(const Route* route, const http::RequestHead& request) noexcept;

/// The value of a cookie (RFC 6265 §4.2.1); nothing when absent. Borrows.
std::optional<std::string_view> cookie_value(http::FieldSpan request, std::string_view name) noexcept;

struct KeyInput {
    const http::RequestHead& request;
    const Route* route = nullptr;  // null: a standards cache without policy
    std::string_view scheme;       // of the listener: "http" or "https"
    const Identity& identity;
    base::Hash128 identity_secret{};            // all that keeps two users apart is a hash of who they are
    std::optional<std::string_view> content{};  // of a QUERY
};

inline constexpr std::size_t key_bytes_max = 8 * 1024;  // a longer key: not cached (Detail::key_too_long)

/// Clears `out` and writes the key: version prefix, route name, method class (GET and HEAD are one), scheme, authority
/// in lower case, normalised path, query after the route's rule (stable sort by name when there is a route, as received
/// without), chosen headers, on a per-user route the hashed identity, to which Authorization always belongs, and of a
/// QUERY the SHA-256 of its content and of the fields that say what it means (RFC 10008 §2.7). False
/// when the path cannot be normalised or the key is too long. Reuses the capacity of `out`: no allocation in the steady
/// state.
bool make_key(std::string& out, const KeyInput&);

/// What the keys of all URIs have in common that `variance` does not tell apart (http/no_vary_search.hpp): 32 bytes,
/// the SHA-256 of the key with the variance, and what it leaves of the query, in the query's place. `key` is
/// make_key()'s. Precondition: !variance.is_default().
std::string make_search_key(std::string_view key, const http::SearchVariance& variance);

/// True when a request field of this name is part of the key of the route.
bool is_keyed(const Route* route, std::string_view field_name) noexcept;

/// Path and query for the origin. For what has a key (GET, HEAD and QUERY, unless the route passes) they are the key's:
/// path normalised, with a route only the parameters that count, in the key's order. Otherwise, and when the path
/// cannot be normalised, as received.
std::string forwarded_target(const Route* route, const http::RequestHead& request);

/// The Host for the origin: the authority as the key has it, in lower case (RFC 9110 §4.2.3).
std::string forwarded_authority(const http::RequestHead& request);

}  // namespace etage::policy
