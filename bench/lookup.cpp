// How fast one event loop looks entries up in Redis: so many lookups under way at once, each a whole one, from the name
// to the entry. Prints lookups per second and CPU per lookup.
//
//     bench_lookup URL BODY-BYTES AT-ONCE SECONDS

#include "base/clock.hpp"
#include "net/timer.hpp"
#include "redis/client.hpp"
#include "redis/entry_store.hpp"
#include "store/entry_fixture.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

using namespace etage;

namespace {

struct Bench {
    asio::io_context io{1};
    redis::EntryStore& store;
    Instant end{};
    std::size_t hits = 0;
    std::size_t others = 0;
};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

constexpr std::string_view name = "v1:bench:00112233445566778899aabbccddeeff";

asio::awaitable<void> look(Bench& bench) {
    const store::RemoteName wanted{name, "bench", {}, {}, nullptr};
    for (;;) {
        const Instant now = base::TimerClock::now();
        if (now >= bench.end) co_return;
        const auto found = co_await bench.store.find(wanted, now + std::chrono::seconds(1));
        ++(found.answer == store::RemoteStore::Answer::hit ? bench.hits : bench.others);
    }
}

asio::awaitable<void> run(Bench& bench, std::size_t body_bytes, std::size_t at_once, double seconds) {
    const auto executor = bench.io.get_executor();
    auto parts = store::testing::parts_of({.key = "bench", .body_bytes = body_bytes});
    parts.stamps.response_time = base::read_clock().mono;
    parts.stamps.freshness_lifetime = std::chrono::hours(1);
    bench.store.put(executor, name, base::make_ref<const store::Entry>(std::move(parts)), {}, nullptr,
                    base::read_clock().mono);
    net::Timer timer(executor);
    while (bench.store.writes_under_way() > 0) {
        timer.expires_after(std::chrono::milliseconds(1));
        co_await timer.async_wait(net::quietly);
    }
    bench.end = base::read_clock().mono + Duration(static_cast<Duration::rep>(seconds * 1e9));
    for (std::size_t i = 0; i < at_once; ++i) asio::co_spawn(executor, look(bench), asio::detached);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 5) return std::fprintf(stderr, "usage: bench_lookup URL BODY-BYTES AT-ONCE SECONDS\n"), 2;
    auto url = redis::parse_url(arguments[1]);
    if (!url) return std::fprintf(stderr, "%s\n", url.error().c_str()), 2;
    base::Metrics metrics;
    base::Log log({base::LogLevel::warn, base::LogFormat::text, {}});
    redis::Options options;
    options.url = *url;
    auto client = redis::make_client(options, metrics, log);
    if (!client) return std::fprintf(stderr, "%s\n", client.error().what.c_str()), 1;
    const coherence::Engine engine;
    const std::atomic<std::uint64_t> generation{1};
    const redis::LogClock clock;
    redis::EntryStore entries(**client, engine, clock, "bench", generation, metrics);
    const double seconds = std::atof(arguments[4]);
    int status = 0;
    {
        Bench bench{.store = entries};
        asio::co_spawn(
            bench.io,
            run(bench, std::strtoull(arguments[2], nullptr, 10), std::strtoull(arguments[3], nullptr, 10), seconds),
            asio::detached);
        const double before = cpu_seconds();
        bench.io.run_for(std::chrono::milliseconds(static_cast<int>(seconds * 1000) + 500));
        const double cpu = cpu_seconds() - before;
        std::printf("%.0f lookups/s, %.2f us CPU each, %zu without a hit\n", double(bench.hits) / seconds,
                    cpu * 1e6 / double(bench.hits), bench.others);
        if (bench.hits == 0) status = 1;
        (*client)->let_go();
    }
    return status;
}
