#include "gateway/lint_report.hpp"

#include "gateway/lint_answer_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace etage::gateway {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(LintReport, OneParagraphForEachFinding) {
    Findings findings;
    findings.add(answer_rule("vary-cookie"), "http://a/", "Vary: Cookie");
    const LintRule own{"own", LintLevel::note, "", "Why.", "How."};
    findings.add(own, "", "what");
    EXPECT_THAT(findings_text(findings), StartsWith("http://a/: warning: Vary: Cookie [vary-cookie, RFC 9110 §12.5.5]\n"
                                                    "    why:    Nearly every client"));
    EXPECT_THAT(findings_text(findings), HasSubstr("\nnote: what [own]\n    why:    Why.\n    change: How.\n"));
}

TEST(LintReport, WhatAServerSentDoesNotSteerATerminal) {
    Findings findings;
    findings.add(answer_rule("etag-unquoted"), "", "ETag: \x1b[2J\x7f");
    EXPECT_THAT(findings_text(findings), StartsWith("error: ETag: ?[2J? ["));
}

TEST(LintReport, Summary) {
    Findings findings;
    EXPECT_EQ(findings_summary(findings), "nothing to say");
    findings.add(answer_rule("vary-cookie"), "", "");
    findings.add(answer_rule("vary-star"), "", "");
    findings.add(answer_rule("etag-unquoted"), "", "");
    EXPECT_EQ(findings_summary(findings), "1 error, 2 warnings");
}

TEST(LintReport, Json) {
    Findings findings;
    findings.add(answer_rule("vary-cookie"), "http://a/", "Vary: \xff");
    const auto json =
        nlohmann::json::parse(findings_json(findings, {{"url", "http://a/"}, {"status", std::uint64_t{200}}}, true));
    EXPECT_EQ(json["ok"], false) << "strict";
    EXPECT_EQ(json["url"], "http://a/");
    EXPECT_EQ(json["status"], 200);
    EXPECT_EQ(json["warnings"], 1);
    EXPECT_EQ(json["errors"], 0);
    ASSERT_EQ(json["findings"].size(), 1U);
    EXPECT_EQ(json["findings"][0]["rule"], "vary-cookie");
    EXPECT_EQ(json["findings"][0]["what"], "Vary: \xef\xbf\xbd");
    EXPECT_EQ(nlohmann::json::parse(findings_json({}, {}, true))["ok"], true);
}

TEST(LintReport, TheRulesAreTheSameInBothForms) {
    const auto json = nlohmann::json::parse(rules_json());
    std::istringstream text(rules_text());
    std::string line;
    std::size_t n = 0;
    for (; std::getline(text, line); ++n) {
        ASSERT_LT(n, json.size());
        EXPECT_THAT(line, StartsWith(json[n]["rule"].get<std::string>() + " "));
        EXPECT_THAT(line, HasSubstr(" " + json[n]["level"].get<std::string>()));
    }
    EXPECT_EQ(n, json.size());
}

}  // namespace
}  // namespace etage::gateway
