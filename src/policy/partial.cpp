#include "policy/partial.hpp"

#include "http/etag.hpp"
#include "http/negotiation.hpp"

#include <algorithm>

namespace etage::policy {

namespace {

using http::ByteRange;
using http::FieldId;
using http::Part;

bool is_precondition(const http::Field& field) noexcept {
    return field.id == FieldId::if_match || field.id == FieldId::if_none_match ||
           field.id == FieldId::if_modified_since || field.id == FieldId::if_unmodified_since;
}

}  // namespace

std::optional<http::RangeSet> single_range(const http::RequestHead& request) noexcept {
    if (request.method != http::Method::get || std::ranges::any_of(request.fields, is_precondition)) return {};
    if (!http::choose_coding(request.fields, {}).acceptable) return {};
    const auto asked = http::parse_range(request.fields);
    if (asked.specs().size() != 1) return {};
    return asked;
}

std::optional<Part> part_of(http::FieldSpan response, std::optional<std::uint64_t> content_length) noexcept {
    const auto is_content_range = [](const http::Field& field) { return field.id == FieldId::content_range; };
    if (std::ranges::count_if(response, is_content_range) != 1) return {};
    if (http::contains(response, FieldId::content_encoding)) return {};
    const auto said = http::parse_content_range(*http::find(response, FieldId::content_range));
    if (said.kind != http::ContentRange::Kind::range || !said.complete) return {};
    if (content_length != said.range.size()) return {};
    return Part{said.range, *said.complete};
}

bool holds(const Part& part, const http::RangeSet& asked) noexcept {
    const auto wanted = http::resolve(asked, part.complete);
    const auto is_here = [&](const ByteRange& range) {
        return part.range.first <= range.first && range.last <= part.range.last;
    };
    return wanted.answer() == http::ResolvedRanges::Answer::partial && std::ranges::all_of(wanted.ranges(), is_here);
}

std::optional<ByteRange> missing_piece(const Part& part) noexcept {
    const bool from_the_start = part.range.first == 0;
    const bool to_the_end = part.range.last == part.complete - 1;
    if (from_the_start == to_the_end) return {};
    if (from_the_start) return ByteRange{part.range.last + 1, part.complete - 1};
    return ByteRange{0, part.range.first - 1};
}

std::string_view strong_validator(http::FieldSpan response, WallTime now) noexcept {
    if (const auto etag = http::find(response, FieldId::etag)) {
        const auto parsed = http::parse_entity_tag(*etag);
        return parsed && !parsed->weak ? *etag : std::string_view{};
    }
    const auto modified = http::find(response, FieldId::last_modified).value_or("");
    const auto date = http::find(response, FieldId::date).value_or("");
    return http::if_range_matches(modified, {}, modified, date, now) ? modified : std::string_view{};
}

std::optional<ByteRange> together(const Part& a, const Part& b) noexcept {
    if (a.complete != b.complete) return {};
    const bool apart = a.range.last + 1 < b.range.first || b.range.last + 1 < a.range.first;
    if (apart) return {};
    return ByteRange{std::min(a.range.first, b.range.first), std::max(a.range.last, b.range.last)};
}

bool same_representation(http::FieldSpan a, http::FieldSpan b, WallTime now) noexcept {
    const auto validator = strong_validator(a, now);
    return !validator.empty() && validator == strong_validator(b, now);
}

}  // namespace etage::policy
