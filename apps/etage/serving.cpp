// run and demo: what serves until a signal.

#include "commands.hpp"
#include "environment.hpp"
#include "gateway/compose.hpp"
#include "gateway/config_load.hpp"
#include "gateway/descriptors.hpp"
#include "posts/demo.hpp"

#include <cstdio>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace etage::cli {
namespace {

int complain(const gateway::Problems& problems) {
    std::fputs(problems.text().c_str(), stderr);
    return 2;
}

/// What may be asked of a process that only serves. Before there are threads.
void prepare_process() {
    gateway::raise_descriptors();
#ifdef __GLIBC__
    // Entries live long and are freed by other threads than made them: with an arena for each thread, what one of them
    // freed is of no use to the others, and the process grows to twice memory.limit (store/memory_store.hpp).
    ::mallopt(M_ARENA_MAX, 1);
#endif
}

std::expected<gateway::Config, gateway::Problems> load(const Command& command) {
    auto sources = gateway::gather_sources(command.config, command.settings, environment());
    if (!sources) return std::unexpected(std::move(sources.error()));
    return gateway::load_config(*sources);
}

}  // namespace

int run(const Command& command) {
    prepare_process();
    const auto read = [&command]() -> std::expected<gateway::Config, gateway::Problems> {
        auto config = load(command);
        if (!config) return config;
        if (auto missing = gateway::check_runnable(*config); !missing.empty())
            return std::unexpected(std::move(missing));
        return config;
    };
    auto config = read();
    if (!config) return complain(config.error());
    return gateway::run(*std::move(config), read);
}

int demo(const Command& command) {
    prepare_process();
    etage::demo::DemoOptions options;
    for (const gateway::Flag& flag : command.settings)
        options.server.settings.push_back({flag.name, flag.setting, flag.values});
    options.server.config_file = command.config;
    options.db = command.db.value_or("");
    options.slow_ms = command.slow_ms;
    return etage::demo::run(options);
}

}  // namespace etage::cli
