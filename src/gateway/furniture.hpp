#pragma once
// What one configuration puts into the building: routes, limits, origins, the walk past them. A reload puts other
// furniture in its place.
//
// Lifetime · Connections hold it while they answer a request, and fills until they have landed; it goes with the last
// of them, on whatever thread that is. What is stored, what is known of clients and of the log of invalidations is none
// of it: those are fixtures, and stay.

#include "coherence/engine.hpp"
#include "flow/client_records.hpp"
#include "flow/walk.hpp"
#include "gateway/outbound.hpp"
#include "gateway/plan.hpp"
#include "gateway/shared_tier.hpp"
#include "store/memory_store.hpp"

#include <etage/error.hpp>

#include <asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace etage::gateway {

/// What stays when the configuration changes. Borrowed by all furniture.
struct Fixtures {
    base::Metrics& metrics;
    base::Log& log;
    coherence::Engine& engine;
    store::MemoryStore& store;
    flow::FlightTable& flights;
    std::atomic<std::size_t>& fills;
    flow::InvalidationLog& invalidations;
    asio::thread_pool& compressors;
    SharedTier* shared;    // null: there is none
    std::uint64_t secret;  // keys every hash a client could choose the input of
    std::shared_ptr<flow::ClientRecords> records;
    std::vector<std::string>&
        origin_names;  // all that there ever were: metrics count by their places. For make() alone
};

class Furniture {
public:
    /// Compiles the routes and the limits, makes the origins. An origin of `before` (null: none) whose settings are the
    /// same stays as it is, with its connections and what it has learned; of one whose budget is the same, what is
    /// spent of it stays spent. Errors say what to do; then nothing has changed.
    static Result<std::shared_ptr<Furniture>> make(Plan plan, const Fixtures& fixtures, const Furniture* before);

    const Config& config() const noexcept { return plan_.config; }
    const policy::Router& router() const noexcept { return router_; }
    flow::Walk& walk() noexcept { return *walk_; }
    flow::Gate& gate() noexcept { return *gate_; }
    /// By the places of Fixtures::origin_names; of one that is no more, its name alone.
    std::vector<OriginView> origins(Now now) const;

    /// Origins post to the event loops when they go: call this before those do, once they have stopped.
    void let_go_of_origins() noexcept { outbound_.clear(); }

private:
    explicit Furniture(Plan plan) : plan_(std::move(plan)) {}
    Result<void> compile(std::vector<std::string>& names);
    Result<void> add_origin(std::size_t index, const Fixtures& fixtures, const Furniture* before);
    Result<void> add_walk(const Fixtures& fixtures, const std::weak_ptr<const void>& self);
    const OriginConfig* config_of(const std::string& name) const noexcept;

    Plan plan_;
    policy::Router router_;
    std::vector<std::string> names_;                   // of origins, by their places
    std::vector<std::shared_ptr<Outbound>> outbound_;  // likewise; null: it is no more
    std::unique_ptr<flow::Gate> gate_;
    std::unique_ptr<flow::Walk> walk_;
};

/// Its walk, for connections: who holds this holds all of it.
inline std::shared_ptr<flow::Service> service_of(const std::shared_ptr<Furniture>& furniture) {
    return {furniture, &furniture->walk()};
}

}  // namespace etage::gateway
