#include "flow/shape.hpp"

#include "codec/coding.hpp"
#include "codec/compressible.hpp"
#include "flow/recode.hpp"
#include "http/cache_control.hpp"
#include "http/date.hpp"
#include "http/etag.hpp"
#include "http/h1_writer.hpp"
#include "policy/invalidate.hpp"

#include <array>
#include <utility>

namespace etage::flow {

namespace {

using http::Coding;
using http::FieldId;
using store::EntryParts;
using store::Representation;

Representation& of(EntryParts& parts, Coding coding) noexcept {
    return parts.representations[static_cast<std::size_t>(coding)];
}

void write_heads(Representation& r, int status, const http::Fields& fields) {
    r.head.clear();
    r.head_not_modified.clear();
    http::append_status_line(r.head, status);
    http::append_status_line(r.head_not_modified, 304);
    for (const http::Field& field : fields.span()) {
        http::append_field(r.head, field.name, field.value);
        if (belongs_in_304(field)) http::append_field(r.head_not_modified, field.name, field.value);
    }
    if (has_content(status))
        http::append_field(r.head, FieldId::content_length, std::to_string(r.body ? r.body->size() : 0));
    // What is kept for long carries no slack: memory.limit counts it.
    r.head.shrink_to_fit();
    r.head_not_modified.shrink_to_fit();
}

void add_identity(EntryParts& parts, http::Fields fields, std::string content, std::string etag) {
    Representation& r = of(parts, Coding::identity);
    r.etag = std::move(etag);
    if (!r.etag.empty()) fields.set(FieldId::etag, r.etag);
    if (parts.status == 200 && !http::contains(fields, FieldId::accept_ranges))
        fields.add(FieldId::accept_ranges, "bytes");
    content.shrink_to_fit();
    if (has_content(parts.status)) r.body = base::make_bytes(std::move(content));
    write_heads(r, parts.status, fields);
    parts.codings = parts.codings.with(Coding::identity);
}

/// Not of another coding: what the identity content's bytes are counted and checked by.
bool is_about_bytes(const http::Field& field) noexcept {
    return field.id == FieldId::accept_ranges || field.id == FieldId::etag || http::is_digest(field.name);
}

http::Fields fields_of_coding(const Representation& identity, Coding coding, std::string_view etag) {
    http::Fields fields = fields_of_head(identity.head);
    fields.remove_if(is_about_bytes);
    if (!etag.empty()) fields.set(FieldId::etag, etag);
    fields.set(FieldId::content_encoding, http::coding_name(coding));
    return fields;
}

/// Made a second time it has other bytes, and so another tag (RFC 9110 §8.8.1); but only if it is the smaller for it.
void add_coding(EntryParts& parts, Coding coding, bool again) {
    const Representation& identity = of(parts, Coding::identity);
    Representation& r = of(parts, coding);
    parts.tried = parts.tried.with(coding);
    r.strong = again;
    auto coded =
        codec::encode(format_of(coding), identity.body->view(), again ? codec::Effort::strong : codec::Effort::fast);
    if (!coded || (r.body && coded->size() >= r.body->size())) return;
    r.coding = coding;
    r.body = base::make_bytes(std::move(*coded));
    r.etag = parts.etag.empty() ? std::string() : http::etag_for_coding(parts.etag, coding, again);
    write_heads(r, parts.status, fields_of_coding(identity, coding, r.etag));
    parts.codings = parts.codings.with(coding);
}

/// Both forms of what came encoded. The tag the origin gave is of the coded one; one made here is of the content.
void add_decoded(EntryParts& parts, http::Fields fields, std::string coded, std::string content, Coding coding) {
    Representation& r = of(parts, coding);
    r.coding = coding;
    r.strong = true;  // it is not made again: the origin's bytes stay
    r.etag = parts.etag_is_ours ? http::etag_for_coding(parts.etag, coding) : parts.etag;
    coded.shrink_to_fit();
    r.body = base::make_bytes(std::move(coded));
    fields.remove(FieldId::accept_ranges);
    if (!r.etag.empty()) fields.set(FieldId::etag, r.etag);
    write_heads(r, parts.status, fields);
    parts.codings = parts.codings.with(coding);
    parts.tried = parts.tried.with(coding);
    parts.sent_in = coding;
    fields.remove(FieldId::content_encoding);
    fields.remove_if(is_about_bytes);
    add_identity(parts, std::move(fields), std::move(content),
                 parts.etag_is_ours ? parts.etag : http::etag_for_decoded(parts.etag));
}

void give_tag(EntryParts& parts, std::string_view content) {
    if (const auto etag = http::find(parts.fields, FieldId::etag); etag && http::parse_entity_tag(*etag)) {
        parts.etag = *etag;
    } else if (parts.status == 200) {
        parts.etag = http::make_strong_etag(content);
        parts.etag_is_ours = true;
    }
}

}  // namespace

bool is_limit_field(const http::Field& field) noexcept {
    return field.id == FieldId::ratelimit || field.id == FieldId::ratelimit_policy ||
           (field.name.size() > 12 && http::iequals(field.name.substr(0, 12), "x-ratelimit-"));
}

bool has_content(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

bool belongs_in_304(const http::Field& field) noexcept {
    switch (field.id) {
        case FieldId::content_type:
        case FieldId::content_encoding:
        case FieldId::content_language:
        case FieldId::content_length:
        case FieldId::content_range: return false;
        default: return true;
    }
}

void add_vary_accept_encoding(http::Fields& fields) {
    auto vary = http::joined(fields, FieldId::vary);
    if (!vary || vary->empty()) return fields.set(FieldId::vary, "Accept-Encoding");
    bool there = false;
    http::for_each_element(
        *vary, [&](std::string_view name) { there = there || name == "*" || http::iequals(name, "accept-encoding"); });
    if (!there) fields.set(FieldId::vary, *vary + ", Accept-Encoding");
}

namespace {

/// Law 8: no route gives to shared caches what is for one.
bool may_say(const std::optional<std::string>& directives, bool for_one) {
    if (!directives || !for_one) return directives.has_value();
    http::Fields said;
    said.add(FieldId::cache_control, *directives);
    const auto cc = http::parse_response_cache_control(said);
    return cc.no_store || cc.is_private;
}

}  // namespace

http::Fields client_fields(const http::Fields& origin, const Presentation& how) {
    http::Fields fields = origin;
    http::remove_hop_by_hop(fields);
    fields.remove(FieldId::age);
    const ClientPolicy none;
    const ClientPolicy& client = how.route != nullptr ? how.route->policy.client : none;
    if (!client.expose_tags) policy::remove_tag_fields(fields);
    if (may_say(client.cache_control, how.for_one))
        fields.set(FieldId::cache_control, *client.cache_control);
    else if (how.per_user)
        fields.set(FieldId::cache_control, "private");
    if (may_say(client.cdn_cache_control, how.for_one))
        fields.set(FieldId::cdn_cache_control, *client.cdn_cache_control);
    if (!http::contains(fields, FieldId::date)) {
        std::array<char, 29> date;
        fields.add(FieldId::date, http::format_date(date, how.now));
    }
    return fields;
}

http::Fields fields_of_head(std::string_view head) {
    http::Fields fields;
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
        const auto line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(line.size() + 2);
        const auto name = line.substr(0, line.find(": "));
        if (http::field_id(name) != FieldId::content_length)
            fields.add(name, line.substr(std::min(name.size() + 2, line.size())));
    }
    return fields;
}

bool would_compress(int status, http::FieldSpan fields, std::optional<std::uint64_t> length,
                    const policy::Route* route) {
    if (!has_content(status) || status == 206) return false;
    if (length && *length < codec::compress_bytes_min) return false;
    if (route != nullptr && !route->policy.client.compress) return false;
    if (http::parse_response_cache_control(fields).no_transform) return false;
    return codec::is_compressible(http::find(fields, FieldId::content_type).value_or(""));
}

void shape_entry(EntryParts& parts, std::string content, const Presentation& how, Coding coding,
                 std::size_t decoded_bytes_max) {
    http::Fields shared = client_fields(parts.fields, how);
    shared.remove_if(is_limit_field);
    parts.last_modified = http::find(parts.fields, FieldId::last_modified).value_or("");
    const bool whole = has_content(parts.status) && parts.status != 206 && !parts.part && !content.empty();
    const auto removable = whole ? removable_coding(parts.fields) : std::nullopt;
    if (removable) {
        add_vary_accept_encoding(shared);
        auto decoded = codec::decode(format_of(*removable), content, {decoded_bytes_max, decoded_ratio_max});
        if (decoded) {
            give_tag(parts, *decoded);
            parts.codable = would_compress(parts.status, parts.fields, decoded->size(), how.route);
            return add_decoded(parts, std::move(shared), std::move(content), *std::move(decoded), *removable);
        }
        parts.undecoded = removable;
    }
    give_tag(parts, content);
    parts.codable = !http::contains(parts.fields, FieldId::content_encoding) &&
                    would_compress(parts.status, parts.fields, content.size(), how.route);
    if (parts.codable) add_vary_accept_encoding(shared);
    add_identity(parts, std::move(shared), std::move(content), parts.etag);
    if (parts.codable) add_coding(parts, coding == Coding::identity ? Coding::gzip : coding, false);
}

base::Ref<const store::Entry> with_coding(const store::Entry& entry, Coding coding, bool again) {
    EntryParts parts = entry.parts();
    add_coding(parts, coding, again);
    return base::make_ref<const store::Entry>(std::move(parts));
}

}  // namespace etage::flow
