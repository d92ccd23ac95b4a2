#include "policy/targeted.hpp"

#include "http/structured.hpp"
#include "http/token.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace etage::policy {

namespace {

using http::FieldId;
using http::ResponseCacheControl;
using http::Seconds;

/// Our own name first: what is meant for us alone beats what is meant for every shared cache.
constexpr FieldId target_list[] = {FieldId::etage_cache_control, FieldId::cdn_cache_control};

/// A directive with a value of another type than it has restricts as much as it can: a lifetime is 0, a switch is on.
Seconds seconds_of(std::string_view value) noexcept { return http::parse_delta_seconds(value).value_or(0); }
bool switch_of(std::string_view value) noexcept { return value != "?0"; }
/// The other way round for what permits: only a clear true.
bool permission_of(std::string_view value) noexcept { return value == "?1"; }

void set_directive(ResponseCacheControl& cc, std::string_view key, std::string_view value) noexcept {
    if (key == "max-age")
        cc.max_age = seconds_of(value);
    else if (key == "s-maxage")
        cc.s_maxage = seconds_of(value);
    else if (key == "stale-while-revalidate")
        cc.stale_while_revalidate = seconds_of(value);
    else if (key == "stale-if-error")
        cc.stale_if_error = seconds_of(value);
    else if (key == "no-cache")
        cc.no_cache = switch_of(value);
    else if (key == "no-store")
        cc.no_store = switch_of(value);
    else if (key == "no-transform")
        cc.no_transform = switch_of(value);
    else if (key == "private")
        cc.is_private = switch_of(value);
    else if (key == "must-revalidate")
        cc.must_revalidate = switch_of(value);
    else if (key == "proxy-revalidate")
        cc.proxy_revalidate = switch_of(value);
    else if (key == "public")
        cc.is_public = permission_of(value);
    else if (key == "must-understand")
        cc.must_understand = permission_of(value);
    else if (key == "immutable")
        cc.immutable = permission_of(value);
}

/// Nothing when the field is absent, empty, or no Dictionary. Lines are read one by one: a Dictionary may be spread
/// over several lines, but none of its members may (RFC 9651 §4.2). Of members with the same key the last counts.
std::optional<ResponseCacheControl> parse_targeted(http::FieldSpan response, FieldId id) noexcept {
    ResponseCacheControl cc;
    for (const http::Field& field : response) {
        if (field.id != id) continue;
        http::SfDictionary members(field.value);
        for (http::SfMember member; members.next(member);) {
            cc.present = true;
            set_directive(cc, member.key, member.value);
        }
        if (members.failed()) return std::nullopt;
    }
    if (!cc.present) return std::nullopt;
    return cc;
}

/// "max-age=3600+600": fresh for the first, usable stale for the second while it is fetched anew.
void set_surrogate_max_age(ResponseCacheControl& cc, std::string_view value) noexcept {
    const auto plus = value.find('+');
    cc.max_age = seconds_of(value.substr(0, plus));
    if (plus != std::string_view::npos) cc.stale_while_revalidate = seconds_of(value.substr(plus + 1));
}

/// One directive of Surrogate-Control (Edge Architecture, W3C Note 2001): name[=value][;target], without case. Those
/// for another surrogate, and those that are malformed, are not there.
void set_surrogate_directive(ResponseCacheControl& cc, std::string_view element) noexcept {
    const auto semicolon = std::min(element.find(';'), element.size());
    if (semicolon != element.size() && !http::iequals(http::trim(element.substr(semicolon + 1)), surrogate_name))
        return;
    const std::string_view directive = http::trim(element.substr(0, semicolon));
    const auto equals = std::min(directive.find('='), directive.size());
    const std::string_view name = directive.substr(0, equals);
    if (http::iequals(name, "no-store")) {
        cc.no_store = cc.present = true;
    } else if (http::iequals(name, "max-age") && equals + 1 < directive.size() && directive[equals + 1] != ' ') {
        set_surrogate_max_age(cc, directive.substr(equals + 1));
        cc.present = true;
    }
}

std::optional<ResponseCacheControl> parse_surrogate_control(http::FieldSpan response) noexcept {
    ResponseCacheControl cc;
    http::for_each_element(response, FieldId::surrogate_control,
                           [&](std::string_view element) { set_surrogate_directive(cc, element); });
    if (!cc.present) return std::nullopt;
    return cc;
}

}  // namespace

GoverningDirectives governing_directives(http::FieldSpan response, const ResponseCacheControl& cache_control) noexcept {
    for (const FieldId id : target_list)
        if (const auto cc = parse_targeted(response, id)) return {*cc, true};
    if (const auto cc = parse_surrogate_control(response)) return {*cc, true};
    return {cache_control, false};
}

}  // namespace etage::policy
