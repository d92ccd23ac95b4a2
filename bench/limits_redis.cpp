// Limits that instances count together on Redis: what decisions cost, and whether more is spent than may be.
//
//     bench_limits_redis URL speed LEASE AT-ONCE CLIENTS SECONDS
//     bench_limits_redis URL overload RATE BURST LEASE INSTANCES SECONDS
//
// `speed`: one event loop, so many requests at once of so many clients, each decision a turn of the loop of its own.
// Prints decisions per second, calls per decision, and CPU µs per decision.
// `overload`: instances on threads of their own, one client, which asks evenly for twice its rate. Prints what was
// allowed, what might have been in that time, the most that was ever spent over any time beyond the rate, what that may
// be, and calls per decision.

#include "base/clock.hpp"
#include "limit/share.hpp"
#include "net/timer.hpp"
#include "redis/quotas.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace etage;

namespace {

constexpr std::size_t stride = 7919;  // a prime: each comes to every client
constexpr Duration patience = std::chrono::seconds(1);

/// One instance: its connection to Redis, and what it knows of its clients.
class Instance {
public:
    Instance(const std::string& url, const limit::Quota& quota, std::uint64_t lease, std::size_t clients)
        : quota_(quota), lease_(lease), shares_(clients) {
        redis::Options options;
        options.url = redis::parse_url(url).value();
        client_ = std::move(redis::make_client(options, metrics_, log_).value());
        quotas_.emplace(*client_, "bench", [] { return 1U; });
        for (std::size_t i = 0; i < clients; ++i) names_.push_back("client-" + std::to_string(i));
    }
    ~Instance() { client_->let_go(); }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    asio::awaitable<bool> decide(std::size_t who) {
        const auto spending = limit::spend(quota_, lease_, shares_[who], base::read_clock(), 1);
        if (spending.then == limit::Spending::Then::nothing) co_return spending.decision.allowed;
        if (spending.then == limit::Spending::Then::ask) co_return co_await ask(who, spending);
        asio::co_spawn(io, ask(who, spending), asio::detached);
        co_return true;
    }
    /// Its loop, until all that was begun on it is done.
    void run() { io.run(); }
    std::uint64_t calls() const { return metrics_.sum(base::Counter::redis_commands); }
    std::uint64_t errors() const { return errors_; }

    asio::io_context io{1};

private:
    asio::awaitable<bool> ask(std::size_t who, limit::Spending spending) {
        const limit::Claim claim{.quota = quota_,
                                 .name = names_[who],
                                 .need = spending.need,
                                 .want = spending.want,
                                 .back = spending.back,
                                 .debt = spending.debt,
                                 .at_least = spending.at_least,
                                 .binding = spending.then == limit::Spending::Then::ask};
        const auto grants = co_await quotas_->take({&claim, 1}, base::TimerClock::now() + patience);
        if (!grants) {
            ++errors_;
            limit::fail(shares_[who], spending);
            co_return false;
        }
        co_return limit::settle(quota_, lease_, shares_[who], claim, grants->front(), base::read_clock()).allowed;
    }

    const limit::Quota quota_;
    const std::uint64_t lease_;
    base::Metrics metrics_;
    base::Log log_{{base::LogLevel::warn, base::LogFormat::text, {}}};
    std::vector<limit::Share> shares_;
    std::vector<std::string> names_;
    std::unique_ptr<redis::Client> client_;
    std::optional<redis::RedisQuotas> quotas_;
    std::uint64_t errors_ = 0;
};

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }
Duration seconds(const char* text) { return Duration(static_cast<Duration::rep>(std::atof(text) * 1e9)); }

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto in_seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

// --- speed

struct Tally {
    Instant end;
    std::uint64_t allowed = 0;
    std::uint64_t refused = 0;
};

asio::awaitable<void> keep_asking(Instance& instance, std::size_t first, std::size_t clients, Tally& tally) {
    for (std::size_t who = first; base::TimerClock::now() < tally.end; who = (who + stride) % clients) {
        const bool allowed = co_await instance.decide(who);
        ++(allowed ? tally.allowed : tally.refused);
        co_await asio::post(instance.io, asio::use_awaitable);
    }
}

int measure_speed(const std::string& url, char** arguments) {
    const std::uint64_t lease = number(arguments[0]);
    const std::size_t at_once = number(arguments[1]);
    const std::size_t clients = number(arguments[2]);
    const Duration time = seconds(arguments[3]);
    const limit::Quota quota{.quota = 1'000'000, .window = std::chrono::seconds(1), .burst = 1'000'000};
    Instance instance(url, quota, lease, clients);
    Tally tally{base::TimerClock::now() + time};
    for (std::size_t i = 0; i < at_once; ++i)
        asio::co_spawn(instance.io, keep_asking(instance, i % clients, clients, tally), asio::detached);
    const double before = cpu_seconds();
    instance.io.run_for(time + patience);
    const double cpu = cpu_seconds() - before;
    const double decisions = double(tally.allowed + tally.refused);
    std::printf("%.0f %.4f %.2f\n", decisions / (double(time.count()) / 1e9), double(instance.calls()) / decisions,
                cpu * 1e6 / decisions);
    return tally.allowed > 0 && tally.refused == 0 && instance.errors() == 0 ? 0 : 1;
}

// --- overload

/// Asks evenly; what is late is made up for.
asio::awaitable<void> ask_evenly(Instance& instance, Duration between, Duration offset, Instant begin, Instant end,
                                 std::vector<Instant>& allowed) {
    net::Timer timer(instance.io);
    for (Instant next = begin + offset; next < end; next += between) {
        if (next > base::TimerClock::now()) {
            timer.expires_at(next);
            co_await timer.async_wait(net::quietly);
        }
        const auto one = [&instance, &allowed]() -> asio::awaitable<void> {
            const bool is_allowed = co_await instance.decide(0);
            if (is_allowed) allowed.push_back(base::TimerClock::now());
        };
        asio::co_spawn(instance.io, one, asio::detached);
    }
}

/// The most, over any time, by which more was allowed than `rate` per second.
double most_beyond(double rate, const std::vector<Instant>& allowed) {
    double beyond = 0, most = 0;
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        if (i > 0) beyond = std::max(0.0, beyond - rate * double((allowed[i] - allowed[i - 1]).count()) / 1e9);
        most = std::max(most, beyond += 1);
    }
    return most;
}

int measure_overload(const std::string& url, char** arguments) {
    const std::uint64_t rate = number(arguments[0]), burst = number(arguments[1]), lease = number(arguments[2]);
    const std::size_t count = number(arguments[3]);
    const Duration time = seconds(arguments[4]);
    const limit::Quota quota{.quota = rate, .window = std::chrono::seconds(1), .burst = burst};
    const Duration between(std::chrono::nanoseconds(std::chrono::seconds(count)).count() /
                           static_cast<std::int64_t>(2 * rate));
    std::vector<std::unique_ptr<Instance>> instances;
    std::vector<std::vector<Instant>> allowed(count);
    const Instant begin = base::TimerClock::now() + std::chrono::milliseconds(50);
    const Instant end = begin + time;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        auto& each = *instances.emplace_back(std::make_unique<Instance>(url, quota, lease, 1));
        const Duration offset = between * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
        asio::co_spawn(each.io, ask_evenly(each, between, offset, begin, end, allowed[i]), asio::detached);
        threads.emplace_back([&each, time] { each.io.run_for(time + patience); });
    }
    threads.clear();  // joined

    std::vector<Instant> all;
    for (const auto& each : allowed) all.insert(all.end(), each.begin(), each.end());
    std::sort(all.begin(), all.end());
    std::uint64_t calls = 0, errors = 0;
    for (const auto& each : instances) calls += each->calls(), errors += each->errors();
    const double in_time = double(rate) * double(time.count()) / 1e9;
    std::printf("%zu %.0f %.1f %llu %.4f %llu\n", all.size(), in_time + double(burst), most_beyond(double(rate), all),
                static_cast<unsigned long long>(burst + count * lease), double(calls) / (2 * in_time),
                static_cast<unsigned long long>(errors));
    return all.empty() ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string what = count > 2 ? arguments[2] : "";
    const bool is_speed = what == "speed" && count == 7;
    if (!is_speed && !(what == "overload" && count == 8)) {
        std::fprintf(stderr,
                     "usage: bench_limits_redis URL speed LEASE AT-ONCE CLIENTS SECONDS\n"
                     "       bench_limits_redis URL overload RATE BURST LEASE INSTANCES SECONDS\n");
        return 2;
    }
    const auto url = redis::parse_url(arguments[1]);
    if (!url) return std::fprintf(stderr, "%s\n", url.error().c_str()), 2;
    return is_speed ? measure_speed(arguments[1], arguments + 3) : measure_overload(arguments[1], arguments + 3);
}
