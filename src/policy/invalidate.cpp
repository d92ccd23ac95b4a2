#include "policy/invalidate.hpp"

#include "http/structured.hpp"
#include "http/uri.hpp"
#include "policy/query.hpp"
#include "policy/reference.hpp"

namespace etage::policy {

namespace {

using http::FieldId;
using Sink = std::function<void(std::string_view)>;

void for_each_word(std::string_view text, const Sink& each) {
    constexpr std::string_view spaces = " \t";
    for (std::size_t begin = text.find_first_not_of(spaces); begin != std::string_view::npos;) {
        const auto end = text.find_first_of(spaces, begin);
        each(text.substr(begin, end - begin));
        begin = text.find_first_not_of(spaces, end);
    }
}

/// RFC 9875 §2, §3: a List of Strings; anything else is ignored whole.
void for_each_group(http::FieldSpan fields, FieldId id, const Sink& each) {
    const auto text = http::joined(fields, id);
    if (!text) return;
    const auto groups = http::parse_sf_string_list(*text);
    if (!groups) return;
    for (const std::string& group : *groups)
        if (!group.empty()) each(group);
}

void collect_uri(const TargetUri& uri, const Sink& sink) {
    const std::string text = uri_text(uri.scheme, uri.authority, uri.path, uri.query, uri.has_query);
    if (!text.empty()) sink(text);
}

}  // namespace

bool invalidates(http::Method method, int status) noexcept {
    return !http::is_safe(method) && status >= 200 && status <= 399;
}

void collect_invalidations(const http::RequestHead& request, std::string_view scheme, http::FieldSpan response,
                           const Match& match, const Invalidation& sinks) {
    const TargetUri target{std::string(scheme), std::string(request.authority), std::string(request.path),
                           std::string(request.query), request.has_query};
    collect_uri(target, sinks.uri);
    for (const FieldId id : {FieldId::location, FieldId::content_location}) {
        const auto reference = http::find(response, id);
        if (!reference) continue;
        const TargetUri uri = resolve(target, *reference);
        // RFC 9111 §4.4: another origin's responses are not ours to invalidate.
        if (same_origin(uri, target)) collect_uri(uri, sinks.uri);
    }
    for_each_group(response, FieldId::cache_group_invalidation,
                   [&](std::string_view group) { sinks.group(group_text(scheme, request.authority, group)); });
    if (match.route == nullptr) return;
    const TemplateInput values{match.route->capture_names, match.captures, request.query, request.fields};
    std::string tag;
    for (const Template& each : match.route->invalidates) {
        tag.clear();
        if (each.expand(tag, values)) sinks.surrogate(tag);
    }
}

std::string uri_text(std::string_view scheme, std::string_view authority, std::string_view path, std::string_view query,
                     bool has_query) {
    std::string out = http::iequals(scheme, "https") ? "https://" : "http://";
    out += normalised_authority(scheme, authority);
    if (!path.starts_with('/') || !http::append_normalised_path(out, path)) return {};
    if (!has_query) return out;
    static const KeyPolicy all;
    const RuledQuery sorted(query, all);
    if (!sorted.empty()) out += '?';
    sorted.for_each_piece([&](std::string_view piece) { out += piece; });
    return out;
}

void for_each_surrogate(http::FieldSpan response, const Sink& each) {
    http::for_each_element(response, FieldId::cache_tag, each);
    for (const http::Field& field : response)
        if (field.id == FieldId::surrogate_key || field.id == FieldId::xkey) for_each_word(field.value, each);
    for_each_group(response, FieldId::cache_groups, each);
}

void for_each_cache_group(const http::RequestHead& request, std::string_view scheme, http::FieldSpan response,
                          const Sink& each) {
    for_each_group(response, FieldId::cache_groups,
                   [&](std::string_view group) { each(group_text(scheme, request.authority, group)); });
}

std::string group_text(std::string_view scheme, std::string_view authority, std::string_view group) {
    std::string out(scheme);
    ((out += "://") += normalised_authority(scheme, authority)) += ' ';
    return out += group;
}

void remove_tag_fields(http::Fields& response) {
    for (const FieldId id : {FieldId::cache_tag, FieldId::surrogate_key, FieldId::xkey, FieldId::cache_groups,
                             FieldId::cache_group_invalidation})
        response.remove(id);
}

}  // namespace etage::policy
