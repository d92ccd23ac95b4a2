#include "gateway/lint_report.hpp"

#include "gateway/lint_answer_rules.hpp"
#include "gateway/lint_route_rules.hpp"

#include <nlohmann/json.hpp>

namespace etage::gateway {

namespace {

using nlohmann::ordered_json;

/// What a server sent must not steer a terminal.
std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return out;
}

std::string counted(std::size_t n, std::string_view word) {
    return std::to_string(n) + " " + std::string(word) + (n == 1 ? "" : "s");
}

ordered_json json_of(const LintRule& rule, std::string_view of) {
    return {{"rule", rule.id},
            {"level", lint_level_name(rule.level)},
            {"of", of},
            {"section", rule.section},
            {"means", rule.meaning},
            {"change", rule.change}};
}

template <class Each>
void for_each_rule(Each&& each) {
    for (const LintRule& rule : route_rules) each(rule, "routes");
    for (const LintRule& rule : answer_rules) each(rule, "answers");
}

std::string padded(std::string_view text, std::size_t width) {
    std::string out(text);
    out.resize(std::max(out.size(), width), ' ');
    return out + " ";
}

/// Servers may send bytes that are not UTF-8; they become U+FFFD.
std::string dump(const ordered_json& json) {
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string findings_text(const Findings& findings) {
    std::string out;
    for (const auto& [rule, where, what] : findings.list()) {
        if (!where.empty()) out += where + ": ";
        out.append(lint_level_name(rule->level)).append(": ").append(printable(what));
        out.append(" [").append(rule->id).append(rule->section.empty() ? "" : ", ").append(rule->section).append("]\n");
        out.append("    why:    ").append(rule->meaning).append("\n");
        out.append("    change: ").append(rule->change).append("\n");
    }
    return out;
}

std::string findings_summary(const Findings& findings) {
    std::string out;
    for (const LintLevel level : {LintLevel::error, LintLevel::warning, LintLevel::note})
        if (const auto n = findings.count(level); n > 0)
            out.append(out.empty() ? "" : ", ").append(counted(n, lint_level_name(level)));
    return out.empty() ? "nothing to say" : out;
}

std::string findings_json(const Findings& findings, const std::vector<LintFact>& facts, bool strict) {
    ordered_json list = ordered_json::array();
    for (const auto& [rule, where, what] : findings.list())
        list.push_back({{"rule", rule->id},
                        {"level", lint_level_name(rule->level)},
                        {"where", where},
                        {"what", what},
                        {"section", rule->section},
                        {"means", rule->meaning},
                        {"change", rule->change}});
    ordered_json out{{"ok", findings.exit_code(strict) == 0}};
    for (const auto& [name, value] : facts) std::visit([&](const auto& v) { out[name] = v; }, value);
    out["errors"] = findings.count(LintLevel::error);
    out["warnings"] = findings.count(LintLevel::warning);
    out["notes"] = findings.count(LintLevel::note);
    out["findings"] = std::move(list);
    return dump(out);
}

std::string rules_text() {
    std::string out;
    for_each_rule([&](const LintRule& rule, std::string_view of) {
        out += padded(rule.id, 30) + padded(lint_level_name(rule.level), 7) + padded(of, 7);
        out.append(rule.section.empty() ? "-" : rule.section).append("\n");
    });
    return out;
}

std::string rules_json() {
    ordered_json out = ordered_json::array();
    for_each_rule([&](const LintRule& rule, std::string_view of) { out.push_back(json_of(rule, of)); });
    return dump(out);
}

}  // namespace etage::gateway
