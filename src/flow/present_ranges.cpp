// Step 8, parts of what is there: 206 and 416 (RFC 9110 §14).
//
// Ranges are always of the identity content: it stays the same under its ETag for as long as the entry lives, while a
// coding may be made again, and better.

#include "flow/present.hpp"
#include "http/byteranges.hpp"
#include "http/range.hpp"
#include "policy/partial.hpp"

#include <optional>

namespace etage::flow {

namespace {

using http::FieldId;
using store::Representation;

constexpr std::string_view partial_content = "HTTP/1.1 206 Partial Content\r\n";

/// Of a head that was written for the whole: its fields without the status line and the Content-Length, which is last.
std::string_view fields_of(std::string_view head) noexcept {
    head.remove_prefix(head.find("\r\n") + 2);
    const auto last = head.rfind("\r\n", head.size() - 3);
    return last == std::string_view::npos ? std::string_view{} : head.substr(0, last + 2);
}

/// RFC 9110 §13.2.2, step 5.
bool is_for_these_bytes(const Visit& visit, const store::EntryParts& parts, const Representation& identity) noexcept {
    const auto if_range = http::find(visit.request.fields, FieldId::if_range);
    if (!if_range) return true;
    const auto date = http::find(parts.fields, FieldId::date).value_or("");
    return http::if_range_matches(*if_range, identity.etag, parts.last_modified, date, visit.now.wall);
}

/// What the identity content is: a part, or all there is.
http::Part part_of(const store::EntryParts& parts, const Representation& identity) noexcept {
    const std::uint64_t size = identity.body->size();
    return parts.part.value_or(http::Part{{0, size - 1}, size});  // of nothing no range is ever taken
}

void present_one(const http::Part& held, const Representation& identity, http::ByteRange range, Answer& out) noexcept {
    http::RangeText text;
    out.status_line = partial_content;
    out.head = fields_of(identity.head);
    out.tail.field("Content-Range: ", http::write_content_range(text, range, held.complete));
    out.tail.begin("Content-Length: ");
    out.tail.number(static_cast<std::int64_t>(range.size()));
    out.tail.end();
    out.body = identity.body->view().substr(range.first - held.range.first, range.size());
}

void present_several(const store::EntryParts& parts, const Representation& identity,
                     std::span<const http::ByteRange> ranges, Answer& out) {
    const auto type = http::find(parts.fields, FieldId::content_type).value_or("");
    const http::Byteranges text(parts.key_hash.low, type, identity.body->size());
    std::string body;
    body.reserve(text.content_length(ranges).value_or(0));
    for (const http::ByteRange& range : ranges) {
        text.append_head(body, range, body.empty());
        body += identity.body->view().substr(range.first, range.size());
    }
    text.append_end(body);

    out.owned_head = partial_content;
    std::string_view rest = fields_of(identity.head);
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find("\r\n") + 2);
        rest.remove_prefix(line.size());
        if (http::field_id(line.substr(0, line.find(':'))) != FieldId::content_type) out.owned_head += line;
    }
    http::append_field(out.owned_head, FieldId::content_type, text.media_type());
    http::append_field(out.owned_head, FieldId::content_length, std::to_string(body.size()));
    out.head = out.owned_head;
    out.owned_body = base::make_bytes(std::move(body));
    out.body = out.owned_body->view();
}

}  // namespace

bool covers(const Visit& visit, const store::Entry& entry) noexcept {
    const store::EntryParts& parts = entry.parts();
    if (!parts.part) return true;
    const auto asked = policy::single_range(visit.request);
    return asked && policy::holds(*parts.part, *asked) &&
           is_for_these_bytes(visit, parts, entry.representation(http::Coding::identity));
}

bool present_ranges(const Visit& visit, base::Ref<const store::Entry>& entry, Answer& out) {
    const store::EntryParts& parts = entry->parts();
    const Representation& identity = entry->representation(http::Coding::identity);
    if (parts.part && !covers(visit, *entry)) {  // another part than was asked for: what the origin said, it said
        out.status = 206;
        present_one(*parts.part, identity, parts.part->range, out);
        out.entry = std::move(entry);
        return true;
    }
    if (!identity.body || !http::choose_coding(visit.request.fields, {}).acceptable) return false;
    if (!is_for_these_bytes(visit, parts, identity)) return false;
    const http::Part held = part_of(parts, identity);
    const auto resolved = http::resolve(http::parse_range(visit.request.fields), held.complete);
    switch (resolved.answer()) {
        case http::ResolvedRanges::Answer::whole: return false;
        case http::ResolvedRanges::Answer::unsatisfiable: {
            http::RangeText text;
            std::string extra;
            http::append_field(extra, FieldId::content_range, http::write_unsatisfied_range(text, held.complete));
            present_problem(visit, 416, "nothing of what is there lies in the range", extra, out);
            return true;
        }
        case http::ResolvedRanges::Answer::partial: break;
    }
    out.status = 206;
    if (resolved.ranges().size() == 1)
        present_one(held, identity, resolved.ranges().front(), out);
    else
        present_several(parts, identity, resolved.ranges(), out);
    out.entry = std::move(entry);
    return true;
}

}  // namespace etage::flow
