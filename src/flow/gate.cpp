#include "flow/gate.hpp"

#include "base/hash.hpp"

#include <algorithm>

namespace etage::flow {

namespace {

/// One client of IPv6 owns at least a /64; anything narrower would be a new bucket for each of its addresses.
std::string_view network_of(std::string_view address) noexcept {
    if (address.find(':') == std::string_view::npos) return address;
    std::size_t colons = 0;
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (address.substr(i).starts_with("::")) return address.substr(0, i);
        if (address[i] == ':' && ++colons == 4) return address.substr(0, i);
    }
    return address;
}

std::string_view subject_of(const LimitPolicy& policy, const GateInput& in) noexcept {
    switch (policy.by) {
        case LimitPolicy::By::ip: return network_of(in.client_address);
        case LimitPolicy::By::user: return in.identity.present ? in.identity.text : network_of(in.client_address);
        case LimitPolicy::By::header: return http::find(in.request.fields, policy.by_name).value_or("");
        case LimitPolicy::By::cookie: return policy::cookie_value(in.request.fields, policy.by_name).value_or("");
        case LimitPolicy::By::route: return {};
    }
    return {};
}

std::int64_t whole_seconds_up(Duration d) noexcept {
    return std::chrono::ceil<std::chrono::seconds>(std::max(d, Duration::zero())).count();
}

}  // namespace

const GatePass::Ticket* GatePass::refused_by() const noexcept {
    for (std::size_t i = 0; i < count; ++i)
        if (!tickets[i].decision.allowed && !tickets[i].policy->dry_run) return &tickets[i];
    return nullptr;
}

GatePass pass_gate(limit::ClientTable<limit::State>& buckets, const GateInput& in) {
    GatePass pass;
    const auto& limits = in.route.policy.limits;
    for (std::size_t i = 0; i < std::min(limits.size(), limits_per_route_max); ++i) {
        const LimitPolicy& policy = limits[i];
        // The bucket belongs to (route, limit, subject); the first two go into the seed.
        const std::uint64_t seed = in.secret + in.route.index * limits_per_route_max + i;
        const std::uint64_t bucket = base::hash64(subject_of(policy, in), seed);
        const limit::Quota quota{policy.quota, policy.window, policy.burst == 0 ? policy.quota : policy.burst};
        pass.tickets[pass.count++] = {&policy, buckets.visit(bucket, in.now.mono, [&](limit::State& state) {
                                          return limit::take(quota, state, in.now);
                                      })};
        if (pass.refused_by() != nullptr) break;
    }
    return pass;
}

void append_limit_fields(http::FieldTail& tail, const GatePass& pass) noexcept {
    for (std::size_t i = 0; i < pass.count; ++i) {
        const auto& [policy, decision] = pass.tickets[i];
        tail.begin("RateLimit-Policy: ");
        tail.text("\"");
        tail.text(policy->name);
        tail.text("\";q=");
        tail.number(static_cast<std::int64_t>(policy->quota));
        tail.text(";w=");
        tail.number(whole_seconds_up(policy->window));
        tail.end();
        tail.begin("RateLimit: ");
        tail.text("\"");
        tail.text(policy->name);
        tail.text("\";r=");
        tail.number(static_cast<std::int64_t>(decision.remaining));
        tail.text(";t=");
        tail.number(whole_seconds_up(decision.reset_after));
        tail.end();
    }
    if (const auto* ticket = pass.refused_by()) {
        tail.begin("Retry-After: ");
        tail.number(std::max<std::int64_t>(1, whole_seconds_up(ticket->decision.retry_after)));
        tail.end();
    }
}

}  // namespace etage::flow
