// A whole building that is refurnished while clients ask it: real sockets, real threads.

#include "gateway/compose.hpp"

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <thread>

namespace etage::gateway {
namespace {

using asio::ip::tcp;
using testing::ElementsAre;
using testing::HasSubstr;

/// Says which configuration made it, and lets the loop turn once before.
class Numbered : public flow::Origin {
public:
    explicit Numbered(int number) : number_(number) {}
    asio::awaitable<Result<flow::OriginResponse>> fetch(flow::OriginRequest request) override {
        const std::shared_ptr<flow::OriginRequest> kept = std::make_shared<flow::OriginRequest>(std::move(request));
        co_await asio::post(asio::use_awaitable);
        flow::OriginResponse response;
        response.content = std::to_string(number_);
        if (kept->target.starts_with("/kept"))
            response.fields.add(http::FieldId::cache_control, "max-age=60, stale-while-revalidate=60");
        else if (kept->target.starts_with("/stale"))
            response.fields.add(http::FieldId::cache_control, "max-age=0, stale-while-revalidate=60");
        else
            response.fields.add(http::FieldId::cache_control, "no-store");
        co_return response;
    }

private:
    int number_;
};

Plan plan(int number) {
    Plan plan;
    plan.config.server.listen = {{"127.0.0.1", 0}};
    plan.config.admin.listen = {"127.0.0.1", 0};
    plan.config.server.threads = 2;
    plan.config.log.level = base::LogLevel::off;
    plan.config.origins.front().connect_timeout = std::chrono::milliseconds(1000 + number / 2);  // every other stays
    plan.config.limits = {{.name = "all", .quota = 1'000'000, .window = std::chrono::seconds(1)}};
    plan.config.routes = {{.match = "GET /new-" + std::to_string(number)}, {.match = "GET /**"}};
    plan.origins = {{"default", [number](const OriginContext&) -> Result<std::unique_ptr<flow::Origin>> {
                         return std::make_unique<Numbered>(number);
                     }}};
    return plan;
}

/// One kept connection.
class Client {
public:
    explicit Client(const std::string& address) {
        const auto colon = address.rfind(':');
        std::uint16_t port = 0;
        std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
        socket_.connect({asio::ip::address_v4::loopback(), port});
    }
    /// The content of the answer, or the whole head when it is no 200.
    std::string get(const std::string& target) {
        asio::write(socket_, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"));
        const auto head_bytes = asio::read_until(socket_, asio::dynamic_buffer(in_), "\r\n\r\n");
        const std::string head = in_.substr(0, head_bytes);
        in_.erase(0, head_bytes);
        const auto at = head.find("Content-Length: ");
        if (!head.starts_with("HTTP/1.1 200 ") || at == std::string::npos) return head;
        const std::size_t length = std::stoul(head.substr(at + 16));
        if (in_.size() < length)
            asio::read(socket_, asio::dynamic_buffer(in_), asio::transfer_exactly(length - in_.size()));
        const std::string content = in_.substr(0, length);
        in_.erase(0, length);
        return content;
    }

private:
    asio::io_context io_;
    tcp::socket socket_{io_};
    std::string in_;
};

TEST(Reload, GoesOnUnderTheFeetOfClients) {
    constexpr int changes = 120;
    std::atomic<int> number{0};
    auto building = Building::build(plan(0), [&]() -> std::expected<Plan, Problems> { return plan(++number); });
    ASSERT_TRUE(building) << building.error().what;
    ASSERT_TRUE((*building)->open());
    const std::string address = (*building)->addresses().front();

    std::atomic<bool> over{false};
    std::atomic<int> answers{0};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 4; ++i)
        crowd.emplace_back([&, i] {
            Client client(address);
            int last = 0;
            for (int n = 0; !over; ++n) {
                const int before = number;
                const std::string got = client.get("/" + std::to_string(i) + "-" + std::to_string(n));
                const int said = std::atoi(got.c_str());
                ASSERT_THAT(got, testing::MatchesRegex("[0-9]+"));
                ASSERT_GE(said, last) << "what was replaced answers nothing any more";
                ASSERT_GE(said, before / 2 * 2 - 2);  // before: it is planned, perhaps not in place yet
                last = said;
                ASSERT_THAT(client.get("/kept"), testing::MatchesRegex("[0-9]+"));
                ASSERT_THAT(client.get("/stale-" + std::to_string(n % 5)), testing::MatchesRegex("[0-9]+"));
                ++answers;
            }
        });
    for (int i = 0; i < changes; ++i) {
        const int before = answers;
        const auto applied = (*building)->apply_again();
        ASSERT_TRUE(applied);
        EXPECT_EQ(applied->routes, 2U);
        while (answers < before + 2) std::this_thread::yield();
    }
    over = true;
    for (auto& each : crowd) each.join();
    Client client(address);
    EXPECT_EQ(client.get("/after"), std::to_string(changes));
    EXPECT_EQ(client.get("/kept"), "0") << "what is stored under the same rules stays";
    EXPECT_TRUE((*building)->close());
}

TEST(Reload, WhatIsWrongChangesNothing) {
    Problems wrong;
    wrong.add("etage.toml:3:7", "no");
    std::expected<Plan, Problems> next = std::unexpected(wrong);
    auto building = Building::build(plan(7), [&] { return next; });
    ASSERT_TRUE(building);
    EXPECT_FALSE((*building)->apply_again()) << "it does not serve yet";
    ASSERT_TRUE((*building)->open());
    Client client((*building)->addresses().front());

    auto refused = (*building)->apply_again();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().lines(), ElementsAre("etage.toml:3:7: no"));
    next = plan(8);
    next->config.server.threads = 5;
    refused = (*building)->apply_again();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().lines(), ElementsAre(HasSubstr("server.threads: cannot change")));
    next = plan(8);
    next->config.routes = {{.match = "no pattern"}};
    EXPECT_FALSE((*building)->apply_again());
    next = plan(8);
    next->config.limits = {{.name = "without a rate"}};
    EXPECT_FALSE((*building)->apply_again());
    EXPECT_EQ(client.get("/"), "7");
    next = plan(8);
    EXPECT_TRUE((*building)->apply_again());
    EXPECT_EQ(client.get("/"), "8");
    EXPECT_TRUE((*building)->close());
    EXPECT_FALSE((*building)->apply_again()) << "nor any more";
}

TEST(Reload, WithoutASourceThereIsNone) {
    auto building = Building::build(plan(1));
    ASSERT_TRUE(building);
    ASSERT_TRUE((*building)->open());
    EXPECT_FALSE((*building)->can_apply_again());
    EXPECT_FALSE((*building)->apply_again());
}

}  // namespace
}  // namespace etage::gateway
