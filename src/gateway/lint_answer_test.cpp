#include "gateway/lint_answer.hpp"

#include "gateway/lint_answer_rules.hpp"
#include "gateway/lint_fixture.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace etage::gateway {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Observations with(Observed first, std::optional<Observed> Observations::* which, Observed second) {
    Observations out = only(std::move(first));
    out.*which = std::move(second);
    return out;
}

Observed until_close() {
    Observed out = sound();
    out.framing = http::BodyKind::until_close;
    return out;
}

Observations unanswered() {
    Observations out = only(sound());
    out.unanswered.emplace_back("HEAD", "no answer in time");
    return out;
}

struct Case {
    std::string_view rule;
    Observations seen;
};

/// For every rule what breaks it, and no other.
std::vector<Case> cases() {
    using O = Observations;
    std::vector<Case> out;
    const auto says = [&](std::string_view rule, Lines lines) { out.push_back({rule, only(sound(lines))}); };
    says("unknown-directive", {"Cache-Control: max-age=60, max-stale=5"});
    says("max-age-quoted-or-invalid", {"Cache-Control: max-age=\"60\""});
    says("conflicting-max-age", {"Cache-Control: max-age=60", "Cache-Control: max-age=0"});
    says("public-with-private", {"Cache-Control: public, private, max-age=60"});
    says("private-with-s-maxage", {"Cache-Control: private, s-maxage=60"});
    says("no-store-with-max-age", {"Cache-Control: no-store, max-age=60"});
    says("no-cache-with-max-age", {"Cache-Control: no-cache, max-age=60"});
    says("s-maxage-disables-swr", {"Cache-Control: s-maxage=60, stale-while-revalidate=30"});
    says("must-revalidate-disables-swr", {"Cache-Control: max-age=60, must-revalidate, stale-if-error=30"});
    says("immutable-short", {"Cache-Control: max-age=60, immutable"});
    says("no-freshness", {"Cache-Control: private"});
    says("expires-ignored", {"Expires: Wed, 25 Nov 2026 07:00:00 GMT"});
    says("expires-invalid", {"Expires: 0"});
    out.push_back({"date-missing", only(observed({"Cache-Control: max-age=60", "ETag: \"v1\""}))});
    out.push_back({"date-skewed", only(observed({"Date: Wed, 25 Nov 2026 05:58:00 GMT", "Cache-Control: max-age=60",
                                                 "ETag: \"v1\""}))});
    says("age-without-cache", {"Age: 0"});
    says("pragma-in-response", {"Pragma: no-cache"});
    says("targeted-invalid", {"CDN-Cache-Control: max-age=60; public, Foo"});
    says("surrogate-control-superseded", {"Surrogate-Control: max-age=60"});
    out.push_back(
        {"no-validator", only(observed({"Date: Wed, 25 Nov 2026 06:00:00 GMT", "Cache-Control: max-age=60"}))});
    says("weak-etag-only", {"ETag: W/\"v1\""});
    says("etag-unquoted", {"ETag: v1"});
    out.push_back({"etag-changes-for-same-content", with(sound(), &O::again, sound({"ETag: \"v2\""}))});
    out.push_back({"etag-same-for-other-content", with(sound(), &O::again, sound({}, "other"))});
    out.push_back(
        {"etag-same-across-codings", with(sound({"Vary: Accept-Encoding"}), &O::gzip,
                                          sound({"Vary: Accept-Encoding", "Content-Encoding: gzip"}, "zipped"))});
    says("last-modified-invalid", {"Last-Modified: yesterday"});
    out.push_back({"conditional-ignored", with(sound(), &O::conditional, sound())});
    out.push_back({"not-modified-lacks-fields", with(sound(), &O::conditional, observed({"ETag: \"v1\""}, "", 304))});
    out.push_back({"head-differs", with(sound(), &O::head, sound({"Cache-Control: no-store"}, ""))});
    says("set-cookie-cacheable", {"Set-Cookie: sid=1"});
    out.push_back({"authorization-public", with(sound({"Cache-Control: public, max-age=60"}), &O::anonymous,
                                                observed({}, "who are you?", 401))});
    says("vary-star", {"Vary: *"});
    says("vary-cookie", {"Vary: Accept, Cookie"});
    says("vary-user-agent", {"Vary: User-Agent"});
    says("no-vary-search-invalid", {"No-Vary-Search: params=(utm)"});
    says("no-vary-search-draft", {"No-Vary-Search: params"});
    out.push_back({"vary-missing-accept-encoding",
                   with(sound(), &O::gzip, sound({"Content-Encoding: gzip", "ETag: \"v1-g\""}, "zipped"))});
    out.push_back({"compressible-uncompressed",
                   with(sound({}, std::string(600, 'a')), &O::gzip, sound({}, std::string(600, 'a')))});
    out.push_back({"transfer-no-length", only(until_close())});
    out.push_back({"probe-unanswered", unanswered()});
    return out;
}

TEST(LintAnswer, NothingIsSaidOfAnAnswerWithWhichNothingIsWrong) {
    Observations seen = only(sound());
    seen.again = seen.gzip = seen.anonymous = seen.first;
    seen.head = sound({}, "");
    seen.conditional =
        observed({"Date: Wed, 25 Nov 2026 06:00:00 GMT", "Cache-Control: max-age=60", "ETag: \"v1\""}, "", 304);
    EXPECT_THAT(found(seen), IsEmpty());
}

TEST(LintAnswer, EachRuleIsBrokenAlone) {
    for (const auto& [rule, seen] : cases()) EXPECT_THAT(found(seen), ElementsAre(rule));
}

TEST(LintAnswer, NoRuleIsWithoutACase) {
    std::set<std::string_view> provoked;
    for (const Case& each : cases()) provoked.insert(each.rule);
    for (const LintRule& rule : answer_rules) EXPECT_THAT(provoked, Contains(rule.id));
}

TEST(LintAnswer, ErrorsComeFirstAndSayWhere) {
    const auto findings =
        lint_answers(only(sound({"Pragma: x", "Set-Cookie: sid=s3cret", "Vary: Cookie"})), "http://a.test/");
    ASSERT_EQ(findings.list().size(), 3U);
    EXPECT_EQ(findings.list()[0].rule->id, "set-cookie-cacheable");
    EXPECT_EQ(findings.list()[0].where, "http://a.test/");
    EXPECT_EQ(findings.list()[0].what, "Set-Cookie: sid=… beside max-age") << "a cookie's value is nobody's business";
    EXPECT_EQ(findings.list()[2].rule->id, "pragma-in-response");
}

TEST(LintAnswer, WhatFailedLaterIsTold) {
    EXPECT_EQ(what(lint_answers(unanswered(), ""), "probe-unanswered"), "HEAD: no answer in time");
}

}  // namespace
}  // namespace etage::gateway
