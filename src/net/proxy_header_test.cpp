#include "net/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>

namespace etage::net {
namespace {

using State = ProxyHeader::State;
using Source = ProxyHeader::Source;
using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string v4_pair = "\xc0\x00\x02\x07\x0a\x00\x00\x01\x11\xd7\x1f\x90"s;  // 192.0.2.7:4567 → 10.0.0.1:8080

std::string block(char version_and_command, char family, const std::string& rest) {
    const auto length = rest.size();
    return signature + version_and_command + family + static_cast<char>(length >> 8U) + static_cast<char>(length) +
           rest;
}

std::string v6_pair(const std::string& source) { return source + std::string(16, '\1') + "\x11\xd7\x1f\x90"s; }

const std::string v6_source = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07"s;

/// Octet by octet, and with what follows: the same as whole.
ProxyHeader read(const std::string& bytes) {
    const ProxyHeader at_once = read_proxy_header(bytes);
    State soonest = State::incomplete;
    for (std::size_t n = 0; n <= bytes.size() && soonest == State::incomplete; ++n)
        soonest = read_proxy_header(std::string_view(bytes).substr(0, n)).state;
    EXPECT_EQ(soonest, at_once.state) << bytes;
    if (at_once.state != State::incomplete) {
        const ProxyHeader more = read_proxy_header(bytes + "GET / HTTP/1.1\r\n");
        EXPECT_EQ(more.state, at_once.state) << bytes;
        EXPECT_EQ(more.bytes, at_once.bytes) << bytes;
    }
    return at_once;
}

std::string told(const std::string& bytes) {
    const ProxyHeader header = read(bytes);
    if (header.state == State::malformed) return "malformed: " + std::string(header.why);
    if (header.state != State::whole) return header.state == State::absent ? "absent" : "incomplete";
    EXPECT_EQ(header.bytes, bytes.size());
    if (header.source == Source::itself) return "itself";
    return header.source == Source::untold ? "untold" : header.address.to_string();
}

bool is_malformed(const std::string& bytes) { return told(bytes).starts_with("malformed: "); }

// ---- version 1

TEST(ProxyHeaderLine, TellsTheSource) {
    EXPECT_EQ(told("PROXY TCP4 192.0.2.7 10.0.0.1 4567 8080\r\n"), "192.0.2.7");
    EXPECT_EQ(told("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255");
    EXPECT_EQ(told("PROXY TCP6 2001:db8::7 ::1 0 1\r\n"), "2001:db8::7");
    EXPECT_EQ(told("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
                   "65535\r\n"),
              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(ProxyHeaderLine, AMappedAddressIsOfIpv4) {
    EXPECT_EQ(told("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.1 1 2\r\n"), "192.0.2.7");
}

TEST(ProxyHeaderLine, UnknownIsUntoldWhateverFollows) {
    EXPECT_EQ(told("PROXY UNKNOWN\r\n"), "untold");
    EXPECT_EQ(told("PROXY UNKNOWN 192.0.2.7 10.0.0.1 1 2\r\n"), "untold");
    EXPECT_EQ(told("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), "untold");
}

TEST(ProxyHeaderLine, EndsWithinItsBound) {
    const std::string longest = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
    EXPECT_EQ(longest.size(), proxy_line_bytes_max);
    EXPECT_TRUE(is_malformed("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"));
    EXPECT_TRUE(is_malformed("PROXY UNKNOWN " + std::string(500, 'x')));
    EXPECT_EQ(told("PROXY UNKNOWN " + std::string(92, 'x')), "incomplete");
}

TEST(ProxyHeaderLine, EndsWithCrlfAndNothingElse) {
    for (const auto& end : {"\n"s, "\r"s, "\r\r\n"s, "\n\r"s, "\rx"s})
        EXPECT_TRUE(is_malformed("PROXY TCP4 192.0.2.7 10.0.0.1 1 2" + end + "GET")) << end;
    EXPECT_TRUE(is_malformed("PROXY UNKNOWN a\nb\r\n"));
    EXPECT_EQ(told("PROXY TCP4 192.0.2.7 10.0.0.1 1 2"), "incomplete");
    EXPECT_EQ(told("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r"), "incomplete");
}

TEST(ProxyHeaderLine, HasOneForm) {
    for (const char* line : {
             "PROXY ",
             "PROXY \t",
             "PROXY  TCP4 192.0.2.7 10.0.0.1 1 2",
             "PROXY TCP4",
             "PROXY TCP4 ",
             "PROXY tcp4 192.0.2.7 10.0.0.1 1 2",
             "PROXY UDP4 192.0.2.7 10.0.0.1 1 2",
             "PROXY TCP5 192.0.2.7 10.0.0.1 1 2",
             "PROXY unknown",
             "PROXY UNKNOWNS",
             "PROXY TCP4 192.0.2.7",
             "PROXY TCP4 192.0.2.7 10.0.0.1",
             "PROXY TCP4 192.0.2.7 10.0.0.1 1",
             "PROXY TCP4 192.0.2.7 10.0.0.1 1 ",
             "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 ",
             "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3",
             "PROXY TCP4  192.0.2.7 10.0.0.1 1 2",
             "PROXY TCP4 192.0.2.7  10.0.0.1 1 2",
             "PROXY TCP4 192.0.2.7\t10.0.0.1 1 2",
             "PROXY / HTTP/1.1",
         })
        EXPECT_TRUE(is_malformed(std::string(line) + "\r\n")) << line;
}

TEST(ProxyHeaderLine, AddressesHaveOneForm) {
    for (const char* address :
         {"", "192.0.2", "192.0.2.7.1", "192.0.2.256", "192.0.2.07", "0x7f.0.0.1", "127.1", "3221225991",
          "192.0.2.7:80", "2001:db8::7", "::ffff:192.0.2.7", "localhost", "192.0.2.-7", "192.0.2.7%1"}) {
        EXPECT_TRUE(is_malformed("PROXY TCP4 "s + address + " 10.0.0.1 1 2\r\n")) << address;
        EXPECT_TRUE(is_malformed("PROXY TCP4 10.0.0.1 "s + address + " 1 2\r\n")) << address;
    }
    for (const char* address : {"", "192.0.2.7", "[::1]", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                                "12345::", "g::", "fe80::1%eth0", "fe80::1%1", "::ffff:1.2.3", "2001:db8:::7"}) {
        EXPECT_TRUE(is_malformed("PROXY TCP6 "s + address + " ::1 1 2\r\n")) << address;
        EXPECT_TRUE(is_malformed("PROXY TCP6 ::1 "s + address + " 1 2\r\n")) << address;
    }
    EXPECT_TRUE(is_malformed("PROXY TCP4 192.0.2.7\0 10.0.0.1 1 2\r\n"s));
}

TEST(ProxyHeaderLine, PortsHaveOneForm) {
    for (const char* port : {"", "65536", "99999999999999999999", "-1", "+1", "01", "00", "0x1", "1a", "a"}) {
        EXPECT_TRUE(is_malformed("PROXY TCP4 192.0.2.7 10.0.0.1 "s + port + " 2\r\n")) << port;
        EXPECT_TRUE(is_malformed("PROXY TCP4 192.0.2.7 10.0.0.1 1 "s + port + "\r\n")) << port;
    }
}

// ---- version 2

TEST(ProxyHeaderBlock, TellsTheSource) {
    EXPECT_EQ(told(block(0x21, 0x11, v4_pair)), "192.0.2.7");
    EXPECT_EQ(told(block(0x21, 0x21, v6_pair(v6_source))), "2001:db8::7");
    EXPECT_EQ(told(block(0x21, 0x12, v4_pair)), "192.0.2.7") << "who speaks HTTP/3 to its clients has them by UDP";
    EXPECT_EQ(told(block(0x21, 0x22, v6_pair(v6_source))), "2001:db8::7");
    EXPECT_EQ(told(block(0x21, 0x21, v6_pair(std::string(10, '\0') + "\xff\xff\xc0\x00\x02\x07"s))), "192.0.2.7");
}

TEST(ProxyHeaderBlock, LocalIsTheProxyItself) {
    EXPECT_EQ(told(block(0x20, 0x00, "")), "itself");
    EXPECT_EQ(told(block(0x20, 0x11, v4_pair)), "itself");
    EXPECT_EQ(told(block(0x20, '\xff', "anything")), "itself") << "its family is to be ignored";
}

TEST(ProxyHeaderBlock, WhoHasNoAddressIsUntold) {
    EXPECT_EQ(told(block(0x21, 0x00, "")), "untold");
    EXPECT_EQ(told(block(0x21, 0x00, "anything")), "untold");
    EXPECT_EQ(told(block(0x21, 0x31, std::string(216, 'x'))), "untold");
    EXPECT_EQ(told(block(0x21, 0x32, std::string(216, 'x'))), "untold");
    EXPECT_EQ(told(block(0x21, 0x10, v4_pair)), "untold") << "a transport that is none";
}

TEST(ProxyHeaderBlock, ExtensionsAreSkippedButEndWithTheBlock) {
    const std::string alpn = "\x01\x00\x02h2"s;
    const std::string empty = "\x04\x00\x00"s;
    EXPECT_EQ(told(block(0x21, 0x11, v4_pair + alpn + empty)), "192.0.2.7");
    EXPECT_EQ(told(block(0x21, 0x31, std::string(216, 'x') + alpn)), "untold");
    for (const auto& rest : {"\x01"s, "\x01\x00"s, "\x01\x00\x01"s, "\x01\x00\x03h2"s, "\x01\xff\xffx"s})
        EXPECT_TRUE(is_malformed(block(0x21, 0x11, v4_pair + alpn + rest)));
}

TEST(ProxyHeaderBlock, HasTheLengthThatItsAddressesNeed) {
    EXPECT_TRUE(is_malformed(block(0x21, 0x11, v4_pair.substr(1))));
    EXPECT_TRUE(is_malformed(block(0x21, 0x11, "")));
    EXPECT_TRUE(is_malformed(block(0x21, 0x21, v6_pair(v6_source).substr(1))));
    EXPECT_TRUE(is_malformed(block(0x21, 0x31, std::string(215, 'x'))));
}

TEST(ProxyHeaderBlock, HasABound) {
    const std::size_t room = proxy_block_bytes_max - 16 - v4_pair.size() - 3;
    const auto with = [](std::size_t bytes) {
        return block(
            0x21, 0x11,
            v4_pair + '\5' + static_cast<char>(bytes >> 8U) + static_cast<char>(bytes) + std::string(bytes, 'x'));
    };
    EXPECT_EQ(told(with(room)), "192.0.2.7");
    EXPECT_TRUE(is_malformed(with(room + 1)));
    EXPECT_TRUE(is_malformed(signature + "\x21\x11\xff\xff"s)) << "nobody waits for its end";
}

TEST(ProxyHeaderBlock, OtherVersionsCommandsAndFamiliesAreMalformed) {
    for (const char first : {'\x00', '\x01', '\x11', '\x22', '\x2f', '\x31', '\xf1', '\xff'})
        EXPECT_TRUE(is_malformed(block(first, 0x11, v4_pair))) << static_cast<int>(first);
    for (const char family : {'\x13', '\x1f', '\x23', '\x41', '\x44', '\xf1', '\xff'})
        EXPECT_TRUE(is_malformed(block(0x21, family, std::string(216, 'x')))) << static_cast<int>(family);
}

TEST(ProxyHeaderBlock, IsIncompleteUntilItsEnd) {
    const std::string all = block(0x21, 0x11, v4_pair);
    for (std::size_t n = 0; n < all.size(); ++n) EXPECT_EQ(told(all.substr(0, n)), "incomplete") << n;
}

// ---- neither

TEST(ProxyHeader, WhatBeginsOtherwiseIsAbsent) {
    for (const auto& bytes : {"GET / HTTP/1.1\r\n"s, "PROXYING / HTTP/1.1\r\n"s,
                              "proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n"s, "POST"s, "PROX "s, "\r\nGET / HTTP/1.1\r\n"s,
                              "\r\n\r\nGET"s, "\r\n\r\n\0\r\nQUIX\n"s, "\n"s, "\0"s, " PROXY TCP4"s, "\x16\x03\x01"s})
        EXPECT_EQ(told(bytes), "absent") << bytes;
    for (const auto& bytes : {""s, "P"s, "PROXY"s, "\r"s, "\r\n\r\n"s}) EXPECT_EQ(told(bytes), "incomplete") << bytes;
}

}  // namespace
}  // namespace etage::net
