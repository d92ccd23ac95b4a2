#pragma once
// What the process was started with, as gateway::gather_sources() takes it.

#include <unistd.h>

#include <string>
#include <vector>

namespace etage::cli {

inline std::vector<std::string> environment() {
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
    return out;
}

}  // namespace etage::cli
