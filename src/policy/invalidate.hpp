#pragma once
// What a successful unsafe request makes invalid (RFC 9111 §4.4, RFC 9875, route rules).

#include "http/message.hpp"
#include "policy/route.hpp"

#include <functional>
#include <string_view>

namespace etage::policy {

struct Invalidation {
    /// Receives surrogate tags, from the route's `invalidates`.
    std::function<void(std::string_view)> surrogate;
    /// Receives the groups of Cache-Group-Invalidation in the form of group_text().
    std::function<void(std::string_view)> group;
    /// Receives URIs in the form of uri_text(): the target's, and same-origin Location and Content-Location.
    std::function<void(std::string_view)> uri;
};

/// True when a response with this status to this method invalidates: unsafe method, status 2xx or 3xx. A method Etage
/// does not know is unsafe (RFC 9111 §4.4).
bool invalidates(http::Method, int status) noexcept;

/// Calls the sinks for everything the exchange invalidates; what is named twice is passed twice.
/// Precondition: invalidates(request.method, status).
void collect_invalidations(const http::RequestHead& request, std::string_view scheme, http::FieldSpan response,
                           const Match& match, const Invalidation& sinks);

/// The text that names a URI for tags: "http://host/normalised-path?query". Empty when it cannot be normalised.
/// Scheme and host in lower case, the default port left out, parameters sorted by name: spellings that may lead to the
/// same entry have the same name.
std::string uri_text(std::string_view scheme, std::string_view authority, std::string_view path, std::string_view query,
                     bool has_query);

/// Surrogate tags a response carries: Cache-Tag (commas), Surrogate-Key and xkey (spaces), Cache-Groups (RFC 9875;
/// ignored when it is no List of Strings): whoever purges tags may name a group as well.
void for_each_surrogate(http::FieldSpan response, const std::function<void(std::string_view)>& each);

/// The groups a response belongs to (RFC 9875 §2), in the form of group_text().
void for_each_cache_group(const http::RequestHead& request, std::string_view scheme, http::FieldSpan response,
                          const std::function<void(std::string_view)>& each);

/// What names a group for tags. RFC 9875 §2: groups of different origins (scheme, host, port) are different groups.
std::string group_text(std::string_view scheme, std::string_view authority, std::string_view group);

/// Removes those fields, and Cache-Group-Invalidation, before a client sees them.
void remove_tag_fields(http::Fields& response);

}  // namespace etage::policy
