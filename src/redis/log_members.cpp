#include "redis/log_members.hpp"

#include "base/clock.hpp"
#include "net/timer.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>

namespace etage::redis {

namespace {

constexpr Duration first_pause = std::chrono::milliseconds(1);
constexpr Duration longest_pause = std::chrono::milliseconds(16);

}  // namespace

asio::awaitable<flow::Receipt> LogMembers::receipt(Sequence position, Instant deadline) {
    const auto executor = co_await asio::this_coro::executor;
    net::Timer timer(executor);
    flow::Receipt latest{1, 2};
    for (Duration pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
        auto command = census_command(house_.names);
        const auto reply = co_await house_.client.call(std::move(command), deadline);
        const auto census = reply ? parse_census(*reply) : Result<Census>(std::unexpected(reply.error()));
        if (census) latest = count(*census, position);
        if (latest.confirmed == latest.live) co_return latest;
        if (base::read_clock().mono + pause >= deadline) co_return latest;
        timer.expires_after(pause);
        co_await timer.async_wait(net::quietly);
    }
}

flow::Receipt LogMembers::count(const Census& census, Sequence position) const {
    flow::Receipt out{1, 1};  // what was recorded through this instance it has applied
    for (const Member& member : census.members) {
        if (member.instance == house_.instance) continue;
        ++out.live;
        if (member.applied >= position) ++out.confirmed;
    }
    if (census.known_ms < lives_for(house_.options.lease).count()) ++out.live;
    return out;
}

asio::awaitable<void> LogMembers::leave(Instant deadline) {
    auto command = leave_command(house_.names, house_.instance);
    co_await house_.client.call(std::move(command), deadline);
}

}  // namespace etage::redis
