#pragma once
// Limits that all instances count together, on Redis: the common count is there, by the clock of its server.
//
//   {ns:limits}:<name>    what one client has used of one limit; gone soon after nothing is used any more
//
// One key for each claim, all of one slot, so that a request is one call of one script whatever it is limited by. A
// value that is none of ours counts as nothing used, and is replaced.
//
// Concurrency · Thread-safe; the client gives each event loop a connection of its own.

#include "limit/remote_quotas.hpp"
#include "redis/client.hpp"

#include <functional>
#include <string>

namespace etage::redis {

class RedisQuotas final : public limit::RemoteQuotas {
public:
    /// `live`: how many instances there are; called from any thread. `client` is borrowed and outlives this.
    RedisQuotas(Client& client, const std::string& name_space, std::function<std::uint64_t()> live);

    /// Precondition: no two claims of a call have one name. A claim that needs nothing (0) binds, too: with nothing
    /// left nobody is granted anything. Counts are exact up to 2^53, and a debt up to 104 days.
    asio::awaitable<Result<std::vector<limit::Grant>>> take(std::span<const limit::Claim> claims,
                                                            Instant deadline) override;
    bool away() const noexcept override;
    std::uint64_t instances() const noexcept override;

private:
    Client& client_;
    const std::string prefix_;
    const std::function<std::uint64_t()> live_;
};

}  // namespace etage::redis
