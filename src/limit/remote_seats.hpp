#pragma once
// The port to what several instances may have in flight together. `redis/` implements it.

#include <etage/error.hpp>
#include <etage/time.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <string_view>

namespace etage::limit {

class RemoteSeats {
public:
    virtual ~RemoteSeats() = default;

    /// "This instance holds `wanted` seats of `name`": absolute; 0 gives them up. How many it may hold from now on:
    /// never so many that all instances together hold more than `max`. Lapses 3 s after it was said last, so that the
    /// seats of an instance that has crashed are free again.
    virtual asio::awaitable<Result<std::uint64_t>> hold(std::string_view name, std::uint64_t wanted, std::uint64_t max,
                                                        Instant deadline) = 0;
};

}  // namespace etage::limit
