#include "gateway/compose.hpp"

#include "base/clock.hpp"
#include "flow/tags.hpp"
#include "gateway/admin.hpp"
#include "gateway/descriptors.hpp"
#include "gateway/explain.hpp"
#include "gateway/purge_request.hpp"
#include "origin/upstream.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_future.hpp>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace etage::gateway {

namespace {

constexpr Duration purge_time_max = std::chrono::seconds(2);    // for the log to record a purge; then it is 503
constexpr Duration receipt_wait_max = std::chrono::seconds(1);  // and two leases, for instances that lag

/// Tokens of an earlier life must never be ahead of this one: the log in this process starts at the wall clock.
Sequence first_position(Now now) {
    return static_cast<Sequence>(std::chrono::milliseconds(now.wall.time_since_epoch()).count()) << 20;
}

serve::ServerOptions server_options(const ServerConfig& c, AccessLog access) {
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

std::function<OriginMaker> upstream_maker(const OriginConfig& config) {
    std::vector<std::string> urls;
    for (const http::Endpoint& url : config.urls) urls.push_back(url.scheme + "://" + url.authority());
    origin::UpstreamOptions options;
    options.connect_timeout = config.connect_timeout;
    options.first_byte_timeout = config.first_byte_timeout;
    options.between_bytes_timeout = config.between_bytes_timeout;
    options.connections_max = config.connections_max;
    return [urls, options](const OriginContext& context) -> Result<std::unique_ptr<flow::Origin>> {
        return origin::Upstream::make(urls, options, context.metrics);
    };
}

/// What the store may count so that the process grows by memory.limit: an eighth is for the holes that the allocator
/// keeps between entries (the table in store/memory_store.hpp).
constexpr std::size_t bytes_within(std::size_t memory_limit) noexcept { return memory_limit - memory_limit / 8; }

}  // namespace

Building::Building(Plan plan)
    : plan_(std::move(plan)),
      started_(base::read_clock()),
      log_({plan_.config.log.level, plan_.config.log.format, {}}),
      engine_(plan_.config.redis.url ? 0 : first_position(started_)),
      store_({.bytes_max = bytes_within(plan_.config.memory.limit), .entry_bytes_max = plan_.config.memory.entry_max}),
      local_log_(engine_, metrics_,
                 [this](const flow::Invalidation& names) { return flow::tags_of(walk_->rooms(), names); }) {}

Building::~Building() {
    close();
    // What still runs on the compressors or on handler threads reports back to event loops: let it end while they
    // exist.
    compressors_.join();
    outbound_.clear();
    if (shared_) shared_->close();
}

Result<std::unique_ptr<Building>> Building::build(Plan plan) {
    std::unique_ptr<Building> building(new Building(std::move(plan)));
    if (auto done = building->furnish(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = building->bind(); !done) return std::unexpected(std::move(done.error()));
    return building;
}

Result<void> Building::furnish() {
    std::vector<std::string> names;
    for (const OriginPlan& origin : plan_.origins) names.push_back(origin.name);
    auto router = policy::Router::compile(plan_.config.routes, names);
    if (!router) return std::unexpected(std::move(router.error()));
    router_ = std::move(*router);

    if (auto done = share(); !done) return done;
    const Config& config = plan_.config;
    std::vector<flow::Origin*> origins;
    for (const OriginPlan& origin : plan_.origins) {
        auto made = origin.make({metrics_, log_, router_});
        if (!made) return std::unexpected(std::move(made.error()));
        outbound_.emplace_back(std::move(*made), origin.name, origin.calls,
                               origin::Budgeted::Counting{shared_ ? &shared_->quotas() : nullptr, config.redis.budget},
                               log_);
        origins.push_back(&outbound_.back().origin());
    }
    const std::uint64_t secret = base::random_seed();
    const std::uint64_t shared_secret = base::hash64(config.redis.secret, 0);
    flow::WalkLimits limits;
    limits.entry_bytes_max = config.memory.entry_max;
    limits.remote_budget = config.redis.budget;
    auto gate = flow::Gate::make(router_, config.limits,
                                 {shared_ ? &shared_->quotas() : nullptr, shared_ ? &shared_->seats() : nullptr, secret,
                                  config.redis.secret.empty() ? 0 : shared_secret, metrics_});
    if (!gate) return std::unexpected(std::move(gate.error()));
    gate_ = std::move(*gate);
    walk_ = std::make_unique<flow::Walk>(
        flow::Rooms{router_, engine_, store_, *gate_, flights_, metrics_, log_, compressors_, origins, secret,
                    plan_.handlers_only, plan_.handlers_only ? "" : "1.1 etage", limits, fills_, invalidations(),
                    config.redis.secret.empty() ? secret : shared_secret, shared_ ? &shared_->entries() : nullptr,
                    config.server.limits_page});
    return {};
}

Result<void> Building::share() {
    if (!plan_.config.redis.url) return {};
    auto tier = SharedTier::make(
        plan_.config.redis, plan_.config.coherence,
        {engine_, metrics_, log_,
         [this](const flow::Invalidation& names) { return flow::tags_of(walk_->rooms(), names); },
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

Result<void> Building::bind() {
    serve::ServerOptions options = server_options(plan_.config.server, plan_.config.log.access);
    options.limits.connections_max = clients_max(plan_.config, log_);
    server_ = std::make_unique<serve::Server>(std::move(options), metrics_, log_);
    for (const http::ListenAddress& address : plan_.config.server.listen) {
        auto bound = server_->listen(address, *walk_, serve::Door::clients);
        if (!bound) return std::unexpected(std::move(bound.error()));
        addresses_.push_back(std::move(*bound));
    }
    House& house = *this;
    admin_ = std::make_unique<Admin>(house, plan_.config.admin, log_);
    auto bound = server_->listen(plan_.config.admin.listen, *admin_, serve::Door::administration);
    if (!bound) return std::unexpected(std::move(bound.error()));
    admin_address_ = std::move(*bound);
    return {};
}

Result<void> Building::open() {
    if (shared_) {
        const bool required = plan_.config.redis.required;
        const std::string trouble = shared_->open(required);
        if (!trouble.empty() && required)
            return failure(Blame::remote_store, Fault::internal, trouble + " (redis.required is true)");
        if (!trouble.empty()) std::fprintf(stderr, "etage: %s; serving without it\n", trouble.c_str());
    }
    if (shared_) asio::co_spawn(shared_->log().executor(), gate_->keep_up(), asio::detached);
    server_->start();
    ready_.store(true, std::memory_order_release);
    for (const std::string& address : addresses_) std::fprintf(stderr, "listening on http://%s\n", address.c_str());
    std::fprintf(stderr, "listening on http://%s (admin)\n", admin_address_.c_str());
    std::fflush(stderr);
    return {};
}

bool Building::close() {
    if (!ready_.exchange(false, std::memory_order_acq_rel)) return true;
    const bool all = server_->shut_down([this] {
        return fills_.load(std::memory_order_acquire) == 0 && (!shared_ || shared_->entries().writes_under_way() == 0);
    });
    if (shared_) asio::co_spawn(shared_->log().executor(), gate_->give_up(), asio::use_future).wait();
    return all;
}

Result<Sequence> Building::invalidate(std::span<const std::string> tags, std::size_t* killed) {
    flow::Invalidation invalidation;
    for (const std::string& tag : tags) invalidation.targets.push_back({flow::Target::Kind::tag, tag});
    // Counted just before: afterwards nobody could tell whom this mark killed from whom an earlier one had.
    if (killed != nullptr) *killed = count_usable(flow::tags_of(walk_->rooms(), invalidation));
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
        out.shared = SharedView{plan_.config.redis.url->text(), shared_->trouble(), shared_->log().view().live,
                                now.mono - shared_->log().view().heard};
        if (!out.shared->trouble.empty()) out.degraded = "Redis: " + out.shared->trouble;
    }
    if (!out.degraded.empty() && plan_.config.redis.required) out.ready = false;
    out.uptime = now.mono - started_.mono;
    out.memory = store_.usage();
    out.memory_limit = plan_.config.memory.limit;
    out.given_up = {log_.dropped(), engine_.marks_forgotten(), gate_->clients_forgotten()};
    out.position = engine_.fence();
    out.floor = engine_.floor();
    for (const Outbound& outbound : outbound_) out.origins.push_back(outbound.view(now));
    for (const auto& route : router_.routes()) out.routes.push_back({route->name, route->policy});
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
        const Duration patience = receipt_wait_max + 2 * plan_.config.coherence.lease;
        const auto all = co_await invalidations().receipt(*position, base::read_clock().mono + patience);
        receipt.confirmed = all.confirmed;
        receipt.live = all.live;
    } else {
        receipt.live = shared_->log().view().live;
    }
    co_return receipt;
}

asio::awaitable<Result<std::string>> Building::explain(ExplainRequest request) {
    co_return co_await explain_request(walk_->rooms(), std::move(request), base::read_clock());
}

int run_until_signal(Building& building, asio::io_context& waiting, const std::function<void()>& opened) {
    asio::signal_set signals(waiting, SIGTERM, SIGINT);
    signals.async_wait([](const asio::error_code&, int) {});
    if (const auto open = building.open(); !open) {
        std::fprintf(stderr, "etage: %s\n", open.error().what.c_str());
        return 1;
    }
    opened();
    waiting.run();
    building.log().info("draining");
    signals.async_wait([](const asio::error_code& error, int) {  // a second signal: at once
        if (!error) std::_Exit(1);
    });
    waiting.restart();
    std::thread impatient([&] { waiting.run(); });
    const bool finished = building.close();
    signals.cancel();
    impatient.join();
    if (!finished) building.log().warn("stopped before everything was finished: the grace ran out");
    return finished ? 0 : 1;
}

int run(const Config& config) {
    Plan plan;
    plan.config = config;
    for (const OriginConfig& origin : config.origins)
        plan.origins.push_back({origin.name, upstream_maker(origin), origin.calls});
    auto building = Building::build(std::move(plan));
    if (!building) {
        std::fprintf(stderr, "etage: %s\n", building.error().what.c_str());
        return 1;
    }
    asio::io_context waiting;
    return run_until_signal(**building, waiting, [] {});
}

}  // namespace etage::gateway
