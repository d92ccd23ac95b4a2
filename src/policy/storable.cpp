#include "policy/storable.hpp"

#include "policy/freshness.hpp"
#include "policy/invalidate.hpp"
#include "policy/key.hpp"
#include "policy/partial.hpp"
#include "policy/reference.hpp"
#include "policy/targeted.hpp"
#include "policy/update.hpp"

#include <algorithm>

namespace etage::policy {

namespace {

using http::FieldId;

template <std::size_t n>
bool is_one_of(int status, const int (&statuses)[n]) noexcept {
    return std::ranges::find(statuses, status) != std::end(statuses);
}

constexpr int cacheable[] = {200, 203, 204, 206, 300, 301, 308, 404, 410};
constexpr int about_the_request[] = {400, 401, 403, 405, 406, 407, 412, 413, 414, 415,
                                     416, 417, 421, 425, 426, 428, 429, 431, 511};

const CachePolicy& cache_policy(const Route* route) noexcept {
    static const CachePolicy none;
    return route != nullptr ? route->policy.cache : none;
}

bool varies_on(http::FieldSpan response, std::string_view name) noexcept {
    bool found = false;
    http::for_each_element(response, FieldId::vary,
                           [&](std::string_view element) { found = found || http::iequals(element, name); });
    return found;
}

Detail refused_by_request(const Exchange& x) noexcept {
    const http::Method method = x.request.method;
    if (method == http::Method::query) return x.request_cc.no_store ? Detail::no_store : Detail::none;
    if (method != http::Method::get && method != http::Method::head) return Detail::method_not_cacheable;
    if (x.request.has_body()) return Detail::request_body;
    if (x.request_cc.no_store) return Detail::no_store;  // RFC 9111 §5.2.1.5
    return Detail::none;
}

Detail refused_by_directives(const Exchange& x, const http::ResponseCacheControl& cc) noexcept {
    // RFC 9111 §5.2.2.3: no-store beside it is for those who do not understand the status.
    if (cc.must_understand && !status_understood(x.status)) return Detail::status_not_cacheable;
    if (!cache_policy(x.route).respect_origin) return Detail::none;
    if (cc.no_store && !cc.must_understand) return Detail::no_store;  // RFC 9111 §5.2.2.5
    // RFC 9111 §5.2.2.7; a key of its own makes this the cache of a single user.
    const bool fields_only = cc.private_fields.empty() || keeps_without(cc.private_fields);
    if ((cc.is_private || !fields_only) && !x.per_user_key) return Detail::private_;
    return Detail::none;
}

Detail refused_by_credentials(const Exchange& x, const GoverningDirectives& governing) noexcept {
    if (x.per_user_key) return Detail::none;
    const http::ResponseCacheControl& cc = governing.cc;
    if (cc.is_public || cc.s_maxage) return Detail::none;
    const bool authorized =
        http::contains(x.request.fields, FieldId::authorization) || identity_of(x.route, x.request).present;
    if (authorized && !cc.must_revalidate) return Detail::authorization;  // RFC 9111 §3.5

    if (!http::contains(x.request.fields, FieldId::cookie)) return Detail::none;
    if (cache_policy(x.route).allow_cookie || (governing.targeted && cc.max_age)) return Detail::none;
    if (is_keyed(x.route, "cookie") || varies_on(x.response, "cookie")) return Detail::none;
    return Detail::authorization;
}

/// A cookie that is for the first one only (no-cache="set-cookie") is not kept, so it keeps nothing from being kept.
bool withholds_cookies(const http::ResponseCacheControl& cc, bool per_user) noexcept {
    const auto lists = [](std::string_view listed) {
        return keeps_without(listed) && !http::for_each_element(listed, [](std::string_view name) -> bool {
                   return !http::iequals(name, "set-cookie");
               });
    };
    return lists(cc.no_cache_fields) || (!per_user && lists(cc.private_fields));
}

/// The same name to an origin that speaks CGI, but not to us.
bool is_double(std::string_view name, std::string_view other) noexcept {
    return http::iequals_as_cgi(name, other) && !http::iequals(name, other);
}

/// What Vary names may have come from a field of a name that we tell apart and the origin does not: whose answer is it?
bool varies_on_a_double(const Exchange& x) noexcept {
    return std::ranges::any_of(x.request.fields, [&](const http::Field& field) {
        if (field.name.find('_') == std::string_view::npos) return false;
        bool found = false;
        http::for_each_element(x.response, FieldId::vary,
                               [&](std::string_view name) { found = found || is_double(name, field.name); });
        return found;
    });
}

Detail refused_by_fields(const Exchange& x, const http::ResponseCacheControl& cc) noexcept {
    if (http::contains(x.response, FieldId::set_cookie) && !cache_policy(x.route).allow_set_cookie &&
        !withholds_cookies(cc, x.per_user_key))
        return Detail::set_cookie;
    if (varies_on(x.response, "*")) return Detail::vary_star;  // RFC 9111 §4.1
    if (varies_on_a_double(x)) return Detail::vary_star;
    return Detail::none;
}

/// RFC 9111 §3.3. A 206 that was not asked for is nobody's part.
bool is_part(const Exchange& x) noexcept {
    return single_range(x.request) && http::contains(x.response, FieldId::content_range);
}

Detail refused_by_status(const Exchange& x, const http::ResponseCacheControl& cc) noexcept {
    if (x.status == 206 && !is_part(x)) return Detail::partial;
    const FreshnessSource source = freshness_source(x);
    const bool says_how_long = source != FreshnessSource::none && source != FreshnessSource::heuristic;
    // 501 is heuristically cacheable (RFC 9110 §15.1); law 7 makes that seconds.
    const bool unimplemented = x.status == 501 && source == FreshnessSource::heuristic;
    if (!status_storable(x.status, says_how_long || cc.is_public || unimplemented)) return Detail::status_not_cacheable;

    const bool validator =
        http::contains(x.response, FieldId::etag) || http::contains(x.response, FieldId::last_modified);
    // What must be validated before every use, and cannot be, is of no use.
    const bool no_cache = compute_no_cache(x, cc);
    if (!validator && (no_cache || source == FreshnessSource::none)) return Detail::no_freshness;
    return Detail::none;
}

}  // namespace

Storable judge_storable(const Exchange& x) noexcept {
    const GoverningDirectives governing = governing_directives(x.response, x.response_cc);
    Detail why_not = refused_by_request(x);
    if (why_not == Detail::none) why_not = refused_by_directives(x, governing.cc);
    if (why_not == Detail::none) why_not = refused_by_credentials(x, governing);
    if (why_not == Detail::none) why_not = refused_by_fields(x, governing.cc);
    if (why_not == Detail::none) why_not = refused_by_status(x, governing.cc);
    return {why_not == Detail::none, why_not};
}

bool answers_get(const http::RequestHead& request, std::string_view scheme, int status, http::FieldSpan response) {
    if (request.method != http::Method::post || status != 200) return false;
    const auto location = http::find(response, FieldId::content_location);
    if (!location) return false;
    const TargetUri target{std::string(scheme), std::string(request.authority), std::string(request.path),
                           std::string(request.query), request.has_query};
    const TargetUri uri = resolve(target, *location);
    const auto text = [](const TargetUri& u) { return uri_text(u.scheme, u.authority, u.path, u.query, u.has_query); };
    if (text(uri).empty() || text(uri) != text(target)) return false;
    static const http::RequestCacheControl none;
    const auto cc = http::parse_response_cache_control(response);
    return has_explicit_freshness({request, none, status, response, cc, nullptr, false});
}

bool status_storable(int status, bool explicit_freshness) noexcept {
    if (status < 200 || status > 999 || status == 304) return false;
    if (is_one_of(status, about_the_request)) return false;
    return explicit_freshness || is_one_of(status, cacheable);
}

bool heuristically_cacheable(int status) noexcept {
    constexpr int listed[] = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
    return is_one_of(status, listed);
}

bool status_understood(int status) noexcept {
    constexpr int redirects[] = {302, 303, 307};
    return is_one_of(status, cacheable) || is_one_of(status, redirects);
}

}  // namespace etage::policy
