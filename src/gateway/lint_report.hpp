#pragma once
// Findings and rules as text for people and as JSON for programs.

#include "gateway/lint.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace etage::gateway {

/// One paragraph per finding: "etage.toml:12:3: warning: … [rule, RFC 9111 §4.2.2]", why, and what to change. Control
/// characters of what servers sent are shown as '?'.
std::string findings_text(const Findings&);

/// "1 error, 2 warnings, 1 note"; "nothing to say".
std::string findings_summary(const Findings&);

/// What else is known of what was checked: {"status", 200}.
struct LintFact {
    std::string name;
    std::variant<std::string, std::uint64_t> value;
};

/// {"ok": …, <facts>, "errors": …, "warnings": …, "notes": …, "findings": […]}. `ok` is what the exit code says.
std::string findings_json(const Findings&, const std::vector<LintFact>& facts, bool strict);

/// Every rule there is: one line each, beginning with its id; or a JSON list with all that is known of them.
std::string rules_text();
std::string rules_json();

}  // namespace etage::gateway
