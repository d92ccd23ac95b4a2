#pragma once
// Findings of `etage check`: what is accepted and yet seldom meant. A rule is a row of a table (lint_route_rules.hpp,
// lint_answer_rules.hpp); the rooms that look for what breaks it are pure functions that add to a list of findings.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etage::gateway {

enum class LintLevel : std::uint8_t {
    note,     // worth knowing
    warning,  // works, but hardly as meant
    error,    // wrong: somebody gets what they should not, or caches disagree
};

std::string_view lint_level_name(LintLevel) noexcept;  // "warning"

/// A row of a table. Static lifetime.
struct LintRule {
    std::string_view id;
    LintLevel level;
    std::string_view section;  // "RFC 9111 §4.2.2"; empty when it is about Etage alone
    std::string_view meaning;
    std::string_view change;
};

/// The rule of that name. Only at compile time: a name that is no rule does not compile.
template <std::size_t N>
consteval const LintRule& lint_rule(const LintRule (&rules)[N], std::string_view id) {
    for (const LintRule& rule : rules)
        if (rule.id == id) return rule;
    throw "no rule has this id";
}

struct Finding {
    const LintRule* rule;
    std::string where;  // "etage.toml:12:3", a URL; may be empty
    std::string what;   // this case of it
};

/// A list that grows. Not thread-safe.
class Findings {
public:
    void add(const LintRule& rule, std::string_view where, std::string what) {
        list_.push_back({&rule, std::string(where), std::move(what)});
    }
    std::span<const Finding> list() const noexcept { return list_; }
    std::size_t count(LintLevel) const noexcept;
    /// Errors before warnings before notes; within a level as they were found.
    void sort();
    /// 0, or 1: there is an error, or with `strict` a warning.
    int exit_code(bool strict) const noexcept;

private:
    std::vector<Finding> list_;
};

}  // namespace etage::gateway
