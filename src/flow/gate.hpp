#pragma once
// Step 2: may this client come in?

#include "http/h1_writer.hpp"
#include "http/message.hpp"
#include "limit/client_table.hpp"
#include "limit/quota.hpp"
#include "policy/key.hpp"
#include "policy/route.hpp"

#include <array>
#include <string_view>

namespace etage::flow {

inline constexpr std::size_t limits_per_route_max = 4;

/// What the limits of a route said of one request.
struct GatePass {
    struct Ticket {
        const LimitPolicy* policy = nullptr;
        limit::Decision decision;
    };
    std::array<Ticket, limits_per_route_max> tickets{};
    std::size_t count = 0;
    const Ticket* refused_by() const noexcept;  // the first that refused and is not a dry run, or null
};

struct GateInput {
    const http::RequestHead& request;
    const policy::Route& route;
    const policy::Identity& identity;
    std::string_view client_address;
    Now now;
    std::uint64_t secret = 0;
};

/// Asks every limit of the route; a request refused by one still pays the ones before it. No allocation in the steady
/// state.
GatePass pass_gate(limit::ClientTable<limit::State>& buckets, const GateInput& input);

/// RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers), and Retry-After when refused.
void append_limit_fields(http::FieldTail& tail, const GatePass& pass) noexcept;

}  // namespace etage::flow
