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

    struct Wish {
        std::uint64_t wanted;     // to hold, in all; 0 gives everything up
        std::uint64_t in_flight;  // of them at this moment: counts against the others also if it is too many
        std::uint64_t max;        // of all instances together
    };

    /// "This instance holds so many seats of `name`." How many it may hold from now on: never so many that all
    /// instances together hold more than `max`. When that is less than are in flight (Redis had lost its count), nobody
    /// else gets any until they have gone. Lapses 3 s after it was said last, so that the seats of an instance that has
    /// crashed are free again.
    virtual asio::awaitable<Result<std::uint64_t>> hold(std::string_view name, Wish wish, Instant deadline) = 0;
};

}  // namespace etage::limit
