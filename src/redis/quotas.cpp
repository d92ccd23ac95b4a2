#include "redis/quotas.hpp"

#include "redis/quotas_script.hpp"

#include <algorithm>
#include <utility>

namespace etage::redis {

RedisQuotas::RedisQuotas(Client& client, const std::string& name_space, std::function<std::uint64_t()> live)
    : client_(client), prefix_("{" + name_space + ":limits}:"), live_(std::move(live)) {}

asio::awaitable<Result<std::vector<limit::Grant>>> RedisQuotas::take(std::span<const limit::Claim> claims,
                                                                     Instant deadline) {
    if (claims.empty()) co_return std::vector<limit::Grant>();
    std::vector<std::string> keys;
    keys.reserve(claims.size());
    for (const limit::Claim& claim : claims) keys.push_back(prefix_ + std::string(claim.name));
    const std::vector<std::string> arguments = quotas_arguments(claims);
    const auto reply = co_await client_.run(quotas_script(), keys, arguments, deadline);
    if (!reply) co_return std::unexpected(reply.error());
    co_return parse_grants(claims, *reply);
}

bool RedisQuotas::away() const noexcept { return client_.away(prefix_); }

std::uint64_t RedisQuotas::instances() const noexcept { return std::max<std::uint64_t>(live_(), 1); }

}  // namespace etage::redis
