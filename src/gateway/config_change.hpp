#pragma once
// Which settings a reload can change: all but those that sockets, threads, the memory tier and Redis were made with.

#include "gateway/config.hpp"
#include "gateway/config_node.hpp"

namespace etage::gateway {

/// A line for each setting in which `next` differs from what runs, and that only another process can have.
Problems what_takes_a_restart(const Config& running, const Config& next);

}  // namespace etage::gateway
