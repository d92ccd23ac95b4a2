#include "flow/present.hpp"

#include "flow/cache_status.hpp"
#include "http/date.hpp"
#include "http/etag.hpp"
#include "http/problem.hpp"
#include "policy/select.hpp"

#include <algorithm>

namespace etage::flow {

namespace {

using http::Coding;
using http::FieldId;
using store::EntryParts;
using store::Representation;

}  // namespace

Presented present_entry(const Visit& visit, base::Ref<const store::Entry> entry, Answer& out) {
    const EntryParts& parts = entry->parts();
    policy::Selection choice = policy::select(visit.request,
                                              {parts.status, parts.etag, parts.last_modified, parts.codings,
                                               parts.fields, entry->representation(Coding::identity).etag},
                                              visit.now.wall);
    if (visit.notes.request_cc.no_transform) choice.coding = choice.wanted = parts.sent_in;  // RFC 9111 §5.2.1.6
    if (choice.shape == policy::Shape::precondition_failed) {
        out.status = 412;
        out.head = "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n";
        out.head_only = true;
        return {};
    }
    if ((choice.ranges || parts.part) && present_ranges(visit, entry, out)) return {};
    const Representation& chosen = entry->representation(choice.coding);
    const bool not_modified = choice.shape == policy::Shape::not_modified;
    out.status = not_modified ? 304 : parts.status;
    out.head = not_modified ? chosen.head_not_modified : chosen.head;
    out.head_only = not_modified || visit.request.method == http::Method::head || !chosen.body;
    if (!out.head_only) out.body = chosen.body->view();
    out.entry = std::move(entry);
    return {not_modified, parts.codable ? choice.wanted : http::Coding::identity};
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

bool present_condition(const Visit& visit, const Arriving& arriving, const http::Fields& client_side, bool varies,
                       Answer& out) {
    const auto etag = http::find(arriving.fields, FieldId::etag).value_or("");
    const auto last_modified = http::find(arriving.fields, FieldId::last_modified).value_or("");
    const auto choice =
        policy::select(visit.request, {arriving.status, etag, last_modified, {}, arriving.fields}, visit.now.wall);
    if (choice.shape == policy::Shape::full) return false;
    http::Fields fields = client_side;
    fields.remove_if([](const http::Field& field) { return !belongs_in_304(field); });
    const int status = choice.shape == policy::Shape::not_modified ? 304 : 412;
    present_response(visit, status, {}, fields, std::nullopt, varies, out);
    out.head_only = true;
    if (status == 412) http::append_field(out.owned_head, FieldId::content_length, "0");
    out.head = out.owned_head;
    return true;
}

void add_to_head(const http::Fields& fields, Answer& out) {
    if (fields.empty()) return;
    if (out.owned_head.empty()) out.owned_head = out.head;
    for (const http::Field& field : fields.span()) http::append_field(out.owned_head, field.name, field.value);
    out.head = out.owned_head;
}

void present_problem(const Visit& visit, int status, std::string_view detail, std::string_view extra_fields,
                     Answer& out) {
    present_problem_document(visit, status, http::problem_json(status, "", http::reason_phrase(status), detail),
                             extra_fields, out);
}

void present_problem_document(const Visit& visit, int status, std::string body, std::string_view extra_fields,
                              Answer& out) {
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

void present_page(const Visit& visit, const http::Fields& fields, std::string content, Answer& out) {
    present_response(visit, 200, {}, fields, content.size(), false, out);
    out.stream_length.reset();
    out.owned_body = base::make_bytes(std::move(content));
    if (!out.head_only) out.body = out.owned_body->view();
    append_cache_status(out.tail, out.verdict);
}

}  // namespace etage::flow
