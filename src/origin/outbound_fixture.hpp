#pragma once
// For tests of what stands in front of an origin: one that takes (virtual) time and counts what is under way, and calls
// to it. For tests only.

#include "flow/origin.hpp"
#include "net/timer.hpp"
#include "net/virtual_time.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace etage::origin::testing {

using namespace std::chrono_literals;

/// Content that stays open until its reader lets it go.
class OpenBody final : public net::BodySource {
public:
    asio::awaitable<Result<std::string_view>> read() override {
        if (std::exchange(is_read_, true)) co_return std::string_view{};
        co_return std::string_view("piece");
    }

private:
    bool is_read_ = false;
};

class SlowOrigin final : public flow::Origin {
public:
    struct Record {
        std::size_t calls = 0;
        std::size_t under_way = 0;
        std::size_t most_under_way = 0;
    };
    /// What a call takes, when so many are under way with it.
    std::function<Duration(std::size_t)> latency = [](std::size_t) { return 0ms; };
    std::optional<Error> fails{};
    int status = 200;
    bool streams = false;
    Record record{};

    asio::awaitable<Result<flow::OriginResponse>> fetch(flow::OriginRequest) override {
        ++record.calls;
        record.most_under_way = std::max(record.most_under_way, ++record.under_way);
        net::Timer timer(co_await asio::this_coro::executor);
        timer.expires_after(latency(record.under_way));
        co_await timer.async_wait(net::quietly);
        --record.under_way;
        if (fails) {
            Error error = *fails;
            co_return std::unexpected(std::move(error));
        }
        flow::OriginResponse response;
        response.status = status;
        if (streams) response.body = std::make_shared<OpenBody>();
        co_return response;
    }
    bool can_upgrade() const noexcept override { return true; }
};

using Answer = std::optional<Result<flow::OriginResponse>>;

/// One loop on virtual time.
class Outside {
public:
    std::shared_ptr<Answer> call(flow::Origin& origin, flow::OriginRequest request = {}) {
        auto answer = std::make_shared<Answer>();
        asio::co_spawn(io, wait_for(origin, std::move(request), answer), asio::detached);
        pass(Duration::zero());
        return answer;
    }
    /// Lets time pass, a millisecond at a time.
    void pass(Duration time) {
        net::advance(io, clock, Duration::zero());
        for (; time > Duration::zero(); time -= 1ms) net::advance(io, clock, std::min<Duration>(time, 1ms));
    }
    /// In one step.
    void skip(Duration time) { net::advance(io, clock, time); }

    base::VirtualClock clock{{Instant(1h), WallTime(std::chrono::seconds(1'800'000'000))}};
    asio::io_context io;

private:
    static asio::awaitable<void> wait_for(flow::Origin& origin, flow::OriginRequest request,
                                          std::shared_ptr<Answer> answer) {
        *answer = co_await origin.fetch(std::move(request));
    }
};

}  // namespace etage::origin::testing
