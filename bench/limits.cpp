// How long a decision about a limit takes here, without anybody being asked: each algorithm at one client, a hundred
// thousand and a million of them, in random order, and spending what is leased. Prints nanoseconds per decision.
//
//     bench_limits [DECISIONS]

#include "limit/client_table.hpp"
#include "limit/seats.hpp"
#include "limit/share.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

using namespace etage;

namespace {

using limit::Algorithm;
using limit::Quota;
using limit::Share;
using limit::State;

/// Runs of ten thousand, once all clients are there; the median of them, in nanoseconds per decision.
template <class F>
double measure(std::size_t decisions, std::size_t clients, F&& decide) {
    constexpr std::size_t run = 10'000;
    std::vector<double> took;
    std::size_t allowed = 0;
    Now now = base::read_clock();
    for (std::size_t i = 0; i < 4 * clients; ++i) decide(i, now);
    for (std::size_t i = 0; i < decisions;) {
        const Instant begin = base::read_clock().mono;
        for (std::size_t end = i + run; i < end; ++i) {
            now.mono += Duration(200);
            allowed += decide(i, now) ? 1 : 0;
        }
        took.push_back(static_cast<double>((base::read_clock().mono - begin).count()) / double(run));
    }
    std::ranges::nth_element(took, took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2));
    return allowed == 0 ? -1 : took[took.size() / 2];  // so that nothing is optimised away
}

std::uint64_t client(std::size_t i, std::size_t clients) {
    const std::uint64_t random = (i + 1) * 0x9E37'79B9'7F4A'7C15U;
    return ((random ^ (random >> 29U)) % clients + 1) * 0xD6E8'FEB8'6659'FD93U;
}

}  // namespace

int main(int count, char** arguments) {
    const std::size_t decisions = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 8'000'000;
    const Quota bucket{.quota = 100, .window = std::chrono::seconds(1), .burst = 100};
    Quota fixed = bucket, sliding = bucket;
    fixed.algorithm = Algorithm::fixed_window;
    sliding.algorithm = Algorithm::sliding_window;
    const std::array<std::pair<const char*, Quota>, 3> all{
        {{"token bucket", bucket}, {"fixed window", fixed}, {"sliding window", sliding}}};
    std::printf("%-16s %12s %12s %12s   ns per decision\n", "", "1", "100000", "1000000 clients");
    for (const auto& [name, quota] : all) {
        std::printf("%-16s", name);
        for (const std::size_t clients : {std::size_t{1}, std::size_t{100'000}, std::size_t{1'000'000}}) {
            limit::ClientTable<State> table;
            std::printf(" %12.1f", measure(decisions, clients, [&](std::size_t i, Now now) {
                            return table.visit(client(i, clients), now.mono,
                                               [&](State& state) { return take(quota, state, now).allowed; });
                        }));
        }
        std::printf("\n");
    }
    std::printf("%-16s", "leased");
    for (const std::size_t clients : {std::size_t{1}, std::size_t{100'000}, std::size_t{1'000'000}}) {
        limit::ClientTable<Share> table;
        std::printf(" %12.1f", measure(decisions, clients, [&](std::size_t i, Now now) {
                        return table.visit(client(i, clients), now.mono, [&](Share& share) {
                            if (share.leased < 2) share.leased = 100, share.lease_ends = now.mono + limit::lease_time;
                            share.ask_at = Instant::max() - std::chrono::hours(1);
                            return spend(bucket, 100, share, now, 1).decision.allowed;
                        });
                    }));
    }
    limit::SeatTable seats;
    std::printf("\n%-16s %12.1f\n", "a seat", measure(decisions, 1, [&](std::size_t i, Now) {
                    std::uint64_t taken = 0;
                    return static_cast<bool>(seats.enter(client(i, 100'000), 10, taken));
                }));
    return 0;
}
