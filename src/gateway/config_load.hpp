#pragma once
// From everything the operator said to a Config: flag > environment > .env > file > default.

#include "gateway/config.hpp"
#include "gateway/config_node.hpp"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace etage::gateway {

/// A command-line flag that stands for a setting: {"--listen", "server.listen", {"127.0.0.1:8080"}}.
struct Flag {
    std::string name;
    std::string setting;
    std::vector<std::string> values;
};

/// A file that has been read.
struct SourceText {
    std::string name;  // for messages
    std::string text;
};

/// Everything that may say something, unread.
struct Sources {
    std::optional<SourceText> file;
    std::optional<SourceText> dotenv;
    std::vector<std::string> environment;  // "NAME=VALUE"
    std::vector<Flag> flags;
};

/// Reads files: the configuration named by `config` (--config), else by ETAGE_CONFIG in environment or .env, else none;
/// and `.env` in `directory`, if there is one.
std::expected<Sources, Problems> gather_sources(const std::optional<std::string>& config, std::vector<Flag> flags,
                                                std::vector<std::string> environment,
                                                const std::string& directory = ".");

/// Pure. Reports every problem of every source, not only the first.
std::expected<Config, Problems> load_config(const Sources& sources);

/// What `etage run` needs beyond a valid configuration: an origin, and routes for what only routes can use.
Problems check_runnable(const Config& config);

/// True when only this machine can reach the address.
bool is_loopback(const http::ListenAddress& address);

}  // namespace etage::gateway
