#pragma once
// A host's addresses, asked for when a connection is made.
//
// Concurrency · A Resolver is shared by all threads; the mutex guards the remembered addresses, never a wait.
// What this does not promise · That a question ends with its deadline: getaddrinfo() cannot be interrupted, so it ends
// in the background. An io_context that is destroyed meanwhile waits for it.

#include "net/timer.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>

#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace etage::net {

using Addresses = std::vector<asio::ip::tcp::endpoint>;

class Resolver {
public:
    /// `host` is a name or a numeric address without brackets, `port` digits.
    Resolver(std::string host, std::string port);

    /// The addresses to try, the best first; never empty. A numeric host is answered at once, a name is asked again
    /// when the last answer is older than `answer_age_max`. When the system has no answer by `deadline`, the last good
    /// one counts on, as a name server that is away must not take the origin with it.
    asio::awaitable<std::expected<Addresses, asio::error_code>> resolve(Instant deadline);

    /// A connection to this address was made: it comes first from now on.
    void prefer(const asio::ip::tcp::endpoint& address);

    /// A burst of new connections asks once.
    static constexpr Duration answer_age_max = std::chrono::seconds(1);

private:
    std::optional<Addresses> remembered(Duration age_max) const;
    void remember(Addresses addresses);

    const std::string host_;
    const std::string port_;
    bool numeric_ = false;

    mutable std::mutex mutex_;
    Addresses last_good_;
    Instant answered_ = Instant::min();
    std::optional<asio::ip::tcp::endpoint> preferred_;
};

}  // namespace etage::net
