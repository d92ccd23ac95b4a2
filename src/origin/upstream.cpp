#include "origin/upstream.hpp"

#include "net/dial.hpp"
#include "net/shortage.hpp"
#include "origin/upstream_endpoints.hpp"
#include "origin/upstream_exchange.hpp"
#include "origin/upstream_pool.hpp"
#include "origin/words.hpp"

#include <asio/execution/context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace etage::origin {

using flow::OriginRequest;
using flow::OriginResponse;

struct Upstream::Core {
    Core(const std::vector<http::Endpoint>& urls, const UpstreamOptions& o, base::Metrics& m)
        : options(o), metrics(m), endpoints(urls), slots(o.connections_max), tunnels(o.tunnels_max) {
        options.buffer_bytes = std::max(options.buffer_bytes, options.head.head_bytes_max + 1);
        options.connect_attempts_max = std::max<std::size_t>(options.connect_attempts_max, 1);
    }

    std::shared_ptr<UpstreamPool> pool_of(const asio::any_io_executor& executor);
    asio::awaitable<Result<Lease>> open(std::shared_ptr<UpstreamPool> pool, net::Slot slot,
                                        std::optional<Duration> idle_at_most);
    void note(UpstreamEndpoint& endpoint, bool kept, const ExchangeFailure* failure);

    static asio::awaitable<Result<OriginResponse>> fetch(std::shared_ptr<Core> core, OriginRequest request);

    UpstreamOptions options;
    base::Metrics& metrics;
    UpstreamEndpoints endpoints;
    net::Slots slots;
    net::Slots tunnels;

    std::mutex mutex;
    std::vector<std::pair<asio::execution_context*, std::shared_ptr<UpstreamPool>>> pools;
};

namespace {

/// RFC 9110 §9.2.2. One with content is not: what was read of it is gone.
bool is_repeatable(const OriginRequest& request) noexcept {
    return http::is_idempotent(request.method) && !request.body;
}

Error not_connected(const UpstreamEndpoint& endpoint, const asio::error_code& ec, Duration timeout) {
    if (ec == asio::error::timed_out)
        return {Blame::origin, Fault::origin_timeout, true,
                endpoint.name() + ": no connection within " + in_words(timeout)};
    return {Blame::origin, Fault::origin_unreachable, true, endpoint.name() + ": " + ec.message()};
}

}  // namespace

std::shared_ptr<UpstreamPool> Upstream::Core::pool_of(const asio::any_io_executor& executor) {
    asio::execution_context* const context = &asio::query(executor, asio::execution::context);
    const std::lock_guard lock(mutex);
    const auto known = std::ranges::find(pools, context, [](const auto& entry) { return entry.first; });
    if (known != pools.end()) return known->second;
    return pools.emplace_back(context, std::make_shared<UpstreamPool>(executor, options.idle_max, options.idle_timeout))
        .second;
}

/// A connection to the endpoint whose turn it is, kept or new; to another when that one cannot be reached, since
/// nothing has been sent.
asio::awaitable<Result<Lease>> Upstream::Core::open(std::shared_ptr<UpstreamPool> pool, net::Slot slot,
                                                    std::optional<Duration> idle_at_most) {
    Error error;
    UpstreamEndpoints::Tried tried = 0;
    for (std::size_t attempt = 0; attempt < options.connect_attempts_max; ++attempt) {
        const Instant now = base::TimerClock::now();
        auto endpoint = endpoints.choose(now, options.back_off, tried);
        if (!endpoint) break;
        InFlight in_flight(endpoint);
        if (idle_at_most) {
            if (auto kept = pool->take(endpoint->index(), *idle_at_most))
                co_return Lease(std::move(pool), std::move(kept), std::move(in_flight), std::move(slot), true);
        }
        auto fresh = std::make_unique<UpstreamConnection>(pool->executor(), options.buffer_bytes);
        const auto ec = co_await net::dial(endpoint->resolver(), fresh->socket(), now + options.connect_timeout);
        if (!ec) co_return Lease(std::move(pool), std::move(fresh), std::move(in_flight), std::move(slot), false);
        if (net::is_shortage(ec))
            co_return failure(Blame::us, Fault::overloaded, endpoint->name() + ": " + ec.message(), true);
        endpoint->failed(base::TimerClock::now(), options.back_off);
        error = not_connected(*endpoint, ec, options.connect_timeout);
        tried |= UpstreamEndpoints::Tried{1} << endpoint->index();
    }
    co_return std::unexpected(std::move(error));
}

/// A server that is silent, or hangs up on new connections, is as good as unreachable for the next request.
void Upstream::Core::note(UpstreamEndpoint& endpoint, bool kept, const ExchangeFailure* failure) {
    if (failure == nullptr) return endpoint.succeeded();
    const bool silent = failure->error.fault == Fault::origin_timeout;
    if (silent || (failure->unanswered && !kept)) endpoint.failed(base::TimerClock::now(), options.back_off);
}

asio::awaitable<Result<OriginResponse>> Upstream::Core::fetch(std::shared_ptr<Core> core, OriginRequest request) {
    const UpstreamOptions& options = core->options;
    const auto executor = co_await asio::this_coro::executor;
    const auto pool = core->pool_of(executor);
    const bool upgrade = !request.upgrade.empty();
    auto slot =
        co_await (upgrade ? core->tunnels : core->slots).acquire(base::TimerClock::now() + options.connect_timeout);
    if (!slot)
        co_return failure(Blame::us, Fault::overloaded,
                          core->endpoints.all().front()->name() + ": all " +
                              std::to_string(upgrade ? options.tunnels_max : options.connections_max) +
                              (upgrade ? " tunnels" : " connections") + " were busy for " +
                              in_words(options.connect_timeout),
                          true);

    const bool repeatable = is_repeatable(request);
    std::optional idle_at_most = repeatable ? options.idle_timeout : options.idle_unrepeatable_max;
    for (;;) {
        auto lease = co_await core->open(pool, std::move(*slot), idle_at_most);
        if (!lease) co_return std::unexpected(std::move(lease.error()));
        UpstreamEndpoint& endpoint = lease->endpoint();  // the core keeps it
        const bool kept = lease->kept();
        auto answer = co_await exchange(*lease, request, options);
        core->note(endpoint, kept, answer ? nullptr : &answer.error());
        if (answer) co_return std::move(*answer);
        if (!(kept && repeatable && answer.error().unanswered))
            co_return std::unexpected(std::move(answer.error().error));
        // Once: the next connection is a new one.
        core->metrics.add(base::Counter::origin_retries);
        slot = lease->abandon();
        idle_at_most.reset();
    }
}

Upstream::Upstream(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}

Result<std::unique_ptr<Upstream>> Upstream::make(const std::vector<std::string>& urls, const UpstreamOptions& options,
                                                 base::Metrics& metrics) {
    if (urls.empty() || urls.size() > UpstreamEndpoints::endpoints_max)
        return failure(Blame::us, Fault::internal,
                       "an origin needs 1 to " + std::to_string(UpstreamEndpoints::endpoints_max) + " URLs");
    std::vector<http::Endpoint> endpoints;
    for (const std::string& url : urls) {
        std::string why;
        auto endpoint = http::parse_endpoint(url, why);
        if (endpoint && endpoint->scheme != "http") why = "only http is spoken";
        if (!endpoint || endpoint->scheme != "http")
            return failure(Blame::us, Fault::internal, "origin \"" + url + "\": " + why);
        endpoints.push_back(std::move(*endpoint));
    }
    return std::unique_ptr<Upstream>(new Upstream(std::make_shared<Core>(endpoints, options, metrics)));
}

Upstream::~Upstream() {
    const std::lock_guard lock(core_->mutex);
    for (const auto& [context, pool] : core_->pools) asio::post(pool->executor(), [p = pool] { p->close(); });
}

asio::awaitable<Result<OriginResponse>> Upstream::fetch(OriginRequest request) {
    return Core::fetch(core_, std::move(request));
}

std::vector<Upstream::EndpointStatus> Upstream::status(Instant now) const {
    std::vector<EndpointStatus> all;
    for (const auto& endpoint : core_->endpoints.all())
        all.push_back({endpoint->name(), endpoint->in_flight(), endpoint->available(now)});
    return all;
}

}  // namespace etage::origin
