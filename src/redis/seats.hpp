#pragma once
// Seats that all instances share, on Redis: a limit of what is in flight on all of them together.
//
//   {ns:limits}:seats:<name>    a hash: instance → "<seats> <lapses at, ms>", by the clock of its server
//
// Whoever comes first gets what is free. A call costs as much as there are instances.
//
// Concurrency · Thread-safe; but the last word counts: of one instance and name, one call at a time.

#include "limit/remote_seats.hpp"
#include "redis/client.hpp"

#include <string>

namespace etage::redis {

class RedisSeats final : public limit::RemoteSeats {
public:
    /// `instance` is unique among all processes. `client` is borrowed and outlives this.
    RedisSeats(Client& client, const std::string& name_space, std::string instance);

    asio::awaitable<Result<std::uint64_t>> hold(std::string_view name, Wish wish, Instant deadline) override;

private:
    Client& client_;
    const std::string prefix_;
    const std::string instance_;
};

}  // namespace etage::redis
