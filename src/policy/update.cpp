#include "policy/update.hpp"

#include "http/etag.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace etage::policy {

namespace {

using http::Field;
using http::FieldId;

bool describes_its_message(const Field& field) noexcept {
    switch (field.id) {
        case FieldId::content_encoding:
        case FieldId::content_length:
        case FieldId::content_range:
        case FieldId::etag:
        case FieldId::set_cookie:
        case FieldId::transfer_encoding: return true;
        default: break;
    }
    return http::is_digest(field.name);
}

/// What the cache itself works with: it cannot be kept without.
bool is_essential(FieldId id) noexcept {
    switch (id) {
        case FieldId::age:
        case FieldId::cache_control:
        case FieldId::content_encoding:
        case FieldId::content_length:
        case FieldId::content_range:
        case FieldId::content_type:
        case FieldId::date:
        case FieldId::etag:
        case FieldId::expires:
        case FieldId::last_modified:
        case FieldId::vary: return true;
        default: return false;
    }
}

bool lists(std::string_view listed, std::string_view name) noexcept {
    return !http::for_each_element(listed,
                                   [&](std::string_view element) -> bool { return !http::iequals(element, name); });
}

template <class F>
void for_each_tag(http::FieldSpan fields, F&& each) noexcept {
    for (const Field& field : fields) {
        if (field.id != FieldId::etag) continue;
        if (const auto tag = http::parse_entity_tag(field.value)) each(*tag);
    }
}

bool same_or_absent(http::FieldSpan update, http::FieldSpan stored, FieldId id) noexcept {
    const auto said = http::find(update, id);
    return !said || said == http::find(stored, id);
}

}  // namespace

http::Fields updated_fields(const http::Fields& stored, const http::Fields& update) {
    http::Fields merged = stored;
    merged.remove(FieldId::age);
    merged.remove(FieldId::date);
    for (const Field& field : update.span())
        if (!describes_its_message(field)) merged.remove(field.name);
    for (const Field& field : update.span())
        if (!describes_its_message(field)) merged.add(field.name, field.value);
    return merged;
}

bool validates(http::FieldSpan not_modified, http::FieldSpan stored) noexcept {
    bool any_said = false;
    bool any_held = false;
    bool any_equal = false;
    for_each_tag(not_modified, [&](const http::EntityTag& said) {
        any_said = true;
        for_each_tag(stored, [&](const http::EntityTag& held) {
            any_held = true;
            any_equal = any_equal || http::weakly_equal(said, held);
        });
    });
    return any_equal || !any_said || !any_held || !http::contains(stored, FieldId::last_modified);
}

bool head_speaks_of(http::FieldSpan head, std::optional<std::uint64_t> head_length, http::FieldSpan stored,
                    std::uint64_t stored_length) noexcept {
    return same_or_absent(head, stored, FieldId::etag) && same_or_absent(head, stored, FieldId::last_modified) &&
           (!head_length || *head_length == stored_length);
}

bool keeps_without(std::string_view listed_fields) noexcept {
    return !listed_fields.empty() && http::for_each_element(listed_fields, [](std::string_view name) -> bool {
        return !is_essential(http::field_id(name));
    });
}

http::Fields take_withheld(http::Fields& response, const http::ResponseCacheControl& governing, bool per_user) {
    // Copies: the lists may lie in the very fields that are taken out.
    const std::string no_cache(keeps_without(governing.no_cache_fields) ? governing.no_cache_fields : "");
    const std::string kept_private(!per_user && keeps_without(governing.private_fields) ? governing.private_fields
                                                                                        : "");
    http::Fields withheld;
    if (no_cache.empty() && kept_private.empty()) return withheld;
    response.remove_if([&](const Field& field) {
        if (!lists(no_cache, field.name) && !lists(kept_private, field.name)) return false;
        withheld.add(field.name, field.value);
        return true;
    });
    return withheld;
}

}  // namespace etage::policy
