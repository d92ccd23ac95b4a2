#include "origin/upstream_endpoints.hpp"

#include <gtest/gtest.h>

#include <map>

namespace etage::origin {
namespace {

using namespace std::chrono_literals;

constexpr Duration back_off = 1s;
const Instant now(1h);

UpstreamEndpoints three() { return UpstreamEndpoints({{"http", "a", "80"}, {"http", "b", "81"}, {"http", "c", "82"}}); }

TEST(UpstreamEndpoints, EqualsTakeTurns) {
    UpstreamEndpoints endpoints = three();
    std::map<std::size_t, int> chosen;
    for (int i = 0; i < 30; ++i) ++chosen[endpoints.choose(now, back_off, 0)->index()];
    EXPECT_EQ(chosen, (std::map<std::size_t, int>{{0, 10}, {1, 10}, {2, 10}}));
}

TEST(UpstreamEndpoints, LeastLoadedFirst) {
    UpstreamEndpoints endpoints = three();
    const InFlight a(endpoints.all()[0]), a2(endpoints.all()[0]), c(endpoints.all()[2]);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(endpoints.choose(now, back_off, 0)->index(), 1U);
    const InFlight b(endpoints.all()[1]), b2(endpoints.all()[1]);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(endpoints.choose(now, back_off, 0)->index(), 2U);
}

TEST(UpstreamEndpoints, InFlightCountsItsLife) {
    UpstreamEndpoints endpoints = three();
    {
        InFlight one(endpoints.all()[0]);
        const InFlight same(std::move(one));
        EXPECT_EQ(endpoints.all()[0]->in_flight(), 1U);
    }
    EXPECT_EQ(endpoints.all()[0]->in_flight(), 0U);
}

TEST(UpstreamEndpoints, FailedOnesArePassedOverForTheBackOff) {
    UpstreamEndpoints endpoints = three();
    endpoints.all()[0]->failed(now, back_off);
    for (int i = 0; i < 6; ++i) EXPECT_NE(endpoints.choose(now + 999ms, back_off, 0)->index(), 0U);
}

TEST(UpstreamEndpoints, AfterTheBackOffOneRequestProbes) {
    UpstreamEndpoints endpoints({{"http", "a", "80"}, {"http", "b", "81"}});
    const auto& a = endpoints.all()[0];
    const InFlight busy(endpoints.all()[1]);  // so that a is chosen whenever it is available
    a->failed(now, back_off);
    EXPECT_EQ(endpoints.choose(now + 1s, back_off, 0), a);
    EXPECT_NE(endpoints.choose(now + 1s, back_off, 0), a);  // the probe is under way
    EXPECT_EQ(endpoints.choose(now + 2s, back_off, 0), a);  // and was not heard of again
    a->succeeded();
    EXPECT_EQ(endpoints.choose(now + 2s, back_off, 0), a);
    EXPECT_EQ(endpoints.choose(now + 2s, back_off, 0), a);
}

TEST(UpstreamEndpoints, WhenAllFailedTheLeastLoadedIsTried) {
    UpstreamEndpoints endpoints = three();
    for (const auto& endpoint : endpoints.all()) endpoint->failed(now, back_off);
    const InFlight a(endpoints.all()[0]), b(endpoints.all()[1]);
    EXPECT_EQ(endpoints.choose(now, back_off, 0)->index(), 2U);
}

TEST(UpstreamEndpoints, TriedOnesAreNotChosenAgain) {
    UpstreamEndpoints endpoints = three();
    EXPECT_EQ(endpoints.choose(now, back_off, 0b101)->index(), 1U);
    EXPECT_EQ(endpoints.choose(now, back_off, 0b111), nullptr);
}

TEST(UpstreamEndpoints, NamesAreUrls) {
    const UpstreamEndpoint plain({"http", "api", "80"}, 0), six({"http", "::1", "8000"}, 1);
    EXPECT_EQ(plain.name(), "http://api");
    EXPECT_EQ(six.name(), "http://[::1]:8000");
    EXPECT_EQ(six.authority(), "[::1]:8000");
}

}  // namespace
}  // namespace etage::origin
