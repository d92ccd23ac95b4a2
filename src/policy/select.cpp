#include "policy/select.hpp"

#include "http/date.hpp"
#include "http/etag.hpp"

#include <optional>

namespace etage::policy {

namespace {

using http::FieldId;

/// What the request makes its answer depend on, found in one pass over its fields.
struct Preconditions {
    bool any = false;
    bool range = false;
    bool if_match = false;
    bool if_none_match = false;
    std::optional<std::string_view> if_modified_since;
    std::optional<std::string_view> if_unmodified_since;
};

Preconditions preconditions_of(http::FieldSpan fields) noexcept {
    Preconditions found;
    for (const http::Field& field : fields) {
        switch (field.id) {
            case FieldId::range: found.range = true; continue;
            case FieldId::if_match: found.if_match = true; break;
            case FieldId::if_none_match: found.if_none_match = true; break;
            case FieldId::if_modified_since: found.if_modified_since = field.value; break;
            case FieldId::if_unmodified_since: found.if_unmodified_since = field.value; break;
            default: continue;
        }
        found.any = true;
    }
    return found;
}

/// Modified after the date the client names; nothing when one of the two is no date.
std::optional<bool> modified_since(std::string_view last_modified, std::string_view since, WallTime now) noexcept {
    const auto modified = http::parse_date(last_modified, now);
    const auto date = http::parse_date(since, now);
    if (!modified || !date) return std::nullopt;
    return *modified > *date;
}

/// RFC 9110 §13.2.2, steps 1 to 4.
Shape shape_of(const http::RequestHead& request, const Preconditions& conditions, const Selectable& stored,
               WallTime now) noexcept {
    if (!conditions.any) return Shape::full;
    if (conditions.if_match) {
        if (!http::if_match_hits(request.fields, stored.etag)) return Shape::precondition_failed;
    } else if (conditions.if_unmodified_since) {
        if (modified_since(stored.last_modified, *conditions.if_unmodified_since, now).value_or(false))
            return Shape::precondition_failed;
    }
    if (conditions.if_none_match) {
        const bool of_identity = conditions.range && !stored.identity_etag.empty();
        const auto etag = of_identity ? stored.identity_etag : stored.etag;
        return http::if_none_match_hits(request.fields, etag, !conditions.range) ? Shape::not_modified : Shape::full;
    }
    if (!conditions.if_modified_since) return Shape::full;
    // RFC 9111 §4.3.2
    const auto since =
        stored.last_modified.empty() ? http::find(stored.fields, FieldId::date).value_or("") : stored.last_modified;
    if (!modified_since(since, *conditions.if_modified_since, now).value_or(true)) return Shape::not_modified;
    return Shape::full;
}

}  // namespace

Selection select(const http::RequestHead& request, const Selectable& stored, WallTime now) noexcept {
    Selection selection;
    const auto weights = http::coding_weights(request.fields);
    const auto choice = http::best_coding(weights, stored.codings);
    if (choice.acceptable) selection.coding = choice.coding;
    selection.wanted = http::best_coding(weights, http::CodingSet::all()).coding;
    const bool reads = request.method == http::Method::get || request.method == http::Method::head ||
                       request.method == http::Method::query;
    if (!reads || stored.status != 200) return selection;
    const Preconditions conditions = preconditions_of(request.fields);
    selection.shape = shape_of(request, conditions, stored, now);
    selection.ranges = conditions.range && selection.shape == Shape::full && request.method == http::Method::get;
    return selection;
}

}  // namespace etage::policy
