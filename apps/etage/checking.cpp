// check: a configuration, or the answers of a live server.

#include "commands.hpp"
#include "environment.hpp"
#include "gateway/config_load.hpp"
#include "gateway/config_settings.hpp"
#include "gateway/lint_report.hpp"
#include "gateway/lint_routes.hpp"
#include "probe.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace etage::cli {
namespace {

int complain(const std::string& lines, int code) {
    std::fputs(lines.c_str(), stderr);
    return code;
}

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

int list_settings() {
    for (const gateway::Section& section : gateway::sections())
        for (std::size_t i = 0; i < section.keys.size(); ++i) {
            const gateway::Setting setting{&section, i};
            std::printf("%-32s %s\n", setting.path().c_str(), setting.variable().c_str());
        }
    return 0;
}

/// Findings, then one line with what was checked and whether it is fine.
int report(const CheckFlags& flags, const gateway::Findings& findings, const std::vector<gateway::LintFact>& facts,
           const std::string& checked) {
    const int code = findings.exit_code(flags.strict);
    if (flags.json) {
        print(gateway::findings_json(findings, facts, flags.strict));
        return code;
    }
    print(gateway::findings_text(findings));
    const std::string found = findings.list().empty() ? "" : ": " + gateway::findings_summary(findings);
    print((code == 0 ? "ok: " : "not ok: ") + checked + found + "\n");
    return code;
}

int check_routes(const Command& command) {
    std::optional<std::string> file = command.config;
    if (!file && std::getenv("ETAGE_CONFIG") == nullptr && std::filesystem::exists("etage.toml")) file = "etage.toml";
    const auto sources = gateway::gather_sources(file, command.settings, environment());
    if (!sources) return complain(sources.error().text(), 2);
    const auto config = gateway::load_config(*sources);
    if (!config) return complain(config.error().text(), 2);
    const std::size_t routes = config->routes.size();
    return report(command.check, gateway::lint_routes(*config, sources->file),
                  {{"config", sources->file ? sources->file->name : std::string()}, {"routes", routes}},
                  std::to_string(routes) + (routes == 1 ? " route" : " routes") +
                      (config->origins.front().urls.empty() ? ", no origin (say --origin URL when running)" : ""));
}

int check_url(const Command& command) {
    const auto target = parse_probe_target(command.url, command.headers);
    if (!target) return complain("etage: " + target.error() + "\n", 2);
    const auto probed = probe(*target, send_probe);
    if (!probed) return complain("etage: " + probed.error() + "\n", 1);
    const auto status = static_cast<std::uint64_t>(probed->seen.first.status);
    return report(
        command.check, gateway::lint_answers(probed->seen, target->url),
        {{"url", target->url}, {"status", status}, {"requests", probed->requests}},
        target->url + " answered " + std::to_string(status) + ", " + std::to_string(probed->requests) + " requests");
}

}  // namespace

int check(const Command& command) {
    if (command.check.list) return list_settings();
    if (command.check.rules) {
        print(command.check.json ? gateway::rules_json() : gateway::rules_text());
        return 0;
    }
    return command.url.empty() ? check_routes(command) : check_url(command);
}

}  // namespace etage::cli
