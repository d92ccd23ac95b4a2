#pragma once
// The one place where the house is put together: rooms made in order, wired by reference, taken down in reverse.

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "coherence/engine.hpp"
#include "flow/entrance.hpp"
#include "flow/local_log.hpp"
#include "gateway/config.hpp"
#include "gateway/furniture.hpp"
#include "gateway/house.hpp"
#include "gateway/plan.hpp"
#include "gateway/shared_tier.hpp"
#include "serve/server.hpp"
#include "store/memory_store.hpp"

#include <etage/error.hpp>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace etage::gateway {

/// Makes the plan anew from where it came from, or says everything that is wrong.
using Replan = std::function<std::expected<Plan, Problems>()>;

/// A whole Etage: the walk, its rooms, its doors.
class Building : private House {
public:
    /// Compiles the routes, makes the origins, binds the listeners. Nothing runs yet. Errors say what to do. Without
    /// `again` it cannot be reloaded.
    static Result<std::unique_ptr<Building>> build(Plan plan, Replan again = {});
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

    /// Plans again and applies the plan, whole or not at all, without dropping a connection: requests that have begun
    /// end as they began. Says in the log what became of it. Blocks while files are read; from any thread but those of
    /// the event loops.
    std::expected<Applied, Problems> apply_again();
    bool can_apply_again() const noexcept { return again_ != nullptr; }

    const std::vector<std::string>& addresses() const noexcept { return addresses_; }  // "127.0.0.1:8080"
    const std::string& admin_address() const noexcept { return admin_address_; }
    base::Log& log() noexcept { return log_; }

private:
    Building(const Config& config, Replan again);
    Result<void> share();
    Result<void> furnish(Plan plan);
    Result<void> bind();
    Fixtures fixtures() noexcept;
    std::shared_ptr<Furniture> furniture() const;
    std::expected<Applied, Problems> plan_and_place();
    std::shared_ptr<flow::Service> make_admin(const Config& config);
    serve::ServerOptions server_options(const Config& config);
    flow::InvalidationLog& invalidations() noexcept;
    bool nothing_older(Sequence position, std::span<const TagHash> tags) const;
    std::size_t count_usable(std::span<const TagHash> tags) const;

    // House: what the admin pages may ask.
    const base::Metrics& metrics() const noexcept override { return metrics_; }
    Snapshot snapshot(Now now) const override;
    asio::awaitable<Result<PurgeReceipt>> purge(PurgeRequest request) override;
    asio::awaitable<Result<std::string>> explain(ExplainRequest request) override;
    asio::awaitable<std::expected<Applied, Problems>> reload() override;

    const Config config_;  // at the start: of what no reload changes
    const Replan again_;
    std::mutex reloading_;  // one at a time, and none once we close
    Now started_;
    const std::uint64_t secret_;  // keys every hash a client could choose the input of
    base::Log log_;
    base::Metrics metrics_;
    coherence::Engine engine_;
    store::MemoryStore store_;
    flow::FlightTable flights_;
    std::atomic<std::size_t> fills_{0};
    flow::LocalLog local_log_;
    std::unique_ptr<SharedTier> shared_;  // null: entries and log are in this process alone
    asio::thread_pool compressors_{1};
    std::shared_ptr<flow::ClientRecords> records_ = std::make_shared<flow::ClientRecords>();
    std::vector<std::string> origin_names_;
    mutable std::mutex furniture_mutex_;
    std::shared_ptr<Furniture> furniture_;            // in place; under the mutex
    std::vector<std::weak_ptr<Furniture>> replaced_;  // and may still be held; under the mutex
    std::unique_ptr<flow::Entrance> clients_;
    std::unique_ptr<flow::Entrance> admin_;
    std::vector<std::string> addresses_;
    std::string admin_address_;
    std::atomic<bool> ready_{false};
    std::unique_ptr<serve::Server> server_;  // last: its threads use all of the above
};

/// Opens, calls `opened`, waits in `waiting` for SIGTERM or SIGINT, or for somebody to stop it (from any thread, also
/// before this call), closes. On SIGHUP it applies the configuration again, if it can. The exit code: 0, or 1 when the
/// grace ran out.
int run_until_signal(Building& building, asio::io_context& waiting, const std::function<void()>& opened);

/// `etage run`: a gateway in front of the configured origins. `again` reads the configuration anew, for a reload. Exit
/// code 0 or 1; what is wrong goes to stderr.
int run(Config config, std::function<std::expected<Config, Problems>()> again);

}  // namespace etage::gateway
