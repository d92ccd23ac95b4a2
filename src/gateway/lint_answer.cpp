#include "gateway/lint_answer.hpp"

#include "gateway/lint_answer_rules.hpp"
#include "gateway/lint_directives.hpp"

namespace etage::gateway {

bool same_content(const Observed& a, const Observed& b) noexcept {
    return a.status == b.status && a.whole && b.whole && a.content == b.content;
}

std::string field_text(const Observed& answer, http::FieldId id) {
    const std::string name(http::canonical_name(id));
    const auto value = http::joined(answer.fields, id);
    return value ? name + ": " + *value : "no " + name;
}

Findings lint_answers(const Observations& seen, std::string_view where) {
    Findings out;
    lint_cache_control(seen.first.fields, where, out);
    lint_targeted(seen.first.fields, where, out);
    lint_freshness(seen, where, out);
    lint_validators(seen, where, out);
    lint_sharing(seen, where, out);
    lint_content(seen, where, out);
    for (const auto& [request, why] : seen.unanswered)
        out.add(answer_rule("probe-unanswered"), where, request + ": " + why);
    out.sort();
    return out;
}

}  // namespace etage::gateway
