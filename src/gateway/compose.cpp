#include "gateway/compose.hpp"

#include "base/clock.hpp"
#include "flow/tags.hpp"
#include "gateway/admin.hpp"
#include "gateway/explain.hpp"
#include "origin/upstream.hpp"

#include <asio/signal_set.hpp>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace etage::gateway {

namespace {

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
    limits.head_time_max = c.header_timeout;
    limits.idle_time_max = c.idle_timeout;
    limits.body_stall_max = c.body_timeout;
    limits.write_stall_max = c.write_timeout;
    limits.tunnel_idle_max = c.tunnel_timeout;
    limits.body_bytes_max = c.body_bytes_max;
    limits.trusted_proxies = c.trusted_proxies;
    limits.server_timing = c.server_timing;
    limits.grace = c.grace;
    return out;
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

}  // namespace

Building::Building(Plan plan)
    : plan_(std::move(plan)),
      started_(base::read_clock()),
      log_({plan_.config.log.level, plan_.config.log.format, {}}),
      engine_(first_position(started_)),
      store_({.bytes_max = plan_.config.memory.limit, .entry_bytes_max = plan_.config.memory.entry_max}) {}

Building::~Building() {
    close();
    // What still runs on the compressors or on handler threads reports back to event loops: let it end while they
    // exist.
    compressors_.join();
    origins_.clear();
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

    std::vector<flow::Origin*> origins;
    for (const OriginPlan& origin : plan_.origins) {
        auto made = origin.make({metrics_, log_, router_});
        if (!made) return std::unexpected(std::move(made.error()));
        origins_.push_back(std::move(*made));
        origins.push_back(origins_.back().get());
    }
    walk_ = std::make_unique<flow::Walk>(
        flow::Rooms{router_, engine_, store_, buckets_, flights_, metrics_, log_, compressors_, origins,
                    base::random_seed(), plan_.handlers_only, plan_.handlers_only ? "" : "1.1 etage",
                    flow::WalkLimits{.entry_bytes_max = plan_.config.memory.entry_max}, fills_});
    return {};
}

Result<void> Building::bind() {
    server_ =
        std::make_unique<serve::Server>(server_options(plan_.config.server, plan_.config.log.access), metrics_, log_);
    for (const http::ListenAddress& address : plan_.config.server.listen) {
        auto bound = server_->listen(address, *walk_);
        if (!bound) return std::unexpected(std::move(bound.error()));
        addresses_.push_back(std::move(*bound));
    }
    House& house = *this;
    admin_ = std::make_unique<Admin>(house, plan_.config.admin);
    auto bound = server_->listen(plan_.config.admin.listen, *admin_, 1);
    if (!bound) return std::unexpected(std::move(bound.error()));
    admin_address_ = std::move(*bound);
    return {};
}

void Building::open() {
    server_->start();
    ready_.store(true, std::memory_order_release);
    for (const std::string& address : addresses_) std::fprintf(stderr, "listening on http://%s\n", address.c_str());
    std::fprintf(stderr, "listening on http://%s (admin)\n", admin_address_.c_str());
    std::fflush(stderr);
}

bool Building::close() {
    if (!ready_.exchange(false, std::memory_order_acq_rel)) return true;
    return server_->shut_down([this] { return fills_.load(std::memory_order_acquire) == 0; });
}

Sequence Building::invalidate(std::span<const std::string> tags, std::size_t* killed) {
    std::vector<TagHash> hashes;
    for (const std::string& tag : tags) hashes.push_back(coherence::tag_hash(coherence::TagKind::surrogate, tag));
    // Counted just before: afterwards nobody could tell whom this mark killed from whom an earlier one had.
    if (killed != nullptr) *killed = count_usable(hashes);
    metrics_.add(base::Counter::invalidations);
    return engine_.invalidate({hashes, coherence::Softness::hard});
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
    out.uptime = now.mono - started_.mono;
    out.memory = store_.usage();
    out.memory_limit = plan_.config.memory.limit;
    out.position = engine_.fence();
    out.floor = engine_.floor();
    for (const OriginPlan& origin : plan_.origins)
        out.origins.push_back({origin.name, origin.price_per_call, origin.currency});
    for (const auto& route : router_.routes()) out.routes.push_back({route->name, route->policy});
    return out;
}

asio::awaitable<Result<PurgeReceipt>> Building::purge(PurgeRequest request) {
    using coherence::TagKind;
    std::vector<TagHash> tags;
    for (const auto& tag : request.tags) tags.push_back(coherence::tag_hash(TagKind::surrogate, tag));
    for (const auto& key : request.keys) tags.push_back(coherence::tag_hash(TagKind::key, key));
    for (const auto& host : request.hosts) tags.push_back(coherence::tag_hash(TagKind::host, host));
    for (const auto& url : request.urls) {
        const auto uri = flow::uri_of(url);
        if (!uri) co_return failure(Blame::client, Fault::bad_request, "\"" + url + "\" is neither a URL nor a path");
        tags.push_back(flow::uri_tag(*uri));
        if (const auto tag = flow::equivalents_tag(walk_->rooms(), *uri)) tags.push_back(*tag);
    }
    for (const auto& prefix : request.prefixes) tags.push_back(flow::prefix_tag(prefix));
    if (request.all) tags.push_back(coherence::tag_hash(TagKind::everything, ""));
    PurgeReceipt receipt;
    receipt.sequence = engine_.invalidate({tags, request.soft ? coherence::Softness::soft : coherence::Softness::hard});
    metrics_.add(base::Counter::invalidations);
    co_return receipt;
}

asio::awaitable<Result<std::string>> Building::explain(ExplainRequest request) {
    co_return explain_request(walk_->rooms(), request, base::read_clock());
}

int run_until_signal(Building& building, asio::io_context& waiting, const std::function<void()>& opened) {
    asio::signal_set signals(waiting, SIGTERM, SIGINT);
    signals.async_wait([](const asio::error_code&, int) {});
    building.open();
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
        plan.origins.push_back({origin.name, upstream_maker(origin), origin.price_per_call, origin.currency});
    auto building = Building::build(std::move(plan));
    if (!building) {
        std::fprintf(stderr, "etage: %s\n", building.error().what.c_str());
        return 1;
    }
    asio::io_context waiting;
    return run_until_signal(**building, waiting, [] {});
}

}  // namespace etage::gateway
