#include "gateway/compose.hpp"

#include "base/clock.hpp"
#include "flow/tags.hpp"
#include "gateway/admin.hpp"
#include "gateway/descriptors.hpp"
#include "gateway/explain.hpp"
#include "gateway/purge_request.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_future.hpp>

#include <algorithm>
#include <cstdio>

namespace etage::gateway {

namespace {

constexpr Duration purge_time_max = std::chrono::seconds(2);    // for the log to record a purge; then it is 503
constexpr Duration receipt_wait_max = std::chrono::seconds(1);  // and two leases, for instances that lag

/// Tokens of an earlier life must never be ahead of this one: the log in this process starts at the wall clock.
Sequence first_position(Now now) {
    return static_cast<Sequence>(std::chrono::milliseconds(now.wall.time_since_epoch()).count()) << 20;
}

serve::ServerOptions options_of(const ServerConfig& c, AccessLog access) {
    serve::ServerOptions out;
    out.threads = c.threads;
    out.access_log = access == AccessLog::all      ? serve::AccessLog::all
                     : access == AccessLog::misses ? serve::AccessLog::misses
                                                   : serve::AccessLog::off;
    serve::ServeLimits& limits = out.limits;
    limits.head.request_line_bytes_max = c.request_line_bytes_max;
    limits.head.head_bytes_max = c.head_bytes_max;
    limits.head.fields_max = c.fields_max;
    limits.connections_max = c.connections_max;
    limits.connections_per_client_max = c.connections_per_client_max;
    limits.head_time_max = c.header_timeout;
    limits.idle_time_max = c.idle_timeout;
    limits.body_stall_max = c.body_timeout;
    limits.body_rate_min = c.body_rate_min;
    limits.write_stall_max = c.write_timeout;
    limits.write_rate_min = c.write_rate_min;
    limits.tunnel_idle_max = c.tunnel_timeout;
    limits.body_bytes_max = c.body_bytes_max;
    limits.trusted_proxies = c.trusted_proxies;
    limits.client_field = c.client_field;
    limits.proxy_protocol = c.proxy_protocol;
    limits.server_timing = c.server_timing;
    limits.grace = c.grace;
    return out;
}

/// Clients get no more than the process has descriptors for, beside its connections to origins.
std::size_t clients_max(const Config& config, base::Log& log) {
    std::size_t to_origins = 0;
    for (const OriginConfig& origin : config.origins) to_origins += origin.connections_max;
    const std::size_t descriptors = descriptors_of_process();
    const std::size_t most = clients_within(config.server.connections_max, descriptors, to_origins);
    if (most < config.server.connections_max)
        log.info("fewer clients than configured", {{"connections_max", static_cast<std::int64_t>(most)},
                                                   {"descriptors", static_cast<std::int64_t>(descriptors)}});
    return most;
}

/// What the store may count so that the process grows by memory.limit: an eighth is for the holes that the allocator
/// keeps between entries (the table in store/memory_store.hpp).
constexpr std::size_t bytes_within(std::size_t memory_limit) noexcept { return memory_limit - memory_limit / 8; }

}  // namespace

Building::Building(const Config& config, Replan again)
    : config_(config),
      again_(std::move(again)),
      started_(base::read_clock()),
      secret_(base::random_seed()),
      log_({config_.log.level, config_.log.format, {}}),
      engine_(config_.redis.url ? 0 : first_position(started_), coherence::Engine::marks_max_default, secret_),
      store_({.bytes_max = bytes_within(config_.memory.limit), .entry_bytes_max = config_.memory.entry_max}),
      local_log_(engine_, metrics_, [this](const flow::Invalidation& names) {
          return flow::tags_of(furniture()->walk().rooms(), names);
      }) {}

Building::~Building() {
    close();
    // What still runs on the compressors or on handler threads reports back to event loops: let it end while they
    // exist.
    compressors_.join();
    if (furniture_) furniture_->let_go_of_origins();
    for (const auto& each : replaced_)
        if (const auto held = each.lock()) held->let_go_of_origins();
    if (shared_) shared_->close();
}

Result<std::unique_ptr<Building>> Building::build(Plan plan, Replan again) {
    std::unique_ptr<Building> building(new Building(plan.config, std::move(again)));
    if (auto done = building->share(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = building->furnish(std::move(plan)); !done) return std::unexpected(std::move(done.error()));
    if (auto done = building->bind(); !done) return std::unexpected(std::move(done.error()));
    return building;
}

Result<void> Building::share() {
    if (!config_.redis.url) return {};
    auto tier = SharedTier::make(
        config_.redis, config_.coherence,
        {engine_, metrics_, log_,
         [this](const flow::Invalidation& names) { return flow::tags_of(furniture()->walk().rooms(), names); },
         [this](Sequence position, std::span<const TagHash> tags) { return nothing_older(position, tags); }});
    if (!tier) return std::unexpected(std::move(tier.error()));
    shared_ = std::move(*tier);
    return {};
}

/// The self-check of coherence: whatever is still usable here with one of these tags was filled after the position.
bool Building::nothing_older(Sequence position, std::span<const TagHash> tags) const {
    bool fine = true;
    store_.for_each([&](const store::Entry& entry) {
        const auto& parts = entry.parts();
        const auto has = [&](TagHash tag) { return std::ranges::binary_search(parts.tags, tag); };
        if (parts.fence < position && std::ranges::any_of(tags, has) &&
            engine_.judge(parts.fence, parts.tags) == coherence::Validity::valid)
            fine = false;
    });
    return fine;
}

Fixtures Building::fixtures() noexcept {
    return {metrics_,        log_,         engine_,       store_,  flights_, fills_,
            invalidations(), compressors_, shared_.get(), secret_, records_, origin_names_};
}

Result<void> Building::furnish(Plan plan) {
    auto made = Furniture::make(std::move(plan), fixtures(), nullptr);
    if (!made) return std::unexpected(std::move(made.error()));
    furniture_ = std::move(*made);
    return {};
}

std::shared_ptr<Furniture> Building::furniture() const {
    const std::lock_guard lock(furniture_mutex_);
    return furniture_;
}

std::shared_ptr<flow::Service> Building::make_admin(const Config& config) {
    House& house = *this;
    return std::make_shared<Admin>(house, config.admin, log_);
}

serve::ServerOptions Building::server_options(const Config& config) {
    serve::ServerOptions options = options_of(config.server, config.log.access);
    options.limits.connections_max = clients_max(config, log_);
    return options;
}

Result<void> Building::bind() {
    server_ = std::make_unique<serve::Server>(server_options(config_), metrics_, log_);
    clients_ = std::make_unique<flow::Entrance>(service_of(furniture_));
    for (const http::ListenAddress& address : config_.server.listen) {
        auto bound = server_->listen(address, *clients_, serve::Door::clients);
        if (!bound) return std::unexpected(std::move(bound.error()));
        addresses_.push_back(std::move(*bound));
    }
    admin_ = std::make_unique<flow::Entrance>(make_admin(config_));
    auto bound = server_->listen(config_.admin.listen, *admin_, serve::Door::administration);
    if (!bound) return std::unexpected(std::move(bound.error()));
    admin_address_ = std::move(*bound);
    return {};
}

Result<void> Building::open() {
    if (shared_) {
        const bool required = config_.redis.required;
        const std::string trouble = shared_->open(required);
        if (!trouble.empty() && required)
            return failure(Blame::remote_store, Fault::internal, trouble + " (redis.required is true)");
        if (!trouble.empty()) std::fprintf(stderr, "etage: %s; serving without it\n", trouble.c_str());
    }
    if (shared_)
        asio::co_spawn(shared_->log().executor(), flow::Gate::keep_up(records_, shared_->seats()), asio::detached);
    server_->start();
    ready_.store(true, std::memory_order_release);
    for (const std::string& address : addresses_) std::fprintf(stderr, "listening on http://%s\n", address.c_str());
    std::fprintf(stderr, "listening on http://%s (admin)\n", admin_address_.c_str());
    std::fflush(stderr);
    return {};
}

bool Building::close() {
    const std::lock_guard no_reload(reloading_);
    if (!ready_.exchange(false, std::memory_order_acq_rel)) return true;
    const bool all = server_->shut_down([this] {
        return fills_.load(std::memory_order_acquire) == 0 && (!shared_ || shared_->entries().writes_under_way() == 0);
    });
    if (shared_) asio::co_spawn(shared_->log().executor(), furniture()->gate().give_up(), asio::use_future).wait();
    return all;
}

Result<Sequence> Building::invalidate(std::span<const std::string> tags, std::size_t* killed) {
    flow::Invalidation invalidation;
    for (const std::string& tag : tags) invalidation.targets.push_back({flow::Target::Kind::tag, tag});
    // Counted just before: afterwards nobody could tell whom this mark killed from whom an earlier one had.
    if (killed != nullptr) *killed = count_usable(flow::tags_of(furniture()->walk().rooms(), invalidation));
    const Instant deadline = base::read_clock().mono + purge_time_max;
    auto recording = invalidations().invalidate(std::move(invalidation), deadline);
    if (shared_) return asio::co_spawn(shared_->log().executor(), std::move(recording), asio::use_future).get();
    asio::io_context here(1);
    auto recorded = asio::co_spawn(here, std::move(recording), asio::use_future);
    here.run();
    return recorded.get();
}

flow::InvalidationLog& Building::invalidations() noexcept {
    if (shared_) return shared_->log();
    return local_log_;
}

std::size_t Building::count_usable(std::span<const TagHash> tags) const {
    std::size_t usable = 0;
    store_.for_each([&](const store::Entry& entry) {
        const auto& parts = entry.parts();
        const bool tagged =
            std::ranges::any_of(tags, [&](TagHash t) { return std::ranges::binary_search(parts.tags, t); });
        if (tagged && engine_.judge(parts.fence, parts.tags) != coherence::Validity::gone) ++usable;
    });
    return usable;
}

Snapshot Building::snapshot(Now now) const {
    Snapshot out;
    out.ready = ready_.load(std::memory_order_acquire);
    if (shared_) {
        out.shared = SharedView{config_.redis.url->text(), shared_->trouble(), shared_->log().view().live,
                                now.mono - shared_->log().view().heard};
        if (!out.shared->trouble.empty()) out.degraded = "Redis: " + out.shared->trouble;
    }
    if (!out.degraded.empty() && config_.redis.required) out.ready = false;
    out.uptime = now.mono - started_.mono;
    out.memory = store_.usage();
    out.memory_limit = config_.memory.limit;
    const auto furniture = this->furniture();
    out.given_up = {log_.dropped(), engine_.marks_forgotten(), furniture->gate().clients_forgotten()};
    out.position = engine_.fence();
    out.floor = engine_.floor();
    out.origins = furniture->origins(now);
    for (const auto& route : furniture->router().routes()) out.routes.push_back({route->name, route->policy});
    return out;
}

asio::awaitable<Result<PurgeReceipt>> Building::purge(PurgeRequest request) {
    auto invalidation = invalidation_of(request);
    if (!invalidation) co_return std::unexpected(std::move(invalidation.error()));
    const Instant deadline = base::read_clock().mono + purge_time_max;
    const auto position = co_await invalidations().invalidate(*std::move(invalidation), deadline);
    if (!position) co_return std::unexpected(position.error());
    PurgeReceipt receipt{.sequence = *position};
    if (request.wait == PurgeRequest::Wait::all || !shared_) {
        const Duration patience = receipt_wait_max + 2 * config_.coherence.lease;
        const auto all = co_await invalidations().receipt(*position, base::read_clock().mono + patience);
        receipt.confirmed = all.confirmed;
        receipt.live = all.live;
    } else {
        receipt.live = shared_->log().view().live;
    }
    co_return receipt;
}

asio::awaitable<Result<std::string>> Building::explain(ExplainRequest request) {
    const auto furniture = this->furniture();
    co_return co_await explain_request(furniture->walk().rooms(), std::move(request), base::read_clock());
}

}  // namespace etage::gateway
