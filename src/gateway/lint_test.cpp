#include "gateway/lint.hpp"

#include "gateway/lint_answer_rules.hpp"
#include "gateway/lint_route_rules.hpp"

#include <gtest/gtest.h>

#include <set>

namespace etage::gateway {
namespace {

template <class Each>
void for_each_rule(Each&& each) {
    for (const LintRule& rule : route_rules) each(rule);
    for (const LintRule& rule : answer_rules) each(rule);
}

TEST(LintRules, EachHasANameOfItsOwnAndSaysWhatAndWhy) {
    std::set<std::string_view> names;
    for_each_rule([&](const LintRule& rule) {
        EXPECT_TRUE(names.insert(rule.id).second) << rule.id << " is there twice";
        EXPECT_EQ(rule.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos) << rule.id;
        EXPECT_TRUE(rule.meaning.ends_with('.')) << rule.id;
        EXPECT_TRUE(rule.change.ends_with('.')) << rule.id;
        const bool standard = rule.section.starts_with("RFC ") || rule.section.starts_with("No-Vary-Search ");
        EXPECT_TRUE(rule.section.empty() || (standard && rule.section.contains("§"))) << rule.id;
    });
}

TEST(LintRules, AnswersAreJudgedByStandards) {
    for (const LintRule& rule : answer_rules)
        EXPECT_TRUE(!rule.section.empty() || rule.id == "probe-unanswered") << rule.id;
}

TEST(Findings, AreSortedByLevelAndThenAsFound) {
    Findings findings;
    findings.add(answer_rule("weak-etag-only"), "", "1");
    findings.add(answer_rule("vary-cookie"), "", "2");
    findings.add(answer_rule("etag-unquoted"), "", "3");
    findings.add(answer_rule("vary-star"), "", "4");
    findings.sort();
    std::string order;
    for (const Finding& finding : findings.list()) order += finding.what;
    EXPECT_EQ(order, "3241");
    EXPECT_EQ(findings.count(LintLevel::warning), 2U);
}

TEST(Findings, ExitCodes) {
    Findings findings;
    EXPECT_EQ(findings.exit_code(true), 0);
    findings.add(answer_rule("weak-etag-only"), "", "");
    EXPECT_EQ(findings.exit_code(true), 0) << "a note";
    findings.add(answer_rule("vary-cookie"), "", "");
    EXPECT_EQ(findings.exit_code(false), 0);
    EXPECT_EQ(findings.exit_code(true), 1) << "a warning";
    findings.add(answer_rule("etag-unquoted"), "", "");
    EXPECT_EQ(findings.exit_code(false), 1) << "an error";
}

}  // namespace
}  // namespace etage::gateway
