#include "gateway/lint.hpp"

#include <algorithm>

namespace etage::gateway {

std::string_view lint_level_name(LintLevel level) noexcept {
    switch (level) {
        case LintLevel::note: return "note";
        case LintLevel::warning: return "warning";
        case LintLevel::error: return "error";
    }
    return "";
}

std::size_t Findings::count(LintLevel level) const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(list_, [&](const Finding& finding) { return finding.rule->level == level; }));
}

void Findings::sort() {
    std::ranges::stable_sort(list_, std::ranges::greater{}, [](const Finding& finding) { return finding.rule->level; });
}

int Findings::exit_code(bool strict) const noexcept {
    return count(LintLevel::error) > 0 || (strict && count(LintLevel::warning) > 0) ? 1 : 0;
}

}  // namespace etage::gateway
