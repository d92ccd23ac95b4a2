#include "net/resolve.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

namespace etage::net {

namespace {

using asio::ip::tcp;

/// One question to the system. Shared by who waits and by the answer, which may come after nobody waits any more.
struct Question {
    explicit Question(const asio::any_io_executor& ex) : resolver(ex), timer(ex) {}
    tcp::resolver resolver;
    Timer timer;
    asio::error_code error = asio::error::timed_out;
    Addresses addresses;
};

void ask(const std::shared_ptr<Question>& question, const std::string& host, const std::string& port) {
    question->resolver.async_resolve(host, port, tcp::resolver::numeric_service,
                                     [question](const asio::error_code& ec, const tcp::resolver::results_type& found) {
                                         question->error = ec;
                                         for (const auto& entry : found)
                                             question->addresses.push_back(entry.endpoint());
                                         question->timer.cancel();
                                     });
}

}  // namespace

Resolver::Resolver(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {
    asio::error_code no_address;
    const auto address = asio::ip::make_address(host_, no_address);
    if (no_address) return;
    std::uint16_t number = 0;
    std::from_chars(port_.data(), port_.data() + port_.size(), number);
    numeric_ = true;
    last_good_.emplace_back(address, number);
}

asio::awaitable<std::expected<Addresses, asio::error_code>> Resolver::resolve(Instant deadline) {
    if (auto known = remembered(answer_age_max)) co_return std::move(*known);

    asio::error_code error = asio::error::timed_out;
    if (base::TimerClock::now() < deadline) {
        const auto executor = co_await asio::this_coro::executor;
        const auto question = std::make_shared<Question>(executor);
        question->timer.expires_at(deadline);
        ask(question, host_, port_);
        co_await question->timer.async_wait(quietly);
        error = question->error;
        if (!question->addresses.empty()) remember(std::move(question->addresses));
    }
    if (auto known = remembered(Duration::max())) co_return std::move(*known);
    co_return std::unexpected(error);
}

void Resolver::prefer(const tcp::endpoint& address) {
    const std::lock_guard lock(mutex_);
    preferred_ = address;
}

std::optional<Addresses> Resolver::remembered(Duration age_max) const {
    const std::lock_guard lock(mutex_);
    const bool known = numeric_ || (!last_good_.empty() &&
                                    (age_max == Duration::max() || base::TimerClock::now() - answered_ <= age_max));
    if (!known) return std::nullopt;
    auto addresses = last_good_;
    if (preferred_) {
        const auto best = std::ranges::find(addresses, *preferred_);
        if (best != addresses.end()) std::rotate(addresses.begin(), best, best + 1);
    }
    return addresses;
}

void Resolver::remember(Addresses addresses) {
    const std::lock_guard lock(mutex_);
    last_good_ = std::move(addresses);
    answered_ = base::TimerClock::now();
}

}  // namespace etage::net
