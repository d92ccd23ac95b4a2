// Who gets an answer that was made for somebody else: Set-Cookie, credentials, Vary, No-Vary-Search.

#include "gateway/lint_answer.hpp"
#include "gateway/lint_answer_rules.hpp"
#include "http/date.hpp"
#include "http/no_vary_search.hpp"
#include "http/structured.hpp"
#include "http/vary.hpp"

#include <algorithm>

namespace etage::gateway {

namespace {

using http::FieldId;

/// True when the answer itself says that a shared cache may use it without asking.
std::string_view shared_by(const Observed& answer) noexcept {
    const auto cc = http::parse_response_cache_control(answer.fields);
    if (cc.no_store || cc.no_cache || cc.is_private) return {};
    if (cc.s_maxage) return *cc.s_maxage > 0 ? "s-maxage" : "";
    if (cc.is_public) return "public";
    if (cc.max_age) return *cc.max_age > 0 ? "max-age" : "";
    const auto expires = http::parse_date(http::find(answer.fields, FieldId::expires).value_or(""), answer.received);
    return expires && *expires > answer.received ? "Expires" : "";
}

/// RFC 9111 §3.5: what shared caches may keep although the request had Authorization.
std::string_view shared_despite_credentials(const Observed& answer) noexcept {
    const auto cc = http::parse_response_cache_control(answer.fields);
    if (cc.no_store || cc.is_private) return {};
    if (cc.is_public) return "public";
    if (cc.s_maxage) return "s-maxage";
    return cc.must_revalidate ? "must-revalidate" : "";
}

bool varies_on(const http::VaryNames& vary, std::string_view name) noexcept {
    return vary.star || std::ranges::find(vary.names, name) != vary.names.end();
}

/// What http/no_vary_search.hpp takes although the final text does not.
bool has_draft_spelling(std::string_view text) noexcept {
    bool found = false;
    http::SfDictionary members(text);
    for (http::SfMember member; members.next(member);)
        if (member.key == "params") found = member.value == "?1";
    return found;
}

void lint_no_vary_search(const Observed& answer, std::string_view where, Findings& out) {
    const auto text = http::joined(answer.fields, FieldId::no_vary_search);
    if (!text) return;
    if (!http::parse_no_vary_search(*text))
        out.add(answer_rule("no-vary-search-invalid"), where, field_text(answer, FieldId::no_vary_search));
    else if (has_draft_spelling(*text))
        out.add(answer_rule("no-vary-search-draft"), where, field_text(answer, FieldId::no_vary_search));
}

/// Cookie names are told, values are secrets.
std::string cookie_name(std::string_view set_cookie) {
    return std::string(set_cookie.substr(0, set_cookie.find_first_of("=;")));
}

}  // namespace

void lint_sharing(const Observations& seen, std::string_view where, Findings& out) {
    const Observed& first = seen.first;
    if (const auto cookie = http::find(first.fields, FieldId::set_cookie)) {
        const auto why = shared_by(first);
        if (!why.empty())
            out.add(answer_rule("set-cookie-cacheable"), where,
                    "Set-Cookie: " + cookie_name(*cookie) + "=… beside " + std::string(why));
    }
    if (seen.anonymous && !same_content(first, *seen.anonymous)) {
        const auto why = shared_despite_credentials(first);
        if (!why.empty())
            out.add(answer_rule("authorization-public"), where,
                    "with credentials it says " + std::string(why) + "; without them the answer is " +
                        std::to_string(seen.anonymous->status) +
                        (seen.anonymous->status == first.status ? ", with other content" : ""));
    }

    const http::VaryNames vary = http::parse_vary(first.fields);
    if (vary.star) out.add(answer_rule("vary-star"), where, field_text(first, FieldId::vary));
    const bool kept = !http::parse_response_cache_control(first.fields).is_private;
    if (!vary.star && kept && varies_on(vary, "cookie"))
        out.add(answer_rule("vary-cookie"), where, field_text(first, FieldId::vary));
    if (!vary.star && kept && varies_on(vary, "user-agent"))
        out.add(answer_rule("vary-user-agent"), where, field_text(first, FieldId::vary));

    lint_no_vary_search(first, where, out);

    if (!seen.gzip || seen.gzip->status != first.status) return;
    const auto plain = http::find(first.fields, FieldId::content_encoding);
    const auto coded = http::find(seen.gzip->fields, FieldId::content_encoding);
    if (plain == coded) return;
    if (!varies_on(vary, "accept-encoding"))
        out.add(answer_rule("vary-missing-accept-encoding"), where,
                "without a coding it says " + field_text(first, FieldId::vary));
    else if (!varies_on(http::parse_vary(seen.gzip->fields), "accept-encoding"))
        out.add(answer_rule("vary-missing-accept-encoding"), where,
                "with " + field_text(*seen.gzip, FieldId::content_encoding) + " it says " +
                    field_text(*seen.gzip, FieldId::vary));
}

}  // namespace etage::gateway
