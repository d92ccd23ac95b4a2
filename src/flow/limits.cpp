#include "flow/limits.hpp"

#include "base/hash.hpp"
#include "limit/share.hpp"

#include <asio/ip/address.hpp>

#include <algorithm>
#include <charconv>

namespace etage::flow {

namespace {

using Algorithm = LimitPolicy::Algorithm;
using By = LimitPolicy::By;
using Cost = LimitPolicy::Cost;

std::string_view network_of(std::string_view address) noexcept {
    if (address.find(':') == std::string_view::npos) return address;
    std::size_t colons = 0;
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (address.substr(i).starts_with("::")) return address.substr(0, i);
        if (address[i] == ':' && ++colons == 4) return address.substr(0, i);
    }
    return address;
}

/// draft-ietf-httpapi-ratelimit-headers-11 §3: a quota, the unit it counts, a window.
std::string policy_field_of(const LimitPolicy& policy) {
    const bool concurrency = policy.algorithm == Algorithm::concurrency;
    std::string out = '"' + policy.name + "\";q=" + std::to_string(concurrency ? policy.max : policy.quota);
    if (concurrency) return out + ";qu=\"concurrent-requests\"";
    if (policy.cost_by == Cost::response_bytes) out += ";qu=\"content-bytes\"";
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(policy.window).count();
    return out + ";w=" + std::to_string(seconds);
}

/// Instances whose limits say different things count apart: after a change of configuration the count begins anew.
std::string shared_name_of(const LimitPolicy& policy, std::string_view route) {
    std::string all(route);
    for (const std::uint64_t part :
         {static_cast<std::uint64_t>(policy.algorithm), policy.quota, static_cast<std::uint64_t>(policy.window.count()),
          policy.burst, policy.max, static_cast<std::uint64_t>(policy.by), static_cast<std::uint64_t>(policy.cost_by)})
        (all += ' ') += std::to_string(part);
    (all += ' ') += policy.by_name;
    return (route.empty() ? std::string("all") : std::string(route)) + ':' + policy.name + ':' +
           base::hex(base::hash64(all, 0)) + ':';
}

Result<std::vector<net::Network>> networks_of(const std::vector<std::string>& texts) {
    std::vector<net::Network> networks;
    for (const std::string& text : texts) {
        const auto network = net::parse_network(text);
        if (!network) return failure(Blame::us, Fault::internal, network.error());
        networks.push_back(*network);
    }
    return networks;
}

bool contains(const std::vector<net::Network>& networks, const asio::ip::address& address) noexcept {
    return std::ranges::any_of(networks, [&](const auto& network) { return network.contains(address); });
}

bool contains(const std::vector<std::string>& names, std::string_view name) noexcept {
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

limit::Quota quota_of(Algorithm algorithm, std::uint64_t quota, Duration window, std::uint64_t burst) noexcept {
    const auto counts = algorithm == Algorithm::fixed_window     ? limit::Algorithm::fixed_window
                        : algorithm == Algorithm::sliding_window ? limit::Algorithm::sliding_window
                                                                 : limit::Algorithm::token_bucket;
    return {quota, window, burst == 0 ? quota : burst, counts};
}

std::string_view Limit::subject(const Client& client) const noexcept {
    switch (policy.by) {
        case By::ip: return network_of(client.address);
        case By::user: return client.identity.present ? client.identity.text : network_of(client.address);
        case By::header: return http::find(client.request.fields, policy.by_name).value_or("");
        case By::cookie: return policy::cookie_value(client.request.fields, policy.by_name).value_or("");
        case By::route: return client.route;
        case By::everyone: return {};
    }
    return {};
}

Limit::Word Limit::word_on(const Client& client) const noexcept {
    if (policy.allow.empty() && policy.deny.empty()) return Word::counted;
    if (policy.by != By::ip) {
        const std::string_view name = subject(client);
        if (contains(policy.deny, name)) return Word::denied;
        return contains(policy.allow, name) ? Word::exempt : Word::counted;
    }
    asio::error_code failed;
    const auto address = asio::ip::make_address(client.address, failed);
    if (failed) return Word::counted;
    if (contains(denied, address)) return Word::denied;
    return contains(allowed, address) ? Word::exempt : Word::counted;
}

std::uint64_t Limit::cost(const http::RequestHead& request) const noexcept {
    if (policy.cost_by != Cost::request_header) return policy.cost;
    // What is no number costs as much as a request that does not say: nobody is let in for less.
    std::uint64_t cost = 1;
    if (const auto text = http::find(request.fields, policy.cost_name))
        std::from_chars(text->data(), text->data() + text->size(), cost);
    return std::max<std::uint64_t>(cost, 1);
}

Result<Limit> compile_limit(const LimitPolicy& policy, std::string_view route) {
    const auto wrong = [&](std::string what) {
        return failure(Blame::us, Fault::internal, "limit \"" + policy.name + "\": " + std::move(what));
    };
    Limit limit;
    limit.policy = policy;
    limit.route = route;
    if (limit.is_concurrency() ? policy.max == 0 : policy.quota == 0 || policy.window <= Duration::zero())
        return wrong("it lets nobody in; it needs a rate, or max requests at once");
    if (!limit.is_concurrency()) {
        limit.quota = quota_of(policy.algorithm, policy.quota, policy.window, policy.burst);
        limit.lease = policy.lease == 0 ? limit::lease_of(limit.quota) : std::min(policy.lease, limit::lease_max);
    }
    limit.shared_name = shared_name_of(policy, route);
    limit.policy_field = policy_field_of(policy);
    if (policy.by != By::ip) return limit;
    auto allowed = networks_of(policy.allow);
    auto denied = networks_of(policy.deny);
    if (!allowed) return wrong(allowed.error().what);
    if (!denied) return wrong(denied.error().what);
    limit.allowed = std::move(*allowed);
    limit.denied = std::move(*denied);
    return limit;
}

}  // namespace etage::flow
