#pragma once
// The limits of a house, compiled once: what `[[limit]]` and the routes say, in the form in which requests ask.

#include "http/message.hpp"
#include "limit/quota.hpp"
#include "net/network.hpp"
#include "policy/key.hpp"
#include "policy/route.hpp"

#include <etage/error.hpp>
#include <etage/policy.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace etage::flow {

/// Rows of docs/limits.md. Of one route, and as many for all routes together.
inline constexpr std::size_t limits_per_route_max = 4;
inline constexpr std::size_t limits_per_request_max = 8;
static_assert(limits_per_request_max == 2 * limits_per_route_max);
inline constexpr std::size_t limit_name_bytes_max = 32;

/// Who asks.
struct Client {
    const http::RequestHead& request;
    const policy::Identity& identity;
    std::string_view address;  // numeric, without port
    std::string_view route;    // that the request matched; empty: none
};

struct Limit {
    enum class Word : std::uint8_t { exempt, denied, counted };

    LimitPolicy policy;
    std::string route;  // its name; empty: for all
    std::uint16_t id = 0;
    limit::Quota quota;
    std::uint64_t lease = 1;
    std::uint64_t seed = 0;             // of its clients' keys
    bool is_seed_public = false;        // then a client must not find another one's key
    std::string shared_name;            // in front of a client's key: equal for limits that say the same
    std::string policy_field;           // `"burst";q=120;w=60`
    std::vector<net::Network> allowed;  // by address; by other names they stand in the policy
    std::vector<net::Network> denied;

    bool is_concurrency() const noexcept { return policy.algorithm == LimitPolicy::Algorithm::concurrency; }
    bool is_charged_afterwards() const noexcept {
        return policy.cost_by == LimitPolicy::Cost::response_header ||
               policy.cost_by == LimitPolicy::Cost::response_bytes;
    }
    /// Whom it counts; borrows from the request. One client of IPv6 owns at least a /64; anything narrower would be a
    /// new bucket for each of its addresses.
    std::string_view subject(const Client& client) const noexcept;
    /// What its lists say of the client. No allocation.
    Word word_on(const Client& client) const noexcept;
    /// What a request costs before its answer is known: 1 when only that will tell.
    std::uint64_t cost(const http::RequestHead& request) const noexcept;
};

/// What a policy says, as it is counted; a burst of 0 is the quota. Precondition: not of concurrency.
limit::Quota quota_of(LimitPolicy::Algorithm algorithm, std::uint64_t quota, Duration window,
                      std::uint64_t burst) noexcept;

/// One limit, compiled. Errors (blame us) say what no limit can be: without a rate, with a network that is none.
Result<Limit> compile_limit(const LimitPolicy& policy, std::string_view route);

}  // namespace etage::flow
