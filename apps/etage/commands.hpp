#pragma once
// What the subcommands do. Each returns the exit code: 0 fine, 1 failed at run time, 2 bad usage or configuration.

#include "cli.hpp"

namespace etage::cli {

int run(const Command& command);
int demo(const Command& command);
int check(const Command& command);
int explain(const Command& command);
int purge(const Command& command);
int reload(const Command& command);
int stats(const Command& command);

}  // namespace etage::cli
