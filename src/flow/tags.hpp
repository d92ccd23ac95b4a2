#pragma once
// Everything a tag: the implicit ones of a request, and all of a response.

#include "base/hash.hpp"
#include "coherence/tag.hpp"
#include "flow/asked.hpp"
#include "policy/key.hpp"
#include "policy/route.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::flow {

struct TagInput {
    const http::RequestHead& request;
    std::string_view scheme;
    std::string_view key;  // the full primary key
    const policy::Match& match;
    std::string_view identity_hash;  // keyed; empty when the identity is not in the key
};

/// Of an identity that is in the key.
std::string identity_hash(const policy::Identity&, const base::Hash128& secret);

inline constexpr std::size_t prefix_tags_max = 16;  // path segments that get a prefix tag of their own

/// Tags known before the response: everything, key, URI (with and without origin), path prefixes (likewise), host,
/// route, user, and the route's tag templates.
std::vector<TagHash> request_tags(const TagInput& input);

/// The URI as the origin gets it, in the form of policy::uri_text(): what the key leaves out must not hide an entry
/// from its purge. Empty when it cannot be normalised.
std::string request_uri(const http::RequestHead& request, std::string_view scheme, const policy::Route* route);

/// The readable name of a key, as purge takes it: "v1:<route>:<32 hex digits>". The same in every process.
std::string key_name(std::string_view key, const policy::Route* route);

/// "/posts/" and "/posts" are the same prefix; with or without "http://host" before it.
TagHash prefix_tag(std::string_view prefix);
/// Precondition: `uri` is in the form of policy::uri_text(), with or without "http://host" before it.
TagHash uri_tag(std::string_view uri);
/// That form of what a person wrote: "http://host/path?query", or "/path?query" for any host. Nothing when it is
/// neither, or when no request could name it. What it returns it returns again when given it.
std::optional<std::string> uri_of(std::string_view written);

}  // namespace etage::flow
