// run, demo and check: what reads the whole configuration.

#include "commands.hpp"
#include "gateway/compose.hpp"
#include "gateway/config_load.hpp"
#include "gateway/config_settings.hpp"
#include "posts/demo.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace etage::cli {
namespace {

std::vector<std::string> environment() {
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
    return out;
}

int complain(const gateway::Problems& problems) {
    std::fputs(problems.text().c_str(), stderr);
    return 2;
}

std::expected<gateway::Config, gateway::Problems> load(const std::optional<std::string>& config,
                                                       const Command& command) {
    auto sources = gateway::gather_sources(config, command.settings, environment());
    if (!sources) return std::unexpected(std::move(sources.error()));
    return gateway::load_config(*sources);
}

int list_settings() {
    for (const gateway::Section& section : gateway::sections())
        for (std::size_t i = 0; i < section.keys.size(); ++i) {
            const gateway::Setting setting{&section, i};
            std::printf("%-32s %s\n", setting.path().c_str(), setting.variable().c_str());
        }
    return 0;
}

}  // namespace

int run(const Command& command) {
    const auto config = load(command.config, command);
    if (!config) return complain(config.error());
    if (const auto missing = gateway::check_runnable(*config); !missing.empty()) return complain(missing);
    return gateway::run(*config);
}

int check(const Command& command) {
    if (command.list) return list_settings();
    std::optional<std::string> file = command.config;
    if (!file && std::getenv("ETAGE_CONFIG") == nullptr && std::filesystem::exists("etage.toml")) file = "etage.toml";
    const auto config = load(file, command);
    if (!config) return complain(config.error());
    std::printf("ok: %zu %s%s\n", config->routes.size(), config->routes.size() == 1 ? "route" : "routes",
                config->origins.front().urls.empty() ? ", no origin (say --origin URL when running)" : "");
    return 0;
}

int demo(const Command& command) {
    etage::demo::DemoOptions options;
    for (const gateway::Flag& flag : command.settings)
        options.server.settings.push_back({flag.name, flag.setting, flag.values});
    options.server.config_file = command.config;
    options.db = command.db.value_or("");
    options.slow_ms = command.slow_ms;
    return etage::demo::run(options);
}

}  // namespace etage::cli
