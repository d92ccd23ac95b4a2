#include "gateway/lint_directives.hpp"

#include "base/nearest.hpp"
#include "gateway/lint_answer_rules.hpp"
#include "http/cache_control.hpp"
#include "http/structured.hpp"
#include "http/token.hpp"

#include <algorithm>
#include <array>

namespace etage::gateway {

namespace {

using http::FieldId;

constexpr std::string_view lifetimes[] = {"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"};
constexpr std::string_view response_directives[] = {
    "max-age",       "s-maxage",        "no-cache",        "no-store",         "no-transform", "private",
    "public",        "must-revalidate", "must-understand", "proxy-revalidate", "immutable",    "stale-while-revalidate",
    "stale-if-error"};
constexpr std::string_view request_directives[] = {"max-stale", "min-fresh", "only-if-cached"};

/// immutable is for what never changes under its URL; shorter lives gain nothing by it (RFC 8246 §2).
constexpr http::Seconds immutable_seconds_min = 86'400;

bool is_in(std::string_view name, std::span<const std::string_view> names) noexcept {
    return std::ranges::any_of(names, [&](std::string_view each) { return http::iequals(each, name); });
}

std::string text_of(const WrittenDirective& directive) {
    std::string text(directive.name);
    if (directive.argument) text.append("=").append(*directive.argument);
    return text;
}

class CacheControlLint {
public:
    CacheControlLint(http::FieldSpan fields, std::string_view where, Findings& out)
        : directives_(written_directives(fields)),
          cc_(http::parse_response_cache_control(fields)),
          where_(where),
          out_(out) {}

    void run() {
        for (const WrittenDirective& directive : directives_) {
            check_name(directive);
            check_lifetime(directive);
        }
        for (const std::string_view name : lifetimes) check_twice(name);
        check_who();
        check_whether();
        check_stale_windows();
        check_immutable();
    }

private:
    void add(const LintRule& rule, std::string what) { out_.add(rule, where_, std::move(what)); }

    void check_name(const WrittenDirective& directive) {
        if (is_in(directive.name, response_directives)) return;
        std::string what = "\"" + text_of(directive) + "\"";
        if (is_in(directive.name, request_directives))
            what += " is a directive of requests";
        else if (const auto near = base::nearest(directive.name, response_directives); !near.empty())
            what += " is no directive; did you mean \"" + std::string(near) + "\"?";
        else
            what += " is no directive of the standards";
        add(answer_rule("unknown-directive"), std::move(what));
    }

    void check_lifetime(const WrittenDirective& directive) {
        if (!is_in(directive.name, lifetimes)) return;
        if (!directive.argument || !http::parse_delta_seconds(*directive.argument))
            add(answer_rule("max-age-quoted-or-invalid"), "Cache-Control says " + text_of(directive));
    }

    void check_twice(std::string_view name) {
        const WrittenDirective* first = nullptr;
        for (const WrittenDirective& directive : directives_) {
            if (!http::iequals(directive.name, name)) continue;
            if (first == nullptr) first = &directive;
            if (first->argument == directive.argument) continue;
            add(answer_rule("conflicting-max-age"),
                "Cache-Control says " + text_of(*first) + " and " + text_of(directive));
            return;
        }
    }

    void check_who() {
        if (cc_.is_private && cc_.is_public) add(answer_rule("public-with-private"), "Cache-Control says both");
        if (cc_.is_private && cc_.s_maxage)
            add(answer_rule("private-with-s-maxage"), "s-maxage=" + std::to_string(*cc_.s_maxage) + " beside private");
    }

    /// max-age=0 beside them is what careful people write, and contradicts nothing.
    void check_whether() {
        const auto lives = [](const auto& lifetime) { return lifetime.value_or(0) > 0; };
        std::string beside;
        if (lives(cc_.max_age)) beside = "max-age=" + std::to_string(*cc_.max_age);
        if (lives(cc_.s_maxage)) beside = "s-maxage=" + std::to_string(*cc_.s_maxage);
        if (cc_.no_cache && !cc_.no_store && !beside.empty())
            add(answer_rule("no-cache-with-max-age"), beside + " beside no-cache");
        if (cc_.is_public) beside = "public";
        // RFC 9111 §5.2.2.3: beside must-understand it is for those who do not.
        if (cc_.no_store && !cc_.must_understand && !beside.empty())
            add(answer_rule("no-store-with-max-age"), beside + " beside no-store");
    }

    void check_stale_windows() {
        std::string window;
        if (cc_.stale_if_error.value_or(0) > 0) window = "stale-if-error=" + std::to_string(*cc_.stale_if_error);
        if (cc_.stale_while_revalidate.value_or(0) > 0)
            window = "stale-while-revalidate=" + std::to_string(*cc_.stale_while_revalidate);
        if (window.empty()) return;
        if (cc_.must_revalidate)
            add(answer_rule("must-revalidate-disables-swr"), window + " beside must-revalidate");
        else if (cc_.s_maxage)
            add(answer_rule("s-maxage-disables-swr"), window + " beside s-maxage=" + std::to_string(*cc_.s_maxage));
        else if (cc_.proxy_revalidate)
            add(answer_rule("s-maxage-disables-swr"), window + " beside proxy-revalidate");
    }

    void check_immutable() {
        if (!cc_.immutable || cc_.max_age.value_or(0) >= immutable_seconds_min) return;
        add(answer_rule("immutable-short"),
            cc_.max_age ? "immutable beside max-age=" + std::to_string(*cc_.max_age) : "immutable without max-age");
    }

    std::vector<WrittenDirective> directives_;
    http::ResponseCacheControl cc_;
    std::string_view where_;
    Findings& out_;
};

/// What is wrong with one line of a targeted field; empty when nothing is.
std::string targeted_mistake(std::string_view line) {
    http::SfDictionary members(line);
    std::string mistake;
    for (http::SfMember member; members.next(member);) {
        const std::string text = std::string(member.key) + "=" + std::string(member.value);
        if (is_in(member.key, lifetimes) && !http::parse_delta_seconds(member.value))
            mistake = text + " is not a whole number of seconds";
        else if (is_in(member.key, response_directives) && !is_in(member.key, lifetimes) && member.value != "?1" &&
                 member.value != "?0" && member.key != "no-cache" && member.key != "private")
            mistake = text + ": the directive takes no value";
    }
    return members.failed() ? "it is no Dictionary, and ignored" : mistake;
}

}  // namespace

std::vector<WrittenDirective> written_directives(http::FieldSpan fields, FieldId id) {
    std::vector<WrittenDirective> out;
    http::for_each_element(fields, id, [&](std::string_view element) {
        const auto equals = element.find('=');
        const auto name = http::trim(element.substr(0, equals));
        if (equals == std::string_view::npos)
            out.push_back({name, std::nullopt});
        else
            out.push_back({name, http::trim(element.substr(equals + 1))});
    });
    return out;
}

void lint_cache_control(http::FieldSpan fields, std::string_view where, Findings& out) {
    CacheControlLint(fields, where, out).run();
}

void lint_targeted(http::FieldSpan fields, std::string_view where, Findings& out) {
    for (const http::Field& field : fields) {
        if (field.id != FieldId::cdn_cache_control && field.id != FieldId::etage_cache_control) continue;
        const std::string mistake = targeted_mistake(field.value);
        if (!mistake.empty())
            out.add(answer_rule("targeted-invalid"), where,
                    std::string(http::canonical_name(field.id)) + ": " + std::string(field.value) + " — " + mistake);
    }
}

}  // namespace etage::gateway
