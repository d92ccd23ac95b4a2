// run and demo: what serves until a signal.

#include "commands.hpp"
#include "environment.hpp"
#include "gateway/compose.hpp"
#include "gateway/config_load.hpp"
#include "posts/demo.hpp"

#include <cstdio>

namespace etage::cli {
namespace {

int complain(const gateway::Problems& problems) {
    std::fputs(problems.text().c_str(), stderr);
    return 2;
}

std::expected<gateway::Config, gateway::Problems> load(const Command& command) {
    auto sources = gateway::gather_sources(command.config, command.settings, environment());
    if (!sources) return std::unexpected(std::move(sources.error()));
    return gateway::load_config(*sources);
}

}  // namespace

int run(const Command& command) {
    const auto config = load(command);
    if (!config) return complain(config.error());
    if (const auto missing = gateway::check_runnable(*config); !missing.empty()) return complain(missing);
    return gateway::run(*config);
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
