#include "http/h1_target.hpp"

#include "http/h1_fixture.hpp"

namespace etage::http {
namespace {

using namespace std::literals;

ParsedRequest asking(std::string_view target, std::string_view method = "GET", std::string_view host = "gw.test") {
    std::string bytes(method);
    for (const auto part : {" "sv, target, " HTTP/1.1\r\nHost: "sv, host, "\r\n\r\n"sv}) bytes += part;
    return request(bytes);
}

TEST(TargetRfc9112, Section3_2_1_OriginForm) {
    const auto r = asking("/a/b;c?x=1&y=?/");
    ASSERT_TRUE(r->complete());
    EXPECT_EQ(r->head.path, "/a/b;c");
    EXPECT_EQ(r->head.query, "x=1&y=?/");
    EXPECT_TRUE(r->head.has_query);
    EXPECT_EQ(r->head.scheme, "");
    EXPECT_EQ(r->head.authority, "gw.test");

    EXPECT_FALSE(asking("/g")->head.has_query);
    EXPECT_TRUE(asking("/g?")->head.has_query);
    EXPECT_EQ(asking("//evil.test/g")->head.path, "//evil.test/g");  // a path, no authority
    EXPECT_EQ(asking("/?")->head.path, "/");
}

TEST(TargetRfc9112, Section3_2_WhatIsVisibleAndNoFragmentIsOpaque) {
    for (const auto target :
         {"/%c0%ae%c0%ae/x"sv, "/g%00.html"sv, "/g%0d%0aX:%201"sv, "/g?a={b}|c^\"`<>\\"sv, "/%zz"sv}) {
        const auto r = asking(target);
        ASSERT_TRUE(r->complete()) << target;
        EXPECT_EQ(r->head.target, target);
    }
}

TEST(TargetRfc9112, Section3_2_FragmentsControlsAndEightBitBytesAreRefused) {
    for (const auto target : {"/g#frag"sv, "/static/a.css#/../../admin"sv, "#"sv, "/g?x#y"sv, "/\0g"sv, "/\x7fg"sv,
                              "/\x01g"sv, "/\x80g"sv, "/\xc3\xa9"sv, "/g?\x1f"sv, "http://gw.test#frag"sv, "/\tg"sv})
        EXPECT_TRUE(asking(target)->failed(Fault::bad_request)) << target;
}

TEST(TargetRfc9112, Section3_2_NoneOfTheFourForms) {
    for (const auto target : {"../../../../etc/passwd"sv, "g"sv, "gw.test:443"sv, "*"sv, "?x"sv, "gw.test/g"sv,
                              "http:/g"sv, "http:g"sv, "://gw.test/"sv, "\\g"sv})
        EXPECT_TRUE(asking(target)->failed(Fault::bad_request)) << target;
}

TEST(TargetRfc9112, Section3_2_2_AbsoluteForm) {
    const auto r = asking("http://gw.test/g?x=1");
    ASSERT_TRUE(r->complete());
    EXPECT_EQ(r->head.scheme, "http");
    EXPECT_EQ(r->head.authority, "gw.test");
    EXPECT_EQ(r->head.path, "/g");
    EXPECT_EQ(r->head.query, "x=1");

    EXPECT_EQ(asking("http://gw.test")->head.path, "/");
    EXPECT_EQ(asking("HTTPS://gw.test/")->head.scheme, "HTTPS");
    const auto query_only = asking("http://gw.test?x=1");
    EXPECT_EQ(query_only->head.path, "/");
    EXPECT_EQ(query_only->head.query, "x=1");
}

TEST(TargetRfc9112, Section3_2_2_AbsoluteFormNeedsAWebSchemeAndAValidAuthority) {
    for (const auto target : {"http:///g"sv, "http://"sv, "ftp://gw.test/g"sv, "httpx://gw.test/g"sv, "://gw.test/g"sv,
                              "http://user@gw.test/"sv, "http://gw.test:99999/"sv, "http://gw.test:x/"sv, "http://?x"sv,
                              "h ttp://gw.test/"sv})
        EXPECT_TRUE(asking(target)->failed(Fault::bad_request)) << target;
}

TEST(TargetRfc9112, Section3_2_2_HostMustSayTheSameAsTheTarget) {
    EXPECT_TRUE(asking("http://gw.test:81/g")->failed(Fault::bad_request));
    EXPECT_TRUE(asking("http://evil.test/g")->failed(Fault::bad_request));
    EXPECT_TRUE(asking("https://gw.test:80/g")->failed(Fault::bad_request));
    EXPECT_TRUE(asking("http://GW.test/g")->complete());
    EXPECT_TRUE(asking("http://gw.test:80/g")->complete());
    EXPECT_TRUE(asking("http://gw.test/g", "GET", "gw.test:80")->complete());
    EXPECT_TRUE(asking("https://gw.test/g", "GET", "gw.test:443")->complete());
    EXPECT_TRUE(request("GET http://gw.test/g HTTP/1.1\r\n\r\n")->failed(Fault::bad_request));
    const auto old = request("GET http://gw.test/g HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(old->complete());
    EXPECT_EQ(old->head.authority, "gw.test");
}

TEST(TargetRfc9112, Section3_2_3_ConnectIsNotImplementedAndAuthorityFormIsItsOwn) {
    EXPECT_TRUE(asking("gw.test:443", "CONNECT")->failed(Fault::not_implemented));
    EXPECT_TRUE(asking("[::1]:443", "CONNECT")->failed(Fault::not_implemented));
    for (const auto target : {"/g"sv, "gw.test"sv, "gw.test:"sv, "[::1]"sv, "[]%20HTTP/1.1%0aX:y"sv, "*"sv, ":443"sv,
                              "http://gw.test:443"sv, "user@gw.test:443"sv})
        EXPECT_TRUE(asking(target, "CONNECT")->failed(Fault::bad_request)) << target;
}

TEST(TargetRfc9112, Section3_2_4_AsteriskIsForOptions) {
    EXPECT_EQ(asking("*", "OPTIONS")->head.path, "*");
    EXPECT_EQ(asking("http://gw.test", "OPTIONS")->head.path, "*");
    EXPECT_EQ(asking("http://gw.test?", "OPTIONS")->head.path, "/");
    EXPECT_EQ(asking("/g", "OPTIONS")->head.path, "/g");
    EXPECT_TRUE(asking("*/x", "OPTIONS")->failed(Fault::bad_request));
    EXPECT_TRUE(asking("**", "OPTIONS")->failed(Fault::bad_request));
    EXPECT_TRUE(asking("*", "POST")->failed(Fault::bad_request));
}

TEST(HostRfc9112, Section3_2_ExactlyOne) {
    EXPECT_TRUE(request("GET /g HTTP/1.1\r\n\r\n")->failed(Fault::bad_request));
    EXPECT_TRUE(request("GET /g HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")->failed(Fault::bad_request));
    EXPECT_TRUE(request("GET /g HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n")->failed(Fault::bad_request));
    EXPECT_TRUE(request("GET /g HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")->failed(Fault::bad_request));
    const auto none = request("GET /g HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(none->complete());
    EXPECT_EQ(none->head.authority, "");
}

TEST(HostRfc9110, Section7_2_ValidOnes) {
    for (const auto host :
         {"gw.test"sv, "GW.TEST"sv, "gw.test."sv, "gw.test:8080"sv, "127.0.0.1"sv, "127.0.0.1:1"sv, "[::1]"sv,
          "[::1]:8080"sv, "[2001:db8::192.0.2.1]"sv, "gw.test:65535"sv, "a_b-c~d"sv, "%41.test"sv, "a"sv}) {
        const auto r = asking("/g", "GET", host);
        ASSERT_TRUE(r->complete()) << host;
        EXPECT_EQ(r->head.authority, host);
    }
    EXPECT_EQ(asking("/g", "GET", "gw.test:")->head.authority, "gw.test");
    EXPECT_EQ(asking("/g", "GET", "[::1]:")->head.authority, "[::1]");
    EXPECT_EQ(asking("/g", "GET", " gw.test\t")->head.authority, "gw.test");
}

TEST(HostRfc9110, Section7_2_InvalidOnes) {
    for (const auto host : {""sv,
                            "gw.test evil.test"sv,
                            "gw.test/x"sv,
                            "gw.test?x"sv,
                            "gw.test#x"sv,
                            "user@gw.test"sv,
                            "gw.test:abc"sv,
                            "gw.test:80:80"sv,
                            "gw.test:-1"sv,
                            "gw.test:+1"sv,
                            "gw.test:65536"sv,
                            "gw.test:99999999999999999999"sv,
                            ":80"sv,
                            ":"sv,
                            "[::1"sv,
                            "[::1]x"sv,
                            "[]"sv,
                            "[]:80"sv,
                            "["sv,
                            "::1"sv,
                            "[::1%25lo]"sv,
                            "[1.2.3.4]"sv,
                            "[gw.test]"sv,
                            "[v1.x]"sv,
                            "[::1]]"sv,
                            "gw.test\\evil"sv,
                            "gw.test\tevil"sv,
                            "http://gw.test"sv,
                            "."sv,
                            ".."sv,
                            ".gw.test"sv,
                            "gw..test"sv,
                            "gw.test\"><script>"sv,
                            "gw.test,evil.test"sv,
                            "gw.test%"sv,
                            "gw.test%4"sv,
                            "gw.test%zz"sv,
                            "gw.t\xc3\xa9st"sv,
                            "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"sv})
        EXPECT_TRUE(asking("/g", "GET", host)->failed(Fault::bad_request)) << host;
}

}  // namespace
}  // namespace etage::http
