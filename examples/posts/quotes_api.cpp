#include "quotes_api.hpp"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace etage::demo {

namespace {

using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

constexpr std::size_t symbol_bytes_max = 8;

/// Upper case, or a refusal: what is not a symbol is not worth a call.
std::string checked_symbol(const std::string& text) {
    std::string symbol;
    for (const char c : text) symbol += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const bool letters = std::ranges::all_of(symbol, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (symbol.empty() || symbol.size() > symbol_bytes_max || !letters)
        throw Problem::unprocessable("symbol", text, "1..8 letters", "symbol must have 1..8 letters");
    return symbol;
}

/// A price that belongs to the symbol and moves a little from call to call.
double invented_price(const std::string& symbol, std::int64_t call) {
    unsigned level = 17;
    for (const char c : symbol) level = (level * 31 + static_cast<unsigned char>(c)) % 400;
    const double price = 20.0 + level + std::sin(static_cast<double>(call)) * 2.0;
    return std::round(price * 100) / 100;
}

json cost_of(std::int64_t calls) {
    return std::round(static_cast<double>(calls) * QuotesApi::cost_per_call * 1000) / 1000;
}

asio::awaitable<Response> get_quote(QuotesApi& api, std::string text) {
    const auto quote = co_await api.fetch(checked_symbol(text));
    const json body = {{"symbol", quote.symbol}, {"price", quote.price}, {"currency", "USD"}, {"call", quote.call}};
    co_return Response::json(body).cache_control("public, max-age=10").tag("quote:" + quote.symbol);
}

Response stats(const QuotesApi& api) {
    const json body = {{"calls", api.calls()},
                       {"cost_per_call", QuotesApi::cost_per_call},
                       {"spent", cost_of(api.calls())},
                       {"currency", QuotesApi::currency}};
    return Response::json(body).cache_control("no-store");
}

}  // namespace

asio::awaitable<QuotesApi::Quote> QuotesApi::fetch(std::string symbol) {
    const auto call = calls_.fetch_add(1, std::memory_order_relaxed) + 1;
    asio::steady_timer wait(co_await asio::this_coro::executor, latency);
    co_await wait.async_wait(asio::use_awaitable);
    const double price = invented_price(symbol, call);
    co_return Quote{std::move(symbol), price, call};
}

void declare_quotes(Server& server, QuotesApi& api) {
    // With the hour's calls spent, what is stale is served on; what was never asked is 503 until the next hour.
    server.origin("quotes-api", {.cost_per_call = QuotesApi::cost_per_call,
                                 .currency = QuotesApi::currency,
                                 .budget = {.calls = QuotesApi::calls_per_hour, .window = 1h}});
    server.route("GET /quotes/{symbol}",
                 {.cache = {.ttl = 60s, .stale_while_revalidate = 30s, .stale_if_error = 10min, .allow_cookie = true},
                  .key = {.query_mode = KeyPolicy::Query::allow},
                  .client = {.expose_tags = true},
                  .origin = "quotes-api"},
                 path<std::string>("symbol"), [&api](std::string symbol) { return get_quote(api, std::move(symbol)); });
    server.route("GET /quotes-api/stats", {.cache = {.pass = true}}, [&api] { return stats(api); });
}

}  // namespace etage::demo
