// The library's front door (include/etage/server.hpp): declarations become a Plan, and the plan a Building.
//
// Lifetime · While run() runs, handlers are called by the building's loops and by the handler threads, and may call
// invalidate() and stop(). They end in this order: the loops (run_until_signal), the handler threads, then the
// building, whose loops may still hold what the handlers' results were for.

#include "gateway/compose.hpp"
#include "gateway/config_load.hpp"
#include "gateway/config_origin.hpp"
#include "gateway/config_routes.hpp"
#include "origin/handler.hpp"

#include <etage/server.hpp>

#include <unistd.h>
#include <asio/io_context.hpp>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <shared_mutex>

namespace etage {

namespace {

using gateway::Flag;

std::vector<std::string> environment() {
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
    return out;
}

std::vector<Flag> flags_of(const ServerOptions& options) {
    std::vector<Flag> flags;
    for (const Setting& s : options.settings) flags.push_back({s.name, s.setting, s.values});
    if (!options.listen.empty()) flags.push_back({"listen", "server.listen", options.listen});
    if (options.admin) flags.push_back({"admin", "admin.listen", {*options.admin}});
    if (options.threads) flags.push_back({"threads", "server.threads", {std::to_string(*options.threads)}});
    if (options.memory_bytes_max)
        flags.push_back({"memory_bytes_max", "memory.limit", {std::to_string(*options.memory_bytes_max)}});
    if (options.grace) flags.push_back({"grace", "server.grace", {std::to_string(options.grace->count()) + "ns"}});
    return flags;
}

int complain(const std::string& lines, int exit_code) {
    std::fputs(lines.c_str(), stderr);
    return exit_code;
}

}  // namespace

struct Server::Inside {
    struct NamedOrigin {
        std::string name;
        OriginOptions options;
    };

    ServerOptions options;
    std::vector<NamedOrigin> origins = {{gateway::OriginConfig{}.name, {}}};  // [0]: routes that name none
    std::vector<RoutePolicy> policies;
    std::shared_ptr<origin::Handlers> handlers = std::make_shared<origin::Handlers>();
    gateway::Problems mistakes;  // in declarations
    std::function<void(const Addresses&)> tell = [](const Addresses&) {};

    asio::io_context waiting;  // run() waits in it for a signal or stop()
    std::shared_mutex running_mutex;
    gateway::Building* running = nullptr;  // under the mutex; null outside of run()

    std::vector<std::string> origin_names() const {
        std::vector<std::string> names;
        for (const NamedOrigin& origin : origins) names.push_back(origin.name);
        return names;
    }
    std::expected<gateway::Config, gateway::Problems> configure() const;
    void merge_routes(gateway::Config& config, gateway::Problems& problems) const;
    gateway::Plan plan(gateway::Config config, asio::thread_pool& pool) const;
    int serve(gateway::Building& building);
    void set_running(gateway::Building* building) {
        const std::unique_lock lock(running_mutex);
        running = building;
    }
};

std::expected<gateway::Config, gateway::Problems> Server::Inside::configure() const {
    auto sources = gateway::gather_sources(options.config_file, flags_of(options), environment());
    if (!sources) return std::unexpected(std::move(sources.error()));
    auto config = gateway::load_config(*sources);
    if (!config) return config;
    gateway::Problems problems;
    merge_routes(*config, problems);
    if (config->default_ttl) gateway::apply_default_ttl(config->routes, origin_names(), *config->default_ttl);
    if (const auto compiled = policy::Router::compile(config->routes, origin_names()); !compiled)
        problems.add("", compiled.error().what);
    if (!problems.empty()) return std::unexpected(std::move(problems));
    return config;
}

/// Routes are in the order of their declaration, which is that of the handlers; the file only changes what they say.
void Server::Inside::merge_routes(gateway::Config& config, gateway::Problems& problems) const {
    std::vector<RoutePolicy> merged = policies;
    for (RoutePolicy& from_file : config.routes) {
        const auto declared = std::ranges::find(merged, from_file.match, &RoutePolicy::match);
        if (declared == merged.end()) {
            problems.add("", "[[route]] match = \"" + from_file.match + "\": no handler is declared for exactly this");
            continue;
        }
        from_file.origin = declared->origin;
        *declared = std::move(from_file);
    }
    config.routes = std::move(merged);
}

gateway::Plan Server::Inside::plan(gateway::Config config, asio::thread_pool& pool) const {
    gateway::Plan plan;
    plan.config = std::move(config);
    plan.handlers_only = true;
    const origin::HandlerLimits limits{.body_bytes_max = options.body_bytes_max};
    for (const NamedOrigin& origin : origins)
        plan.origins.push_back({origin.name,
                                [this, &pool, limits](const gateway::OriginContext& context) {
                                    return std::make_unique<origin::HandlerOrigin>(handlers, pool, context.log, limits);
                                },
                                origin.options});
    return plan;
}

int Server::Inside::serve(gateway::Building& building) {
    set_running(&building);
    return gateway::run_until_signal(building, waiting,
                                     [&] { tell({building.addresses(), building.admin_address()}); });
}

Server::Server(ServerOptions options) : inside_(std::make_unique<Inside>()) { inside_->options = std::move(options); }

Server::~Server() = default;

Server& Server::origin(std::string name, OriginOptions options) {
    if (std::ranges::find(inside_->origins, name, &Inside::NamedOrigin::name) != inside_->origins.end())
        inside_->mistakes.add("", "origin \"" + name + "\" is declared twice");
    if (const auto mistake = gateway::mistake_in(options))
        inside_->mistakes.add("", "origin \"" + name + "\": " + std::string(mistake->key) + ": " + mistake->what);
    inside_->origins.push_back({std::move(name), std::move(options)});
    return *this;
}

void Server::add(RoutePolicy policy, const std::vector<std::string>& path_names, Handler handler) {
    for (const std::string& name : path_names)
        if (policy.match.find("{" + name + "}") == std::string::npos)
            inside_->mistakes.add("", "route \"" + policy.match + "\": its handler takes the path parameter \"" + name +
                                          "\", but the pattern has no {" + name + "}");
    inside_->policies.push_back(std::move(policy));
    inside_->handlers->push_back(std::move(handler));
}

Server& Server::on_ready(std::function<void(const Addresses&)> tell) {
    inside_->tell = std::move(tell);
    return *this;
}

int Server::run() {
    if (!inside_->mistakes.empty()) return complain(inside_->mistakes.text(), 2);
    auto config = inside_->configure();
    if (!config) return complain(config.error().text(), 2);

    auto pool = std::make_unique<asio::thread_pool>(std::max(1U, inside_->options.handler_threads));
    auto building = gateway::Building::build(inside_->plan(*std::move(config), *pool));
    if (!building) return complain(building.error().what + "\n", 1);
    const int exit_code = inside_->serve(**building);
    // Handlers that have begun end; those that wait for a thread are forgotten, together with the requests they were
    // for.
    pool->stop();
    pool->join();
    pool.reset();
    inside_->set_running(nullptr);
    return exit_code;
}

void Server::stop() noexcept { inside_->waiting.stop(); }

Receipt Server::invalidate(std::span<const std::string> tags) {
    const std::shared_lock lock(inside_->running_mutex);
    Receipt receipt;
    if (inside_->running == nullptr) return receipt;
    const auto token = inside_->running->invalidate(tags, &receipt.killed);
    receipt.recorded = token.has_value();
    receipt.seq = token.value_or(0);
    return receipt;
}

}  // namespace etage
