// The command `etage`.

#include "commands.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

int dispatch(const etage::cli::Command& command) {
    using etage::cli::Verb;
    switch (command.verb) {
        case Verb::run: return etage::cli::run(command);
        case Verb::demo: return etage::cli::demo(command);
        case Verb::check: return etage::cli::check(command);
        case Verb::explain: return etage::cli::explain(command);
        case Verb::purge: return etage::cli::purge(command);
        case Verb::reload: return etage::cli::reload(command);
        case Verb::stats: return etage::cli::stats(command);
    }
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a client that went away is an error of its connection, not our end
    try {
        const auto command = etage::cli::parse(argc, argv);
        return command ? dispatch(*command) : command.error();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "etage: %s\n", e.what());
        return 1;
    }
}
