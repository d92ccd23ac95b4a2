#include "serve/peer.hpp"

#include <gtest/gtest.h>

namespace etage::serve {
namespace {

const std::vector<net::Network> trusted = {*net::parse_network("10.0.0.0/8"), *net::parse_network("fd00::/8")};

std::string client(std::initializer_list<std::string_view> lines) {
    http::Fields fields;
    for (const auto line : lines) fields.add(http::FieldId::x_forwarded_for, line);
    return std::string(client_behind(trusted, fields, "10.0.0.1"));
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

}  // namespace
}  // namespace etage::serve
