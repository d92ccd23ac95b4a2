#include "gateway/furniture.hpp"

#include "base/hash.hpp"
#include "origin/upstream.hpp"

#include <algorithm>
#include <utility>

namespace etage::gateway {

namespace {

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

std::size_t place_of(const std::vector<std::string>& names, const std::string& name) noexcept {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

}  // namespace

Plan gateway_plan(Config config) {
    Plan plan;
    plan.config = std::move(config);
    for (const OriginConfig& origin : plan.config.origins)
        plan.origins.push_back({origin.name, upstream_maker(origin), origin.calls});
    return plan;
}

Result<std::shared_ptr<Furniture>> Furniture::make(Plan plan, const Fixtures& fixtures, const Furniture* before) {
    std::shared_ptr<Furniture> made(new Furniture(std::move(plan)));
    if (auto done = made->compile(fixtures.origin_names); !done) return std::unexpected(std::move(done.error()));
    for (std::size_t i = 0; i < made->plan_.origins.size(); ++i)
        if (auto done = made->add_origin(i, fixtures, before); !done) return std::unexpected(std::move(done.error()));
    if (auto done = made->add_walk(fixtures, made); !done) return std::unexpected(std::move(done.error()));
    return made;
}

/// `names` only grows: an origin keeps its place, and with it its counters.
Result<void> Furniture::compile(std::vector<std::string>& names) {
    for (const OriginPlan& origin : plan_.origins)
        if (place_of(names, origin.name) == names.size()) names.push_back(origin.name);
    auto router = policy::Router::compile(plan_.config.routes, names);
    if (!router) return std::unexpected(std::move(router.error()));
    router_ = std::move(*router);
    names_ = names;
    outbound_.resize(names.size());
    return {};
}

Result<void> Furniture::add_origin(std::size_t index, const Fixtures& fixtures, const Furniture* before) {
    const OriginPlan& origin = plan_.origins[index];
    const std::size_t place = place_of(names_, origin.name);
    const std::shared_ptr<Outbound> known =
        before != nullptr && place < before->outbound_.size() ? before->outbound_[place] : nullptr;
    const OriginConfig* now = config_of(origin.name);
    const OriginConfig* then = known ? before->config_of(origin.name) : nullptr;
    if (now != nullptr && then != nullptr && *now == *then) {
        outbound_[place] = known;
        return {};
    }
    auto made = origin.make({fixtures.metrics, fixtures.log, router_});
    if (!made) return std::unexpected(std::move(made.error()));
    const origin::Budgeted::Counting counting{fixtures.shared != nullptr ? &fixtures.shared->quotas() : nullptr,
                                              plan_.config.redis.budget};
    outbound_[place] = std::make_shared<Outbound>(std::move(*made), origin.name, origin.calls, counting, fixtures.log);
    if (known) outbound_[place]->go_on_from(*known);
    return {};
}

Result<void> Furniture::add_walk(const Fixtures& fixtures, const std::weak_ptr<const void>& self) {
    const Config& config = plan_.config;
    SharedTier* const shared = fixtures.shared;
    const bool has_secret = !config.redis.secret.empty();
    const base::Hash128 shared_secret = has_secret ? base::strong_hash({}, config.redis.secret) : base::Hash128{};
    auto gate = flow::Gate::make(
        router_, config.limits,
        {shared != nullptr ? &shared->quotas() : nullptr, shared != nullptr ? &shared->seats() : nullptr,
         fixtures.secret, shared_secret.high, fixtures.metrics, fixtures.records, self});
    if (!gate) return std::unexpected(std::move(gate.error()));
    gate_ = std::move(*gate);

    std::vector<flow::Origin*> origins;
    for (const auto& outbound : outbound_) origins.push_back(outbound ? &outbound->origin() : nullptr);
    flow::WalkLimits limits;
    limits.entry_bytes_max = config.memory.entry_max;
    limits.remote_budget = config.redis.budget;
    walk_ = std::make_unique<flow::Walk>(flow::Rooms{
        router_, fixtures.engine, fixtures.store, *gate_, fixtures.flights, fixtures.metrics, fixtures.log,
        fixtures.compressors, origins, fixtures.secret, plan_.handlers_only, plan_.handlers_only ? "" : "1.1 etage",
        limits, fixtures.fills, fixtures.invalidations, has_secret ? shared_secret : base::Hash128{fixtures.secret, 0},
        shared != nullptr ? &shared->entries() : nullptr, config.server.limits_page, self});
    return {};
}

const OriginConfig* Furniture::config_of(const std::string& name) const noexcept {
    const auto found = std::ranges::find(plan_.config.origins, name, &OriginConfig::name);
    return found == plan_.config.origins.end() ? nullptr : &*found;
}

std::vector<OriginView> Furniture::origins(Now now) const {
    std::vector<OriginView> views;
    for (std::size_t place = 0; place < outbound_.size(); ++place) {
        OriginView& view = views.emplace_back();
        view.name = names_[place];
        if (outbound_[place]) view = outbound_[place]->view(now);
    }
    return views;
}

}  // namespace etage::gateway
