#include "net/dial.hpp"

#include "net/virtual_time.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <algorithm>
#include <optional>

namespace etage::net {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

const auto loopback = asio::ip::address_v4::loopback();

template <class T>
T run(asio::io_context& io, asio::awaitable<T> work) {
    std::optional<T> result;
    asio::co_spawn(io, std::move(work), [&result](const std::exception_ptr& e, T value) {
        if (e) std::rethrow_exception(e);
        result = std::move(value);
    });
    io.restart();
    while (!result) io.run_one();
    return std::move(*result);
}

Instant soon() { return base::TimerClock::now() + 5s; }

TEST(Resolver, NumericAddressesNeedNoQuestion) {
    asio::io_context io;
    Resolver v4("127.0.0.1", "80"), v6("::1", "8080");
    EXPECT_EQ(run(io, v4.resolve(Instant::min())), Addresses{tcp::endpoint(loopback, 80)});
    EXPECT_EQ(run(io, v6.resolve(Instant::min())), Addresses{tcp::endpoint(asio::ip::address_v6::loopback(), 8080)});
}

TEST(Resolver, LocalhostIsALoopbackAddress) {
    asio::io_context io;
    Resolver resolver("localhost", "80");
    const auto found = run(io, resolver.resolve(soon()));
    ASSERT_TRUE(found);
    ASSERT_FALSE(found->empty());
    EXPECT_TRUE(std::ranges::all_of(*found, [](const auto& e) { return e.address().is_loopback() && e.port() == 80; }));
}

TEST(Resolver, LastGoodAnswerCountsWhenNoneComesInTime) {
    asio::io_context io;
    Resolver resolver("localhost", "80");
    ASSERT_TRUE(run(io, resolver.resolve(soon())));
    base::VirtualClock clock({base::TimerClock::now() + 1h, {}});  // the answer has become old
    EXPECT_TRUE(run(io, resolver.resolve(Instant::min())));
}

TEST(Resolver, NoAnswerInTimeIsAnError) {
    asio::io_context io;
    Resolver resolver("localhost", "80");
    const auto found = run(io, resolver.resolve(Instant::min()));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error(), asio::error::timed_out);
}

TEST(Dial, ConnectsAndMakesTheSocketReady) {
    asio::io_context io;
    tcp::acceptor acceptor(io, {loopback, 0});
    Resolver resolver("127.0.0.1", std::to_string(acceptor.local_endpoint().port()));
    tcp::socket socket(io);
    EXPECT_FALSE(run(io, dial(resolver, socket, soon())));
    EXPECT_TRUE(socket.is_open());
    EXPECT_TRUE(socket.non_blocking());
    tcp::no_delay no_delay;
    socket.get_option(no_delay);
    EXPECT_TRUE(no_delay.value());
}

TEST(Dial, TriesFurtherAddressesAndPrefersTheOneThatWorked) {
    asio::io_context io;
    tcp::acceptor acceptor(io, {loopback, 0});  // IPv4 only: "::1" refuses
    Resolver resolver("localhost", std::to_string(acceptor.local_endpoint().port()));
    tcp::socket socket(io);
    ASSERT_FALSE(run(io, dial(resolver, socket, soon())));
    const auto found = run(io, resolver.resolve(soon()));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->front(), acceptor.local_endpoint());
}

TEST(Dial, RefusedSaysSo) {
    asio::io_context io;
    std::uint16_t port = 0;
    {
        tcp::acceptor gone(io, {loopback, 0});
        port = gone.local_endpoint().port();
    }
    Resolver resolver("127.0.0.1", std::to_string(port));
    tcp::socket socket(io);
    EXPECT_EQ(run(io, dial(resolver, socket, soon())), asio::error::connection_refused);
    EXPECT_FALSE(socket.is_open());
}

/// A listener whose queue is full drops the SYN: nothing answers.
TEST(Dial, SilenceEndsAtTheDeadline) {
    base::VirtualClock clock({Instant(1h), {}});
    asio::io_context io;
    tcp::acceptor full(io, tcp::v4());
    full.bind({loopback, 0});
    full.listen(0);
    std::vector<tcp::socket> queue;
    queue.reserve(4);
    for (int i = 0; i < 4; ++i)
        queue.emplace_back(io).async_connect(full.local_endpoint(), [](const asio::error_code&) {});
    io.poll();
    Resolver resolver("127.0.0.1", std::to_string(full.local_endpoint().port()));
    tcp::socket socket(io);
    std::optional<asio::error_code> outcome;
    const Instant deadline = clock.now().mono + 3s;
    asio::co_spawn(io, dial(resolver, socket, deadline),
                   [&](const std::exception_ptr&, asio::error_code ec) { outcome = ec; });
    advance(io, clock, 2999ms);
    EXPECT_FALSE(outcome);
    advance(io, clock, 1ms);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(*outcome, asio::error::timed_out);
    EXPECT_FALSE(socket.is_open());
}

}  // namespace
}  // namespace etage::net
