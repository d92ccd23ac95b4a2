#include "serve/turnstile.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace etage::serve {
namespace {

asio::ip::address at(const char* text) { return asio::ip::make_address(text); }

TEST(Turnstile, LetsInSoManyOfEachClient) {
    Turnstile turnstile(7);
    auto first = turnstile.enter(at("192.0.2.7"), 2);
    auto second = turnstile.enter(at("192.0.2.7"), 2);
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(turnstile.enter(at("192.0.2.7"), 2));
    EXPECT_TRUE(turnstile.enter(at("192.0.2.8"), 2)) << "another one is not concerned";
    first.reset();
    EXPECT_TRUE(turnstile.enter(at("192.0.2.7"), 2)) << "who has left makes room";
}

TEST(Turnstile, OneClientOfIpv6OwnsItsNetwork) {
    Turnstile turnstile(7);
    const auto held = turnstile.enter(at("2001:db8:0:1::7"), 1);
    EXPECT_FALSE(turnstile.enter(at("2001:db8:0:1:ffff:ffff:ffff:ffff"), 1));
    EXPECT_TRUE(turnstile.enter(at("2001:db8:0:2::7"), 1));
}

TEST(Turnstile, WithoutABoundNobodyIsCounted) {
    Turnstile turnstile(7);
    std::vector<std::optional<limit::Seat>> held;
    for (int n = 0; n < 100; ++n) held.push_back(turnstile.enter(at("192.0.2.7"), 0));
    for (const auto& seat : held) EXPECT_TRUE(seat);
    EXPECT_EQ(turnstile.clients(), 0U);
}

TEST(Turnstile, WhoHasLeftIsForgotten) {
    Turnstile turnstile(7);
    {
        std::vector<std::optional<limit::Seat>> held;
        for (unsigned n = 0; n < 5000; ++n) held.push_back(turnstile.enter(asio::ip::address_v4(0x0a00'0000U + n), 5));
        EXPECT_EQ(turnstile.clients(), 5000U);
    }
    EXPECT_EQ(turnstile.clients(), 0U);
}

}  // namespace
}  // namespace etage::serve
