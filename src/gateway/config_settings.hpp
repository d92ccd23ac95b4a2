#pragma once
// Every scalar setting, listed once: its section, its key, and what it changes. TOML, environment, .env and flags all
// go through this table, so `[server] threads`, ETAGE_SERVER_THREADS and --threads cannot drift apart.

#include "gateway/config.hpp"
#include "gateway/config_node.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace etage::gateway {

struct Section {
    std::string_view name;
    std::span<const std::string_view> keys;
    void (*set)(Config& config, std::size_t key, const Node& node, Problems& problems);
};

/// A borrowed list with static lifetime, in the order of the manual.
std::span<const Section> sections() noexcept;

struct Setting {
    const Section* section = nullptr;
    std::size_t key = 0;

    std::string_view key_name() const noexcept { return section->keys[key]; }
    std::string path() const;      // "server.threads"
    std::string variable() const;  // "ETAGE_SERVER_THREADS"
    void set(Config& config, const Node& node, Problems& problems) const { section->set(config, key, node, problems); }
};

std::optional<Setting> setting(std::string_view section, std::string_view key) noexcept;
std::optional<Setting> setting_of_variable(std::string_view variable);
/// All variables there are, for "did you mean".
std::vector<std::string> variables();

/// One `[origins.<name>]` table; the name is already set.
void read_origin(OriginConfig& origin, const Node& node, Problems& problems);

}  // namespace etage::gateway
