#include "flow/equivalents.hpp"

#include "base/hash.hpp"
#include "coherence/tag.hpp"
#include "flow/rooms.hpp"
#include "http/no_vary_search.hpp"
#include "policy/key.hpp"

#include <algorithm>

namespace etage::flow {

namespace {

std::string_view without_query(std::string_view uri) noexcept { return uri.substr(0, uri.find('?')); }

/// "/path?query" of "http://host/path?query".
std::string_view local_part(std::string_view uri) noexcept {
    const auto host_at = uri.find("://") + 3;
    return uri.substr(std::min(uri.find('/', host_at), uri.size()));
}

base::Hash128 path_name(const Rooms& rooms, std::string_view uri) {
    return base::hash128("path " + std::string(without_query(uri)), rooms.secret);
}

/// §7: the newest response of a path tells how its queries are compared.
http::SearchVariance newest_variance(const Rooms& rooms, std::string_view uri) {
    const auto key = rooms.store.signposts().find(path_name(rooms, uri));
    const auto shelf = key ? rooms.store.find(*key) : nullptr;
    if (!shelf || shelf->variants.empty()) return {};
    return http::search_variance(shelf->variants.front()->parts().fields);
}

/// Names the order of parameters, too, among what makes no difference: the text of a URI has them sorted.
TagHash tag_of(std::string_view uri, http::SearchVariance variance) {
    variance.ignores_order = true;
    const std::string_view path = without_query(uri);
    std::string text(path);
    text += '?';
    http::append_search_class(text, path.size() < uri.size() ? uri.substr(path.size() + 1) : "", variance);
    return coherence::tag_hash(coherence::TagKind::search, text);
}

}  // namespace

std::unique_ptr<Equivalent> find_equivalent(const Rooms& rooms, std::string_view uri, std::string_view key) {
    const store::Signposts& signposts = rooms.store.signposts();
    if (signposts.empty() || uri.empty()) return nullptr;
    const auto variance = newest_variance(rooms, uri);
    if (variance.is_default()) return nullptr;
    auto found = std::make_unique<Equivalent>();
    found->search_key = policy::make_search_key(key, variance);
    const auto there = signposts.find(base::hash128(found->search_key, rooms.secret));
    if (there) found->shelf = rooms.store.find(*there);
    if (!found->shelf) return nullptr;
    const bool any = std::ranges::any_of(found->shelf->variants, [&](const auto& entry) { return found->is(*entry); });
    return any ? std::move(found) : nullptr;
}

void note_equivalents(store::EntryParts& parts, std::string_view uri, std::string_view key) {
    const auto variance = http::search_variance(parts.fields);
    if (variance.is_default() || uri.empty()) return;
    parts.search_key = policy::make_search_key(key, variance);
    parts.tags.push_back(tag_of(uri, variance));
    parts.tags.push_back(tag_of(local_part(uri), variance));
}

void put_signposts(const Rooms& rooms, std::string_view uri, const store::EntryParts& parts) {
    if (parts.search_key.empty() || parts.part) return;
    store::Signposts& signposts = rooms.store.signposts();
    signposts.put(path_name(rooms, uri), parts.key_hash);
    signposts.put(path_name(rooms, local_part(uri)), parts.key_hash);
    signposts.put(base::hash128(parts.search_key, rooms.secret), parts.key_hash);
}

std::optional<TagHash> equivalents_tag(const Rooms& rooms, std::string_view uri) {
    if (rooms.store.signposts().empty()) return std::nullopt;
    const auto variance = newest_variance(rooms, uri);
    if (variance.is_default()) return std::nullopt;
    return tag_of(uri, variance);
}

}  // namespace etage::flow
