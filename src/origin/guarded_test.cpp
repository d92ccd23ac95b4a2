#include "origin/guarded.hpp"

#include "origin/outbound_fixture.hpp"

namespace etage::origin::testing {
namespace {

class GuardedTest : public ::testing::Test {
protected:
    Guarded& guard(const GuardLimits& limits) {
        auto made = std::make_unique<SlowOrigin>();
        origin = made.get();
        guarded = std::make_unique<Guarded>(std::move(made), "api", limits, log);
        return *guarded;
    }
    static bool is_shed(const Answer& answer) {
        return answer && !answer->has_value() && answer->error().fault == Fault::origin_busy;
    }
    static bool is_there(const Answer& answer) { return answer && answer->has_value(); }

    Outside outside;
    base::Log log{{base::LogLevel::off, base::LogFormat::text, {}}};
    std::unique_ptr<Guarded> guarded;
    SlowOrigin* origin = nullptr;
};

constexpr GuardLimits two_at_once{.is_adaptive = false, .concurrency_max = 2};

TEST_F(GuardedTest, NeverMoreAtOnceThanTheNumber) {
    guard(two_at_once);
    origin->latency = [](std::size_t) { return 30ms; };
    std::vector<std::shared_ptr<Answer>> answers;
    for (int i = 0; i < 6; ++i) answers.push_back(outside.call(*guarded));
    EXPECT_EQ(origin->record.under_way, 2U);
    outside.pass(95ms);
    for (const auto& answer : answers) EXPECT_TRUE(is_there(*answer));
    EXPECT_EQ(origin->record.most_under_way, 2U);
}

TEST_F(GuardedTest, WhoHasWaitedLongEnoughIsToldToComeBack) {
    guard(two_at_once);
    origin->latency = [](std::size_t) { return 150ms; };
    std::vector<std::shared_ptr<Answer>> answers;
    for (int i = 0; i < 3; ++i) answers.push_back(outside.call(*guarded));
    outside.pass(99ms);
    EXPECT_FALSE(*answers[2]);
    outside.pass(2ms);
    ASSERT_TRUE(is_shed(*answers[2]));
    const Error& error = (*answers[2])->error();
    EXPECT_EQ(error.retry_after, 1s);
    EXPECT_EQ(error.blame, Blame::us);
    EXPECT_EQ(error.what, "origin \"api\": 2 calls were under way for 100 ms");
    EXPECT_EQ(guarded->view().shed, 1U);
    outside.pass(60ms);
    EXPECT_TRUE(is_there(*answers[0]) && is_there(*answers[1]));
    EXPECT_EQ(origin->record.calls, 2U);
}

TEST_F(GuardedTest, TheyWaitInOrderOfArrival) {
    guard({.is_adaptive = false, .concurrency_max = 1});
    origin->latency = [](std::size_t) { return 40ms; };
    const auto first = outside.call(*guarded);
    const auto second = outside.call(*guarded);
    const auto third = outside.call(*guarded);
    outside.pass(81ms);
    EXPECT_TRUE(is_there(*second));
    EXPECT_FALSE(*third);
}

TEST_F(GuardedTest, AFullLineTurnsAwayAtOnce) {
    guard({.is_adaptive = false, .concurrency_max = 1, .queue_max = 2});
    origin->latency = [](std::size_t) { return 40ms; };
    std::vector<std::shared_ptr<Answer>> answers;
    for (int i = 0; i < 4; ++i) answers.push_back(outside.call(*guarded));
    EXPECT_TRUE(is_shed(*answers[3]));
    EXPECT_FALSE(*answers[2]);
}

TEST_F(GuardedTest, ACallIsUnderWayUntilItsContentHasEnded) {
    guard({.is_adaptive = false, .concurrency_max = 1});
    origin->streams = true;
    auto first = outside.call(*guarded);
    ASSERT_TRUE(is_there(*first));
    EXPECT_EQ(guarded->view().in_flight, 1U);
    const auto body = (*first)->value().body;
    const auto read = [&] {
        asio::co_spawn(outside.io, [body]() -> asio::awaitable<void> { co_await body->read(); }, asio::detached);
        outside.pass(0ms);
    };
    read();
    EXPECT_EQ(guarded->view().in_flight, 1U);
    read();
    EXPECT_EQ(guarded->view().in_flight, 0U) << "its end was read, though the body is still there";
}

TEST_F(GuardedTest, ContentThatNobodyReadsAnyMoreIsNotUnderWay) {
    guard({.is_adaptive = false, .concurrency_max = 1});
    origin->streams = true;
    auto first = outside.call(*guarded);
    first->reset();
    EXPECT_EQ(guarded->view().in_flight, 0U);
}

TEST_F(GuardedTest, WhoLeavesWhileWaitingLeavesNoTrace) {
    guard({.is_adaptive = false, .concurrency_max = 1});
    origin->latency = [](std::size_t) { return 50ms; };
    const auto first = outside.call(*guarded);
    {
        asio::io_context brief;
        asio::co_spawn(
            brief,
            [this]() -> asio::awaitable<void> {
                flow::OriginRequest request;
                co_await guarded->fetch(std::move(request));
            },
            asio::detached);
        brief.poll();
    }
    const auto second = outside.call(*guarded);
    outside.pass(101ms);
    EXPECT_TRUE(is_there(*first) && is_there(*second));
    EXPECT_EQ(guarded->view().in_flight, 0U);
    EXPECT_EQ(origin->record.calls, 2U);
}

// ---- adaptive

/// An origin that works on eight at once: with more they share what it has.
Duration eight_at_once(std::size_t under_way) {
    return std::chrono::duration_cast<Duration>(10ms * std::max(1.0, static_cast<double>(under_way) / 8));
}

class AdaptiveGuardTest : public GuardedTest {
protected:
    /// As many clients as that, each asks again as soon as it has an answer; `time` long. How many answers came.
    std::size_t press(std::size_t clients, Duration time) {
        std::size_t answers = 0;
        const Instant end = outside.clock.now().mono + time;
        for (std::size_t i = 0; i < clients; ++i)
            asio::co_spawn(
                outside.io,
                [&, end]() -> asio::awaitable<void> {
                    while (base::TimerClock::now() < end) {
                        flow::OriginRequest request;
                        const auto answer = co_await guarded->fetch(std::move(request));
                        if (answer) ++answers;
                        net::Timer pause(co_await asio::this_coro::executor);
                        pause.expires_after(1ms);
                        co_await pause.async_wait(net::quietly);
                    }
                },
                asio::detached);
        outside.pass(time + 1s);
        return answers;
    }
};

TEST_F(AdaptiveGuardTest, AnOriginThatSlowsDownIsGivenLess) {
    guard({});
    origin->latency = eight_at_once;
    press(200, 2s);
    EXPECT_LE(guarded->view().limit, 40U) << "200 want in, 8 are worked on";
    EXPECT_GT(guarded->view().shed, 0U);
    EXPECT_GE(guarded->view().limit, 8U);
}

TEST_F(AdaptiveGuardTest, AnOriginThatDoesNotIsGivenMore) {
    guard({});
    const std::size_t start = guarded->view().limit;
    origin->latency = [](std::size_t) { return 10ms; };
    press(100, 2s);
    EXPECT_GE(guarded->view().limit, 2 * start);
    EXPECT_LE(guarded->view().limit, 256U);
}

TEST_F(AdaptiveGuardTest, ItNeverGoesBeyondTheCeiling) {
    guard({.concurrency_max = 10});
    origin->latency = [](std::size_t) { return 10ms; };
    press(50, 1s);
    EXPECT_EQ(guarded->view().limit, 10U);
    EXPECT_EQ(origin->record.most_under_way, 10U);
}

TEST_F(AdaptiveGuardTest, ErrorsSayNothingOfTheLatency) {
    guard({});
    const std::size_t start = guarded->view().limit;
    origin->latency = eight_at_once;
    origin->status = 500;
    press(100, 1s);
    EXPECT_EQ(guarded->view().limit, start);
}

TEST_F(AdaptiveGuardTest, AnOriginThatSaysItIsOverloadedIsGivenLess) {
    guard({});
    const std::size_t start = guarded->view().limit;
    origin->latency = [](std::size_t) { return 10ms; };
    origin->status = 503;
    press(100, 1s);
    EXPECT_LT(guarded->view().limit, start / 2);
}

TEST_F(AdaptiveGuardTest, UploadsAreNotMeasured) {
    guard({});
    const std::size_t start = guarded->view().limit;
    origin->status = 503;
    for (int i = 0; i < 100; ++i) {
        flow::OriginRequest upload;
        upload.body = std::make_shared<OpenBody>();
        outside.call(*guarded, std::move(upload));
    }
    EXPECT_EQ(guarded->view().limit, start);
}

}  // namespace
}  // namespace etage::origin::testing
