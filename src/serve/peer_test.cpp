#include "serve/peer.hpp"

#include <gtest/gtest.h>

namespace etage::serve {
namespace {

const std::vector<net::Network> trusted = {*net::parse_network("10.0.0.0/8"), *net::parse_network("fd00::/8")};

std::string client(std::initializer_list<std::string_view> lines) {
    http::Fields fields;
    for (const auto line : lines) fields.add(http::FieldId::x_forwarded_for, line);
    return std::string(client_behind(trusted, fields, "10.0.0.1", http::FieldId::x_forwarded_for));
}
std::string forwarded(std::initializer_list<std::string_view> lines) {
    http::Fields fields;
    fields.add(http::FieldId::x_forwarded_for, "6.6.6.6");  // of the client, and never looked at
    for (const auto line : lines) fields.add(http::FieldId::forwarded, line);
    return std::string(client_behind(trusted, fields, "10.0.0.1", http::FieldId::forwarded));
}

TEST(Peer, WithoutTheFieldTheProxyIsTheClient) { EXPECT_EQ(client({}), "10.0.0.1"); }
TEST(Peer, TheOneHopIsTheClient) { EXPECT_EQ(client({"192.0.2.7"}), "192.0.2.7"); }
TEST(Peer, WhatTheClientWroteItselfIsNotBelieved) { EXPECT_EQ(client({"1.2.3.4, 192.0.2.7"}), "192.0.2.7"); }
TEST(Peer, TrustedHopsArePassed) { EXPECT_EQ(client({"1.2.3.4, 192.0.2.7, 10.9.9.9, fd00::1"}), "192.0.2.7"); }
TEST(Peer, LinesAreReadFromTheLast) { EXPECT_EQ(client({"1.2.3.4", "192.0.2.7 ,10.1.1.1"}), "192.0.2.7"); }
TEST(Peer, GarbageEndsTheSearch) {
    EXPECT_EQ(client({"192.0.2.7, unknown, 10.1.1.1"}), "10.1.1.1");
    EXPECT_EQ(client({"evil"}), "10.0.0.1");
    EXPECT_EQ(client({""}), "10.0.0.1");
}
TEST(Peer, AllTrustedGivesTheFirst) { EXPECT_EQ(client({"10.5.5.5, 10.6.6.6"}), "10.5.5.5"); }

TEST(Peer, PortsAreNoPartOfTheAddress) {
    EXPECT_EQ(client({"192.0.2.7:4711"}), "192.0.2.7");
    EXPECT_EQ(client({"[2001:db8::7]:4711, 10.1.1.1"}), "2001:db8::7");
    EXPECT_EQ(client({"2001:db8::7"}), "2001:db8::7");
    EXPECT_EQ(client({"[2001:db8::7"}), "10.0.0.1");
}
TEST(Peer, AMappedAddressIsOfItsNetwork) { EXPECT_EQ(client({"192.0.2.7, ::ffff:10.1.1.1"}), "192.0.2.7"); }

TEST(PeerRfc7239, Section4_TheRightMostHopThatIsNotTrusted) {
    EXPECT_EQ(forwarded({}), "10.0.0.1");
    EXPECT_EQ(forwarded({"for=192.0.2.7"}), "192.0.2.7");
    EXPECT_EQ(forwarded({"for=1.2.3.4, for=192.0.2.7;proto=http;by=10.9.9.9, FOR=10.9.9.9"}), "192.0.2.7");
    EXPECT_EQ(forwarded({"for=1.2.3.4", "proto=https ; for=192.0.2.7 , for=10.1.1.1"}), "192.0.2.7");
}
TEST(PeerRfc7239, Section6_NodesInQuotesAndWithPorts) {
    EXPECT_EQ(forwarded({R"(for="[2001:db8::7]:4711";host="a,b;for=6.6.6.6")"}), "2001:db8::7");
    EXPECT_EQ(forwarded({R"(for="192.0.2.7:80")"}), "192.0.2.7");
    EXPECT_EQ(forwarded({R"(host="a\", for=6.6.6.6", for=192.0.2.7)"}), "192.0.2.7") << "a quote that is escaped";
}
TEST(PeerRfc7239, Section6_3_WhoIsHiddenIsWhoeverToldSo) {
    EXPECT_EQ(forwarded({"for=192.0.2.7, for=unknown, for=10.1.1.1"}), "10.1.1.1");
    EXPECT_EQ(forwarded({"for=_secret"}), "10.0.0.1");
    EXPECT_EQ(forwarded({"for=192.0.2.7, proto=http"}), "10.0.0.1") << "the last one does not say";
    EXPECT_EQ(forwarded({R"(for=192.0.2.7, for="192.0.2.8)"}), "10.0.0.1") << "a quote that does not end";
    EXPECT_EQ(forwarded({R"(for=192.0.2.7;host=", for=6.6.6.6)"}), "10.0.0.1");
    EXPECT_EQ(forwarded({""}), "10.0.0.1");
}
TEST(Peer, TenThousandHopsAreReadOnce) {
    std::string many;
    for (int i = 0; i < 10'000; ++i) many += "for=1.2.3.4,";
    EXPECT_EQ(forwarded({many + "for=192.0.2.7"}), "192.0.2.7");
}

}  // namespace
}  // namespace etage::serve
