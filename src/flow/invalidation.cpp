#include "flow/invalidation.hpp"

#include "coherence/tag.hpp"
#include "flow/equivalents.hpp"
#include "flow/tags.hpp"

namespace etage::flow {

namespace {

using coherence::tag_hash;
using coherence::TagKind;

void add_tags(std::vector<TagHash>& tags, const Rooms& rooms, const Target& target) {
    switch (target.kind) {
        case Target::Kind::tag: tags.push_back(tag_hash(TagKind::surrogate, target.text)); return;
        case Target::Kind::key: tags.push_back(tag_hash(TagKind::key, target.text)); return;
        case Target::Kind::url:
            tags.push_back(uri_tag(target.text));
            if (const auto tag = equivalents_tag(rooms, target.text)) tags.push_back(*tag);
            return;
        case Target::Kind::prefix: tags.push_back(prefix_tag(target.text)); return;
        case Target::Kind::host: tags.push_back(tag_hash(TagKind::host, target.text)); return;
        case Target::Kind::group: tags.push_back(tag_hash(TagKind::group, target.text)); return;
        case Target::Kind::everything: tags.push_back(tag_hash(TagKind::everything, "")); return;
    }
}

}  // namespace

std::optional<std::string> target_text(Target::Kind kind, std::string_view text) {
    using Kind = Target::Kind;
    if (kind == Kind::everything) return std::string();
    if (text.empty()) return std::nullopt;
    if (kind == Kind::url) return uri_of(text);
    if (kind == Kind::prefix) {
        if (text.find_first_of("?#") != std::string_view::npos) return std::nullopt;
        return uri_of(text);
    }
    if (kind == Kind::host) {
        constexpr std::string_view scheme = "http://";
        if (text.find_first_of("/?#") != std::string_view::npos) return std::nullopt;
        auto uri = uri_of(std::string(scheme) + std::string(text) + "/");
        if (!uri) return std::nullopt;
        return uri->substr(scheme.size(), uri->size() - scheme.size() - 1);
    }
    return std::string(text);
}

std::vector<TagHash> tags_of(const Rooms& rooms, const Invalidation& invalidation) {
    std::vector<TagHash> tags;
    tags.reserve(invalidation.targets.size());
    for (const Target& target : invalidation.targets) add_tags(tags, rooms, target);
    return tags;
}

}  // namespace etage::flow
