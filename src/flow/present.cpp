#include "flow/present.hpp"

#include "codec/gzip.hpp"
#include "flow/cache_status.hpp"
#include "http/cache_control.hpp"
#include "http/date.hpp"
#include "http/etag.hpp"
#include "http/problem.hpp"
#include "policy/invalidate.hpp"
#include "policy/select.hpp"

#include <algorithm>

namespace etage::flow {

namespace {

using http::Coding;
using http::FieldId;
using store::EntryParts;
using store::Representation;

constexpr int gzip_level = 6;

bool has_content(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

/// RFC 9110 §15.4.5: of the representation metadata only what guides cache updates belongs in a 304.
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

void write_heads(Representation& r, int status, const http::Fields& fields) {
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

void add_representation(EntryParts& parts, const http::Fields& shared, Coding coding, std::string content) {
    Representation& r = parts.representations[static_cast<std::size_t>(coding)];
    r.coding = coding;
    http::Fields fields = shared;
    if (!parts.etag.empty()) {
        r.etag = http::etag_for_coding(parts.etag, coding);
        fields.set(FieldId::etag, r.etag);
    }
    if (coding != Coding::identity) fields.set(FieldId::content_encoding, http::coding_name(coding));
    content.shrink_to_fit();
    if (has_content(parts.status)) r.body = base::make_bytes(std::move(content));
    write_heads(r, parts.status, fields);
    parts.codings = parts.codings.with(coding);
}

bool is_limit_field(const http::Field& field) noexcept {
    return field.id == FieldId::ratelimit || field.id == FieldId::ratelimit_policy ||
           (field.name.size() > 12 && http::iequals(field.name.substr(0, 12), "x-ratelimit-"));
}

}  // namespace

http::Fields client_fields(const http::Fields& origin, const Presentation& how) {
    http::Fields fields = origin;
    http::remove_hop_by_hop(fields);
    fields.remove(FieldId::age);
    const ClientPolicy none;
    const ClientPolicy& client = how.route != nullptr ? how.route->policy.client : none;
    if (!client.expose_tags) policy::remove_tag_fields(fields);
    if (client.cache_control)
        fields.set(FieldId::cache_control, *client.cache_control);
    else if (how.per_user)
        fields.set(FieldId::cache_control, "private");
    if (client.cdn_cache_control) fields.set(FieldId::cdn_cache_control, *client.cdn_cache_control);
    if (!http::contains(fields, FieldId::date)) {
        std::array<char, 29> date;
        fields.add(FieldId::date, http::format_date(date, how.now));
    }
    return fields;
}

bool would_compress(int status, http::FieldSpan fields, std::optional<std::uint64_t> length) {
    if (!has_content(status) || status == 206) return false;
    if (length && *length < codec::compress_bytes_min) return false;
    if (http::contains(fields, FieldId::content_encoding)) return false;
    if (http::parse_response_cache_control(fields).no_transform) return false;
    return codec::is_compressible(http::find(fields, FieldId::content_type).value_or(""));
}

void shape_entry(EntryParts& parts, std::string content, const Presentation& how) {
    http::Fields shared = client_fields(parts.fields, how);
    shared.remove_if(is_limit_field);
    if (const auto etag = http::find(parts.fields, FieldId::etag); etag && http::parse_entity_tag(*etag)) {
        parts.etag = *etag;
    } else if (parts.status == 200) {
        parts.etag = http::make_strong_etag(content);
        parts.etag_is_ours = true;
    }
    parts.last_modified = http::find(parts.fields, FieldId::last_modified).value_or("");

    std::optional<std::string> gzipped;
    if (would_compress(parts.status, parts.fields, content.size())) {
        add_vary_accept_encoding(shared);
        gzipped = codec::gzip(content, gzip_level);
    }
    add_representation(parts, shared, Coding::identity, std::move(content));
    if (gzipped) add_representation(parts, shared, Coding::gzip, std::move(*gzipped));
}

bool present_entry(const Visit& visit, base::Ref<const store::Entry> entry, Answer& out) noexcept {
    const EntryParts& parts = entry->parts();
    const policy::Selection choice = policy::select(
        visit.request, {parts.status, parts.etag, parts.last_modified, parts.codings, parts.fields}, visit.now.wall);
    if (choice.shape == policy::Shape::precondition_failed) {
        out.status = 412;
        out.head = "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n";
        out.head_only = true;
        return false;
    }
    const Representation& chosen = entry->representation(choice.coding);
    const bool not_modified = choice.shape == policy::Shape::not_modified;
    out.status = not_modified ? 304 : parts.status;
    out.head = not_modified ? chosen.head_not_modified : chosen.head;
    out.head_only = not_modified || visit.request.method == http::Method::head || !chosen.body;
    if (!out.head_only) out.body = chosen.body->view();
    out.entry = std::move(entry);
    return not_modified;
}

void append_reuse_fields(const Visit& visit, const store::Entry& entry, Answer& out) noexcept {
    const http::Stamps& stamps = entry.parts().stamps;
    const auto seconds = [](Duration d) { return std::chrono::floor<std::chrono::seconds>(d).count(); };
    out.tail.begin("Age: ");
    out.tail.number(std::max<std::int64_t>(0, seconds(stamps.age(visit.now.mono))));
    out.tail.end();
    out.verdict.has_ttl = true;
    out.verdict.ttl_s = seconds(stamps.ttl(visit.now.mono));
    append_cache_status(out.tail, out.verdict);
}

void present_response(const Visit& visit, int status, std::string_view reason, const http::Fields& client_side,
                      std::optional<std::uint64_t> length, bool varies, Answer& out) {
    http::Fields fields = client_side;
    if (varies) add_vary_accept_encoding(fields);
    out.status = status;
    http::append_status_line(out.owned_head, status, reason);
    for (const http::Field& field : fields.span()) http::append_field(out.owned_head, field.name, field.value);
    out.head_only = visit.request.method == http::Method::head || !has_content(status);
    if (has_content(status) && length) {
        http::append_field(out.owned_head, FieldId::content_length, std::to_string(*length));
        out.stream_length = length;
    }
    out.head = out.owned_head;
}

void present_arriving(const Visit& visit, const Arriving& arriving, const Presentation& how, Answer& out) {
    const auto etag = http::find(arriving.fields, FieldId::etag).value_or("");
    const auto last_modified = http::find(arriving.fields, FieldId::last_modified).value_or("");
    const auto choice =
        policy::select(visit.request, {arriving.status, etag, last_modified, {}, arriving.fields}, visit.now.wall);
    http::Fields fields = client_fields(arriving.fields, how);
    const bool varies = would_compress(arriving.status, arriving.fields, arriving.content_length);
    if (choice.shape == policy::Shape::full)
        return present_response(visit, arriving.status, {}, fields, arriving.content_length, varies, out);
    fields.remove_if([](const http::Field& field) { return !belongs_in_304(field); });
    const int status = choice.shape == policy::Shape::not_modified ? 304 : 412;
    present_response(visit, status, {}, fields, std::nullopt, varies, out);
    out.head_only = true;
    if (status == 412) http::append_field(out.owned_head, FieldId::content_length, "0");
    out.head = out.owned_head;
}

void add_to_head(const http::Fields& fields, Answer& out) {
    if (fields.empty()) return;
    if (out.owned_head.empty()) out.owned_head = out.head;
    for (const http::Field& field : fields.span()) http::append_field(out.owned_head, field.name, field.value);
    out.head = out.owned_head;
}

void present_problem(const Visit& visit, int status, std::string_view detail, std::string_view extra_fields,
                     Answer& out) {
    std::string body = http::problem_json(status, "", http::reason_phrase(status), detail);
    out.owned_head.clear();
    http::append_status_line(out.owned_head, status);
    http::append_field(out.owned_head, FieldId::content_type, "application/problem+json");
    http::append_field(out.owned_head, FieldId::cache_control, "no-store");
    http::append_field(out.owned_head, FieldId::content_length, std::to_string(body.size()));
    if (visit.now.wall != WallTime{}) {  // RFC 9110 §6.6.1; a refusal before the request is known has no time
        std::array<char, 29> date;
        http::append_field(out.owned_head, FieldId::date, http::format_date(date, visit.now.wall));
    }
    out.owned_head += extra_fields;
    out.status = status;
    out.head = out.owned_head;
    out.head_only = visit.request.method == http::Method::head;
    out.owned_body = base::make_bytes(std::move(body));
    if (!out.head_only) out.body = out.owned_body->view();
    out.stream = nullptr;
}

}  // namespace etage::flow
