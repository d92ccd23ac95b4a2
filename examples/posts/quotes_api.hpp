#pragma once
// The start-up's case: an external API that is slow and costs money by the call, here a simulation of one. It is an
// origin with a name, a cost and a budget, so that the metrics can say what the cache has saved and what is left.

#include <etage/server.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace etage::demo {

/// Thread-safe. Outlives the server's run().
class QuotesApi {
public:
    static constexpr std::chrono::milliseconds latency{150};
    static constexpr double cost_per_call = 0.002;
    static constexpr const char* currency = "USD";
    static constexpr std::uint64_t calls_per_hour = 200;

    struct Quote {
        std::string symbol;
        double price = 0;
        std::int64_t call = 0;  // the how many-eth call this was, of all
    };

    /// The metered call: takes `latency` and counts.
    asio::awaitable<Quote> fetch(std::string symbol);
    std::int64_t calls() const noexcept { return calls_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> calls_{0};
};

/// GET /quotes/{symbol}, cached for a minute, and GET /quotes-api/stats: calls made and what they cost.
void declare_quotes(Server& server, QuotesApi& api);

}  // namespace etage::demo
