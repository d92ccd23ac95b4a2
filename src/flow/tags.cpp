#include "flow/tags.hpp"

#include "base/hash.hpp"
#include "http/h1_target.hpp"
#include "policy/invalidate.hpp"

#include <algorithm>

namespace etage::flow {

namespace {

using coherence::tag_hash;
using coherence::TagKind;

std::string without_last_slash(std::string_view prefix) {
    while (prefix.size() > 1 && prefix.ends_with('/')) prefix.remove_suffix(1);
    return std::string(prefix);
}

void add_prefixes(std::vector<TagHash>& tags, std::string_view site, std::string_view path) {
    std::string text(site);
    text += '/';
    tags.push_back(prefix_tag(text));
    std::size_t segments = 0;
    for (std::size_t i = 1; i <= path.size() && segments < prefix_tags_max; ++i) {
        if (i < path.size() && path[i] != '/') continue;
        if (path.substr(0, i) == "/") continue;
        text.assign(site);
        text += path.substr(0, i);
        tags.push_back(prefix_tag(text));
        ++segments;
    }
}

void add_templates(std::vector<TagHash>& tags, const TagInput& in) {
    if (in.match.route == nullptr) return;
    const policy::TemplateInput values{in.match.route->capture_names, in.match.captures, in.request.query,
                                       in.request.fields};
    std::string text;
    for (const policy::Template& tag : in.match.route->tags) {
        text.clear();
        if (tag.expand(text, values)) tags.push_back(tag_hash(TagKind::surrogate, text));
    }
}

}  // namespace

std::string identity_hash(const policy::Identity& identity, const base::Hash128& secret) {
    return base::hex(base::keyed_hash(secret, identity.text));
}

std::vector<TagHash> request_tags(const TagInput& in) {
    std::vector<TagHash> tags;
    tags.push_back(tag_hash(TagKind::everything, ""));
    tags.push_back(tag_hash(TagKind::key, key_name(in.key, in.match.route)));

    const std::string full = request_uri(in.request, in.scheme, in.match.route);
    const std::string_view uri = full;
    const auto host_at = in.scheme.size() + 3;  // behind "://"
    const auto path_at = uri.find('/', std::min(host_at, uri.size()));
    if (path_at != std::string_view::npos) {
        const auto local = uri.substr(path_at);
        const auto path = local.substr(0, local.find('?'));
        tags.push_back(tag_hash(TagKind::host, uri.substr(host_at, path_at - host_at)));
        tags.push_back(uri_tag(uri));
        tags.push_back(uri_tag(local));
        add_prefixes(tags, uri.substr(0, path_at), path);
        add_prefixes(tags, "", path);
    }
    if (in.match.route != nullptr) tags.push_back(tag_hash(TagKind::route, in.match.route->name));
    if (!in.identity_hash.empty()) tags.push_back(tag_hash(TagKind::user, in.identity_hash));
    add_templates(tags, in);
    return tags;
}

std::string request_uri(const http::RequestHead& request, std::string_view scheme, const policy::Route* route) {
    const std::string forwarded = policy::forwarded_target(route, request);
    const std::string_view target = forwarded;
    const auto question = target.find('?');
    const bool has_query = question != std::string_view::npos;
    return policy::uri_text(scheme, request.authority, target.substr(0, question),
                            has_query ? target.substr(question + 1) : std::string_view{}, has_query);
}

std::string key_name(std::string_view key, const policy::Route* route) {
    return "v1:" + (route != nullptr ? route->name : std::string("-")) + ":" + base::hex(base::strong_hash({}, key));
}

TagHash prefix_tag(std::string_view prefix) { return tag_hash(TagKind::prefix, without_last_slash(prefix)); }
TagHash uri_tag(std::string_view uri) { return tag_hash(TagKind::uri, uri); }

std::optional<std::string> uri_of(std::string_view written) {
    constexpr std::string_view anywhere = "http://any";
    if (written.starts_with('/')) {
        auto uri = uri_of(std::string(anywhere) + std::string(written));
        if (uri) uri->erase(0, anywhere.size());
        return uri;
    }
    const auto scheme_end = written.find("://");
    if (scheme_end == std::string_view::npos) return std::nullopt;
    const auto scheme = written.substr(0, scheme_end);
    if (!http::iequals(scheme, "http") && !http::iequals(scheme, "https")) return std::nullopt;
    std::string_view rest = written.substr(scheme_end + 3);
    const auto host_end = std::min(rest.find_first_of("/?#"), rest.size());
    // As strict as with a request: what no request can name is no URI of an entry.
    const auto authority = http::parse_authority(rest.substr(0, host_end));
    if (!authority) return std::nullopt;
    rest.remove_prefix(host_end);
    rest = rest.substr(0, rest.find('#'));
    const auto question = std::min(rest.find('?'), rest.size());
    const auto path = question == 0 ? std::string_view("/") : rest.substr(0, question);
    const bool has_query = question < rest.size();
    std::string text = policy::uri_text(scheme, *authority, path,
                                        has_query ? rest.substr(question + 1) : std::string_view{}, has_query);
    if (text.empty()) return std::nullopt;
    return text;
}

}  // namespace etage::flow
