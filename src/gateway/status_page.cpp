#include "gateway/status_page.hpp"

#include "base/hash.hpp"
#include "gateway/exposition.hpp"
#include "gateway/status_page_text.hpp"
#include "gateway/units.hpp"

#include <etage/version.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace etage::gateway {
namespace {

using Json = nlohmann::ordered_json;

std::string base64(std::span<const unsigned char> bytes) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = (group << 8) | (k < have ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k) out += k <= have ? digits[(group >> (18 - 6 * k)) & 63] : '=';
    }
    return out;
}

/// CSP 3 §2.3.1: the hash of what stands between the tags.
std::string hash_source(std::string_view content) {
    std::array<unsigned char, 32> hash;
    base::sha256(content, hash.data());
    return "'sha256-" + base64(hash) + "'";
}

/// Requests that the cache answered, of those that it was asked for.
double hit_ratio(const base::Metrics& metrics) {
    const auto hits = static_cast<double>(metrics.sum(base::Counter::hits));
    const double asked = hits + static_cast<double>(metrics.sum(base::Counter::forwarded));
    return asked > 0 ? std::round(hits / asked * 10'000) / 10'000 : 0;
}

Json counters(const base::Metrics& metrics, const Snapshot& now) {
    Json out = Json::object();
    for (std::size_t i = 0; i < base::counter_count; ++i) {
        const auto counter = static_cast<base::Counter>(i);
        out[std::string(base::counter_name(counter))] =
            counter == base::Counter::evictions ? now.memory.evictions : metrics.sum(counter);
    }
    return out;
}

/// The words that occurred, with how often.
template <class E>
Json occurred(const base::Metrics& metrics, std::size_t count, std::string_view (*name)(E) noexcept) {
    Json out = Json::object();
    for (std::size_t i = 1; i < count; ++i)
        if (const auto n = metrics.sum(static_cast<E>(i)); n > 0) out[std::string(name(static_cast<E>(i)))] = n;
    return out;
}

Json origins(const base::Metrics& metrics, const Snapshot& now) {
    Json out = Json::array();
    for (std::size_t i = 0; i < now.origins.size() && i < base::metered_origins_max; ++i) {
        const OriginView& origin = now.origins[i];
        Json row = {
            {"name", origin.name}, {"calls", metrics.sum_origin_calls(i)}, {"saved", metrics.sum_origin_saved(i)}};
        if (!origin.currency.empty()) {
            row["cost_saved"] = cost_saved(metrics, i, origin);
            row["currency"] = origin.currency;
        }
        out.push_back(std::move(row));
    }
    return out;
}

Json shared(const Snapshot& now) {
    if (!now.shared) return nullptr;
    const auto silence = std::chrono::duration<double>(now.shared->silence).count();
    return {{"url", now.shared->url},
            {"trouble", now.shared->trouble},
            {"instances", now.shared->instances},
            {"silence_s", silence}};
}

Json routes(const Snapshot& now) {
    Json out = Json::array();
    for (const RouteView& route : now.routes)
        out.push_back({{"name", route.name}, {"match", route.policy.match}, {"does", describe(route.policy)}});
    return out;
}

std::string describe(const LimitPolicy& limit) {
    static constexpr std::array<std::string_view, 6> by = {"per ip",      "per user",  "per header ",
                                                           "per cookie ", "per route", "for all together"};
    const std::string what = limit.algorithm == LimitPolicy::Algorithm::concurrency
                                 ? std::to_string(limit.max) + " at once "
                                 : std::to_string(limit.quota) + "/" + format_duration(limit.window) + " ";
    return what + std::string(by[static_cast<std::size_t>(limit.by)]) + limit.by_name +
           (limit.dry_run ? " (dry run)" : "");
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    std::string out;
    for (const auto& part : parts) out.append(out.empty() ? "" : between).append(part);
    return out;
}

}  // namespace

std::string_view status_page() noexcept { return page_text; }

std::string status_page_policy() {
    return "default-src 'none'; style-src " + hash_source(page_style) + "; script-src " + hash_source(page_script) +
           "; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

std::string stats_json(const base::Metrics& metrics, const Snapshot& now) {
    const Json document = {
        {"version", version},
        {"ready", now.ready},
        {"degraded", now.degraded},
        {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(now.uptime).count()},
        {"hit_ratio", hit_ratio(metrics)},
        {"memory",
         {{"bytes", now.memory.bytes},
          {"limit_bytes", now.memory_limit},
          {"shelves", now.memory.shelves},
          {"entries", now.memory.entries}}},
        {"coherence", {{"position", std::to_string(now.position)}, {"floor", std::to_string(now.floor)}}},
        {"redis", shared(now)},
        {"counters", counters(metrics, now)},
        {"forwards", occurred<Forward>(metrics, forward_count, forward_name)},
        {"details", occurred<Detail>(metrics, detail_count, detail_name)},
        {"origins", origins(metrics, now)},
        {"routes", routes(now)},
    };
    // What an operator wrote may hold anything; a page must not fail for it.
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string describe(const RoutePolicy& policy) {
    const CachePolicy& cache = policy.cache;
    std::vector<std::string> parts;
    if (cache.pass) parts.emplace_back("not cached");
    if (cache.ttl) parts.push_back("ttl " + format_duration(*cache.ttl));
    if (cache.stale_while_revalidate)
        parts.push_back("stale " + format_duration(*cache.stale_while_revalidate) + " while revalidating");
    if (cache.stale_if_error) parts.push_back("stale " + format_duration(*cache.stale_if_error) + " on errors");
    if (cache.per == Per::user) parts.emplace_back("per user");
    if (!cache.tags.empty()) parts.push_back("tags " + joined(cache.tags, ", "));
    for (const LimitPolicy& limit : policy.limits) parts.push_back(describe(limit));
    if (!policy.invalidates.empty()) parts.push_back("invalidates " + joined(policy.invalidates, ", "));
    if (!policy.origin.empty()) parts.push_back("from " + policy.origin);
    return parts.empty() ? "as the origin says" : joined(parts, " · ");
}

}  // namespace etage::gateway
