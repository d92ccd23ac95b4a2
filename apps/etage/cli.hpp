#pragma once
// The command line as values. Nothing here opens, reads or prints anything but help.

#include "gateway/config_load.hpp"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace etage::cli {

enum class Verb { run, demo, check, explain, purge, reload, stats };

/// How the small clients find the administration.
struct AdminFlags {
    std::optional<std::string> address;  // --admin
    std::optional<std::string> token;    // --token
};

struct PurgeFlags {
    std::vector<std::string> tags, keys, urls, prefixes, hosts;
    bool all = false;
    bool soft = false;
    std::string wait = "local";
};

struct CheckFlags {
    bool list = false;    // the settings
    bool rules = false;   // the rules
    bool json = false;    // what is found, for programs
    bool strict = false;  // warnings fail too
};

struct Command {
    Verb verb = Verb::run;
    std::optional<std::string> config;    // --config
    std::vector<gateway::Flag> settings;  // run, demo: flags that stand for settings

    std::optional<std::string> db;  // demo
    unsigned slow_ms = 0;           // demo

    CheckFlags check;

    AdminFlags admin;                  // explain, purge, reload, stats
    std::string url;                   // explain; check, when a server is meant
    std::vector<std::string> headers;  // explain, check
    PurgeFlags purge;                  // purge
};

/// The command, or the exit code after help, version (0) or a complaint (2) has been printed.
std::expected<Command, int> parse(int argc, const char* const* argv);

}  // namespace etage::cli
