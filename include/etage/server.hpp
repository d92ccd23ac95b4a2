#pragma once
// An HTTP service whose handlers are answered through the cache: routes with policies, typed parameters, handlers.
//
//     etage::Server server;
//     server.route("GET /posts/{id}", {.cache = {.ttl = 60s}}, etage::path<std::int64_t>("id").at_least(1), get_post);
//     server.route("DELETE /posts/{id}", {}, etage::path<std::int64_t>("id").at_least(1), delete_post);
//     return server.run();
//
// Thread-safety · Declare origins and routes from one thread, before run(). stop() and invalidate() from any thread,
// also from handlers. Lifetime · The server outlives its handlers' calls; handlers are destroyed with it. What a
// handler captures by reference must outlive run().

#include <etage/handler.hpp>
#include <etage/origin.hpp>
#include <etage/policy.hpp>
#include <etage/sequence.hpp>
#include <etage/time.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace etage {

/// One setting of the configuration (docs/configure.md), set by the program: {"--threads", "server.threads",
/// {"4"}}.
struct Setting {
    std::string name;                 // as messages call it
    std::string setting;              // "section.key"
    std::vector<std::string> values;  // as text; several for a list
};

/// What the program itself decides. What is left out here is read from the environment (`ETAGE_SERVER_THREADS`),
/// `.env`, the configuration file, else the documented defaults hold: like command-line flags, these win over all of
/// them.
/// `[origin]` sections are for gateways and are not read.
struct ServerOptions {
    std::vector<std::string> listen{};              // "127.0.0.1:8080"; port 0: any that is free
    std::optional<std::string> admin{};             // dashboard, metrics, purge, explain: "127.0.0.1:8081"
    std::optional<unsigned> threads{};              // event loops; 0 = as many as the machine has CPUs for us
    std::optional<std::size_t> memory_bytes_max{};  // of the cache, overhead included
    std::optional<Duration> grace{};                // after a signal, for what is in flight
    std::vector<Setting> settings{};                // any other
    /// TOML. A [[route]] in it replaces the policy of the declared route with the same `match`.
    std::optional<std::string> config_file{};

    unsigned handler_threads = 8;                       // on which plain handlers run; at least 1
    std::size_t body_bytes_max = std::size_t{1} << 20;  // of a request's content; more is 413
};

/// What an invalidation did.
struct Receipt {
    Sequence seq = 0;        // the token: a request that sends it as Etage-Min-Seq sees the change on any instance
    std::size_t killed = 0;  // entries of this instance that were usable before and are gone now
    bool recorded = true;    // false: it holds here; Redis is away, and other instances hear of it when it is back
};

/// Where the server can be reached, once it can: "127.0.0.1:8080".
struct Addresses {
    std::vector<std::string> listen;
    std::string admin;
};

class Server {
public:
    explicit Server(ServerOptions options = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Declares an origin that routes may name in `RoutePolicy::origin`: a group of handlers with a name of its own in
    /// logs and metrics, an external API that they call, say. Routes without a name belong to a default one.
    Server& origin(std::string name, OriginOptions options = {});

    /// Declares a route: a pattern ("GET /posts/{id}"), a policy (its `match` is set from the pattern), parameters in
    /// the order in which the handler takes them, and the handler. The first route that matches a request answers it; a
    /// path that none matches is 404, a path matched with other methods only is 405.
    template <class... Args>
    Server& route(std::string match, RoutePolicy policy, Args... parameters_and_handler) {
        static_assert(sizeof...(Args) > 0, "a route needs a handler");
        auto all = std::make_tuple(std::move(parameters_and_handler)...);
        policy.match = std::move(match);
        add_route(std::move(policy), all, std::make_index_sequence<sizeof...(Args) - 1>{});
        return *this;
    }

    /// Called once, when requests can come: the place to tell people where to look.
    Server& on_ready(std::function<void(const Addresses&)> tell);

    /// Serves until SIGTERM, SIGINT or stop(); then stops accepting and finishes what is in flight. Prints
    /// `listening on http://ADDR` per listener to stderr. Returns an exit code: 0; 1 when it could not serve (an
    /// address in use) or could not finish in time; 2 when a declaration or the configuration is wrong. stderr says
    /// why.
    int run();

    /// Makes run() return. Does not wait.
    void stop() noexcept;

    /// Invalidates everything made from any of the tags, at once: a request that begins after this call is not answered
    /// from anything older. O(entries), because it counts what it killed: a write names its tags with
    /// Response::invalidate() instead. Outside of run() there is nothing to invalidate: {0, 0}.
    Receipt invalidate(std::span<const std::string> tags);
    Receipt invalidate(const std::string& tag) { return invalidate(std::span(&tag, 1)); }

private:
    template <class Tuple, std::size_t... I>
    void add_route(RoutePolicy policy, Tuple& all, std::index_sequence<I...>) {
        std::vector<std::string> path_names;
        (note_path(std::get<I>(all), path_names), ...);
        auto parameters = std::make_tuple(std::move(std::get<I>(all))...);
        add(std::move(policy), path_names, make_handler(std::move(std::get<sizeof...(I)>(all)), std::move(parameters)));
    }
    template <class P>
    static void note_path(const P& parameter, std::vector<std::string>& names) {
        if (parameter.is_path()) names.push_back(parameter.name());
    }
    void add(RoutePolicy policy, const std::vector<std::string>& path_names, Handler handler);

    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace etage
