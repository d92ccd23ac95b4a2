#pragma once
// `etage demo`: the article's API behind the cache, written with the public headers alone.

#include <etage/server.hpp>

#include <string>

namespace etage::demo {

struct DemoOptions {
    ServerOptions server{};
    std::string db{};      // SQLite file, made when it is not there; empty: in memory, gone at the end
    unsigned slow_ms = 0;  // every database query takes at least so long
};

/// Serves until SIGTERM or SIGINT. Exit code: 0, 1 (could not serve; the database cannot be used), 2 (wrong
/// configuration).
int run(const DemoOptions& options);

}  // namespace etage::demo
