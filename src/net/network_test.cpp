#include "net/network.hpp"

#include <gtest/gtest.h>

namespace etage::net {
namespace {

TEST(Network, ReadsNetworksOfBothFamilies) {
    const auto ten = parse_network("10.0.0.0/8");
    ASSERT_TRUE(ten) << ten.error();
    EXPECT_EQ(ten->address.to_string(), "10.0.0.0");
    EXPECT_EQ(ten->prefix_length, 8U);
    const auto local = parse_network("fd00::/8");
    ASSERT_TRUE(local) << local.error();
    EXPECT_EQ(local->prefix_length, 8U);
    EXPECT_EQ(parse_network("0.0.0.0/0")->prefix_length, 0U);
    EXPECT_EQ(parse_network("::/0")->prefix_length, 0U);
    EXPECT_EQ(parse_network("172.16.0.0/12")->prefix_length, 12U);
}

TEST(Network, AnAddressAloneIsANetworkOfOne) {
    EXPECT_EQ(parse_network("192.0.2.7")->prefix_length, 32U);
    EXPECT_EQ(parse_network("2001:db8::1")->prefix_length, 128U);
}

TEST(Network, RefusesWhatWouldTrustMoreOrLessThanItSays) {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8",
                             "fd00::/129", "proxy/8", "10.0.0.0/08 "})
        EXPECT_FALSE(parse_network(text)) << text;
    EXPECT_EQ(
        parse_network("10.0.0.1/8").error(),
        "\"10.0.0.1/8\" has bits set behind its prefix; write the network's first address, or /32 for one machine");
    EXPECT_FALSE(parse_network("172.16.0.0/11"));
    EXPECT_FALSE(parse_network("fd00::1/64"));
}

bool contains(const char* network, const char* address) {
    return parse_network(network).value().contains(asio::ip::make_address(address));
}

TEST(Network, ContainsWhatSharesItsPrefix) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
    EXPECT_TRUE(contains("172.16.0.0/12", "172.31.255.255"));
    EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
    EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
    EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, FamiliesDoNotMixButMappedAddressesAreIpv4) {
    EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    EXPECT_FALSE(contains("10.0.0.0/8", "::ffff:11.1.2.3"));
    EXPECT_FALSE(contains("10.0.0.0/8", "::1"));
    EXPECT_FALSE(contains("::/0", "10.0.0.1"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
}

}  // namespace
}  // namespace etage::net
