#pragma once
// The one place where the house is put together: rooms made in order, wired by reference, taken down in reverse.

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "coherence/engine.hpp"
#include "flow/local_log.hpp"
#include "flow/walk.hpp"
#include "gateway/config.hpp"
#include "gateway/house.hpp"
#include "gateway/shared_tier.hpp"
#include "policy/route.hpp"
#include "serve/server.hpp"
#include "store/memory_store.hpp"

#include <etage/error.hpp>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace etage::gateway {

/// What an origin may use; outlives it.
struct OriginContext {
    base::Metrics& metrics;
    base::Log& log;
    const policy::Router& router;  // the index of a route is what handlers are found by
};

using OriginMaker = Result<std::unique_ptr<flow::Origin>>(const OriginContext&);

struct OriginPlan {
    std::string name;
    std::function<OriginMaker> make;
    double price_per_call = 0;
    std::string currency;
};

struct Plan {
    Config config;                    // routes included
    std::vector<OriginPlan> origins;  // [0] is the default one
    bool handlers_only = false;       // no upstream: what matches no route is 404 or 405
};

/// A whole Etage: the walk, its rooms, its doors.
class Building : private House {
public:
    /// Compiles the routes, makes the origins, binds the listeners. Nothing runs yet. Errors say what to do.
    static Result<std::unique_ptr<Building>> build(Plan plan);
    ~Building() override;
    Building(const Building&) = delete;
    Building& operator=(const Building&) = delete;

    /// Prints `listening on http://ADDR` per listener to stderr and starts the threads. With Redis it first waits a
    /// moment for the log, and says what is wrong with it; an error only when redis.required.
    Result<void> open();
    /// Stops accepting, finishes what is in flight within the grace, joins. True when all had finished.
    bool close();

    /// Hard marks for surrogate tags; the token, or why it is not recorded (it holds here all the same). `killed`
    /// receives how many entries of this instance were usable before and are gone now (O(entries): for admin work, not
    /// for every write). Blocks while Redis is asked: from any thread but those of the event loops.
    Result<Sequence> invalidate(std::span<const std::string> tags, std::size_t* killed = nullptr);

    const std::vector<std::string>& addresses() const noexcept { return addresses_; }  // "127.0.0.1:8080"
    const std::string& admin_address() const noexcept { return admin_address_; }
    base::Log& log() noexcept { return log_; }

private:
    explicit Building(Plan plan);
    Result<void> furnish();
    Result<void> share();
    Result<void> bind();
    flow::InvalidationLog& invalidations() noexcept;
    bool nothing_older(Sequence position, std::span<const TagHash> tags) const;
    std::size_t count_usable(std::span<const TagHash> tags) const;

    // House: what the admin pages may ask.
    const base::Metrics& metrics() const noexcept override { return metrics_; }
    Snapshot snapshot(Now now) const override;
    asio::awaitable<Result<PurgeReceipt>> purge(PurgeRequest request) override;
    asio::awaitable<Result<std::string>> explain(ExplainRequest request) override;

    Plan plan_;
    Now started_;
    base::Log log_;
    base::Metrics metrics_;
    policy::Router router_;
    coherence::Engine engine_;
    store::MemoryStore store_;
    std::unique_ptr<flow::Gate> gate_;
    flow::FlightTable flights_;
    std::atomic<std::size_t> fills_{0};
    flow::LocalLog local_log_;
    std::unique_ptr<SharedTier> shared_;  // null: entries and log are in this process alone
    asio::thread_pool compressors_{1};
    std::vector<std::unique_ptr<flow::Origin>> origins_;
    std::unique_ptr<flow::Walk> walk_;
    std::unique_ptr<flow::Service> admin_;
    std::vector<std::string> addresses_;
    std::string admin_address_;
    std::atomic<bool> ready_{false};
    std::unique_ptr<serve::Server> server_;  // last: its threads use all of the above
};

/// Opens, calls `opened`, waits in `waiting` for SIGTERM or SIGINT, or for somebody to stop it (from any thread, also
/// before this call), closes. The exit code: 0, or 1 when the grace ran out.
int run_until_signal(Building& building, asio::io_context& waiting, const std::function<void()>& opened);

/// `etage run`: a gateway in front of the configured origins. Exit code 0 or 1; what is wrong goes to stderr.
int run(const Config& config);

}  // namespace etage::gateway
