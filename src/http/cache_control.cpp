#include "http/cache_control.hpp"

#include "http/token.hpp"

#include <algorithm>

namespace etage::http {
namespace {

constexpr Seconds delta_seconds_max = Seconds{1} << 31;  // RFC 9111 §1.2.2

struct Directive {
    std::string_view name;
    std::optional<std::string_view> argument;  // of the quoted form without its quotes
    bool valid = true;                         // by the grammar of RFC 9111 §5.2; the name is right in any case
    bool quotes_pair = true;
};

/// The content of a quoted-string (RFC 9110 §5.6.4), escapes not undone; nothing when it is none, or not all of it.
std::optional<std::string_view> unquoted(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '"') return std::nullopt;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            return i + 1 == text.size() ? std::optional(text.substr(1, i - 1)) : std::nullopt;
    }
    return std::nullopt;
}

Directive directive_of(std::string_view element) noexcept {
    Directive out;
    const auto equals = element.find('=');
    out.name = trim(element.substr(0, equals));
    out.quotes_pair = out.name.find('"') == std::string_view::npos;
    if (equals == std::string_view::npos) return out;
    std::string_view argument = element.substr(equals + 1);
    out.valid = out.name.size() == equals && argument == trim(argument);  // no whitespace beside the '='
    argument = trim(argument);
    if (const auto content = unquoted(argument))
        argument = *content;
    else if (argument.find('"') != std::string_view::npos)
        out.quotes_pair = out.valid = false;
    out.argument = argument;
    return out;
}

std::optional<Seconds> seconds_of(const Directive& directive) noexcept {
    return directive.valid && directive.argument ? parse_delta_seconds(*directive.argument) : std::nullopt;
}

bool is_field_name_list(std::string_view list) noexcept {
    bool empty = true;
    const bool names = for_each_element(list, [&](std::string_view name) {
        empty = false;
        return is_token(name);
    });
    return names && !empty;
}

void keep_smaller(std::optional<Seconds>& kept, Seconds value) noexcept {
    kept = kept ? std::min(*kept, value) : value;
}

/// no-cache and private (RFC 9111 §5.2.2.4, §5.2.2.7). Two lists cannot be one view: then all of the response is meant.
void apply_qualified(const Directive& directive, bool& whole, std::string_view& fields) noexcept {
    if (directive.argument && directive.valid && fields.empty() && is_field_name_list(*directive.argument))
        fields = *directive.argument;
    else
        whole = true;
}

template <class CacheControl>
struct Flag {
    std::string_view name;
    bool CacheControl::* member;
    bool restricts = true;
};

template <class CacheControl>
struct Lifetime {
    std::string_view name;
    std::optional<Seconds> CacheControl::* member;
};

constexpr Flag<ResponseCacheControl> response_flags[] = {
    {"no-store", &ResponseCacheControl::no_store},
    {"no-transform", &ResponseCacheControl::no_transform},
    {"must-revalidate", &ResponseCacheControl::must_revalidate},
    {"proxy-revalidate", &ResponseCacheControl::proxy_revalidate},
    {"public", &ResponseCacheControl::is_public, false},
    {"must-understand", &ResponseCacheControl::must_understand, false},
    {"immutable", &ResponseCacheControl::immutable, false},
};

constexpr Lifetime<ResponseCacheControl> response_lifetimes[] = {
    {"max-age", &ResponseCacheControl::max_age},
    {"s-maxage", &ResponseCacheControl::s_maxage},
    {"stale-while-revalidate", &ResponseCacheControl::stale_while_revalidate},
    {"stale-if-error", &ResponseCacheControl::stale_if_error},
};

constexpr Flag<RequestCacheControl> request_flags[] = {
    {"no-cache", &RequestCacheControl::no_cache},
    {"no-store", &RequestCacheControl::no_store},
    {"no-transform", &RequestCacheControl::no_transform},
    {"only-if-cached", &RequestCacheControl::only_if_cached},
};

constexpr Lifetime<RequestCacheControl> request_lifetimes[] = {
    {"max-age", &RequestCacheControl::max_age},
    {"max-stale", &RequestCacheControl::max_stale},
    {"stale-if-error", &RequestCacheControl::stale_if_error},
};

template <class CacheControl, std::size_t n>
bool apply_flag(CacheControl& out, const Directive& directive, const Flag<CacheControl> (&flags)[n]) noexcept {
    const auto* flag = std::ranges::find_if(flags, [&](const auto& f) { return iequals(f.name, directive.name); });
    if (flag == std::end(flags)) return false;
    if (flag->restricts || !directive.argument) out.*flag->member = true;
    return true;
}

void apply(ResponseCacheControl& out, const Directive& directive) noexcept {
    if (!directive.quotes_pair) out.no_store = true;
    if (apply_flag(out, directive, response_flags)) return;
    if (iequals(directive.name, "no-cache")) return apply_qualified(directive, out.no_cache, out.no_cache_fields);
    if (iequals(directive.name, "private")) return apply_qualified(directive, out.is_private, out.private_fields);
    for (const auto& lifetime : response_lifetimes)
        if (iequals(lifetime.name, directive.name))
            return keep_smaller(out.*lifetime.member, seconds_of(directive).value_or(0));
}

void apply(RequestCacheControl& out, const Directive& directive) noexcept {
    if (apply_flag(out, directive, request_flags)) return;
    if (iequals(directive.name, "max-stale") && !directive.argument) {
        out.any_stale = true;
        return;
    }
    const auto seconds = seconds_of(directive);
    if (!seconds) return;
    if (iequals(directive.name, "min-fresh")) out.min_fresh = std::max(out.min_fresh.value_or(0), *seconds);
    for (const auto& lifetime : request_lifetimes)
        if (iequals(lifetime.name, directive.name)) keep_smaller(out.*lifetime.member, *seconds);
}

bool has_pragma_no_cache(FieldSpan fields) noexcept {
    bool found = false;
    for_each_element(fields, FieldId::pragma, [&](std::string_view e) { found = found || iequals(e, "no-cache"); });
    return found;
}

}  // namespace

RequestCacheControl parse_request_cache_control(FieldSpan fields) noexcept {
    RequestCacheControl out;
    bool present = false;
    for (const Field& field : fields) {
        if (field.id != FieldId::cache_control) continue;
        present = true;
        for_each_element(field.value, [&](std::string_view element) { apply(out, directive_of(element)); });
    }
    if (out.max_stale) out.any_stale = false;  // the bounded one restricts more
    if (!present && has_pragma_no_cache(fields)) out.no_cache = true;
    return out;
}

ResponseCacheControl parse_response_cache_control(FieldSpan fields, FieldId id) noexcept {
    ResponseCacheControl out;
    for (const Field& field : fields) {
        if (field.id != id) continue;
        out.present = true;
        for_each_element(field.value, [&](std::string_view element) { apply(out, directive_of(element)); });
    }
    return out;
}

std::optional<Seconds> parse_delta_seconds(std::string_view text) noexcept {
    if (text.empty()) return std::nullopt;
    Seconds value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = std::min(value * 10 + (c - '0'), delta_seconds_max);
    }
    return value;
}

std::optional<Seconds> parse_age(FieldSpan fields) noexcept {
    std::optional<Seconds> age;
    if (const auto line = find(fields, FieldId::age))
        for_each_element(*line, [&](std::string_view first) { return age = parse_delta_seconds(first), false; });
    return age;
}

}  // namespace etage::http
