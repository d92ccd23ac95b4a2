#include "http/h1_lines.hpp"

#include "http/h1_fixture.hpp"

#include <cctype>

namespace etage::http {
namespace {

using namespace std::literals;

ParsedRequest request_line(std::string_view line) { return request(std::string(line) += "\r\nHost: a.test\r\n\r\n"); }

TEST(RequestLineRfc9112, Section3_MethodTargetAndVersion) {
    const auto r = request_line("GET /g?x=1 HTTP/1.1");
    ASSERT_TRUE(r->complete());
    EXPECT_EQ(r->head.method, Method::get);
    EXPECT_EQ(r->head.target, "/g?x=1");
    EXPECT_EQ(r->head.minor, 1);
    EXPECT_EQ(r->head.head_bytes, 37u);
}

TEST(RequestLineRfc9112, Section3_ExactlyThreePartsAndTwoSpaces) {
    for (const auto line : {"GET  /g HTTP/1.1"sv, "GET\t/g HTTP/1.1"sv, "GET\r /g HTTP/1.1"sv, " GET /g HTTP/1.1"sv,
                            "\tGET /g HTTP/1.1"sv, "GET /g HTTP/1.1 x"sv, "GET /g HTTP/1.1 "sv, "GET /pa th HTTP/1.1"sv,
                            "GET /g  HTTP/1.1"sv, "GET /g\tHTTP/1.1"sv, "GET HTTP/1.1"sv, "GET"sv, "GET "sv, "GET /g"sv,
                            "GET /g "sv, "/g HTTP/1.1"sv, "GET\x0b/g HTTP/1.1"sv, "GET /g HTTP/1.1\r"sv})
        EXPECT_TRUE(request_line(line)->failed(Fault::bad_request)) << line;
}

TEST(RequestLineRfc9112, Section2_3_VersionIsOneDigitDotOneDigit) {
    for (const auto version : {"HTTP/1"sv,      "HTTP/1."sv,           "HTTP/.1"sv,   "HTTP/01.1"sv, "HTTP/1.10"sv,
                               "HTTP/1.1x"sv,   "HTTP/ 1.1"sv,         "HTTP/1 .1"sv, "http/1.1"sv,  "Http/1.1"sv,
                               "HTTP/1.\xb1"sv, "HTTP/4294967297.1"sv, "FTP/1.1"sv,   "ICE/1.0"sv,   "HTTP/1,1"sv,
                               "HTTP/a.1"sv,    "HTTP\\1.1"sv,         "HTTPS/1.1"sv, "/1.1"sv,      "HTTP/1.1\0"sv})
        EXPECT_TRUE(request_line(std::string("GET /g ").append(version))->failed(Fault::bad_request)) << version;
}

TEST(RequestLineRfc9112, Section2_3_OtherMajorVersionsAreNotSupportedAndHigherMinorOnesAreOne) {
    for (const auto version : {"HTTP/2.0", "HTTP/9.9", "HTTP/0.9", "HTTP/3.0"})
        EXPECT_TRUE(request_line(std::string("GET /g ").append(version))->failed(Fault::version_unsupported));
    EXPECT_TRUE(request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")->failed(Fault::version_unsupported));
    EXPECT_EQ(request_line("GET /g HTTP/1.0")->head.minor, 0);
    EXPECT_EQ(request_line("GET /g HTTP/1.2")->head.minor, 1);
    EXPECT_EQ(request_line("GET /g HTTP/1.9")->head.minor, 1);
}

TEST(RequestLineRfc9112, Section3_1_MethodIsATokenOfBoundedLength) {
    for (const auto line : {"GE T /g HTTP/1.1"sv, "G\0T /g HTTP/1.1"sv, "G\x80T /g HTTP/1.1"sv, "GET: /g HTTP/1.1"sv,
                            "G=\":<>(e),[T];?\" /g HTTP/1.1"sv, "G@T /g HTTP/1.1"sv, "{GET} /g HTTP/1.1"sv})
        EXPECT_TRUE(request_line(line)->failed(Fault::bad_request)) << line;
    EXPECT_TRUE(request_line(std::string(33, 'M') + " /g HTTP/1.1")->failed(Fault::not_implemented));
    const auto longest = request_line(std::string(32, 'M') + " /g HTTP/1.1");
    ASSERT_TRUE(longest->complete());
    EXPECT_EQ(longest->head.method_text.size(), 32u);
    const auto lower = request_line("get /g HTTP/1.1");  // case-sensitive: not GET
    ASSERT_TRUE(lower->complete());
    EXPECT_EQ(lower->head.method, Method::other);
    EXPECT_EQ(request_line("!#$%&'*+-.^_`|~09aZ /g HTTP/1.1")->head.method_text, "!#$%&'*+-.^_`|~09aZ");
}

TEST(LineEndRfc9112, Section2_2_NeitherLfNorCrAloneEndsALine) {
    for (const auto bytes : {
             "GET /g HTTP/1.1\nHost: a.test\n\n"sv,
             "GET /g HTTP/1.1\nHost: a.test\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\n\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\n\nHost: a.test\r\n\r\n"sv,
             "GET\n/g\nHTTP/1.1\r\nHost: a.test\r\n\r\n"sv,
             "GET /g HTTP/1.1\rHost: a.test\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\rX: y\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\nX: a\rb\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\nX:\n\nGET /s HTTP/1.1\r\nHost: a.test\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\n\rX: y\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\n\r\rGET /s HTTP/1.1\r\nHost: a.test\r\n\r\n"sv,
             "PUT /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\rabc"sv,
             "\nGET /g HTTP/1.1\r\nHost: a.test\r\n\r\n"sv,
             "\rGET /g HTTP/1.1\r\nHost: a.test\r\n\r\n"sv,
             "\r\n\nGET /g HTTP/1.1\r\nHost: a.test\r\n\r\n"sv,
         })
        EXPECT_TRUE(request(bytes)->failed(Fault::bad_request)) << bytes;
}

TEST(FieldLineRfc9112, Section5_1_NameColonValueWithoutSurroundingBlanks) {
    const auto r = request_with(
        "x-lower:v\r\nX-Empty:\r\nX-Blank: \t \r\nX-Tab:\ta\tb \t\r\nX-Utf8: \xe3\x81\x82\xff\r\n"
        "!#$%&'*+-.^_`|~09aZ: v\r\nX-Colon: a:b\r\nX-Long: 12345678901234567\t890\t\r\n"sv);
    ASSERT_TRUE(r->complete()) << r->outcome.why;
    const auto& fields = r->head.fields;
    ASSERT_EQ(fields.size(), 9u);
    EXPECT_EQ(fields[0].id, FieldId::host);
    EXPECT_EQ(fields[1].name, "x-lower");
    EXPECT_EQ(fields[1].value, "v");
    EXPECT_EQ(fields[2].value, "");
    EXPECT_EQ(fields[3].value, "");
    EXPECT_EQ(fields[4].value, "a\tb");
    EXPECT_EQ(fields[5].value, "\xe3\x81\x82\xff");
    EXPECT_EQ(fields[6].name, "!#$%&'*+-.^_`|~09aZ");
    EXPECT_EQ(fields[7].value, "a:b");
    EXPECT_EQ(fields[8].value, "12345678901234567\t890");
}

TEST(FieldLineRfc9112, Section5_1_NamesAreTokensFollowedByAColon) {
    for (const auto line :
         {"X : a"sv, "X\t: a"sv, ": a"sv, " : a"sv, "NoColon"sv, "Content-Length 5"sv, "Transfer Encoding: chunked"sv,
          "Transfer-Encoding x: chunked"sv, "Transfer\\Encoding: chunked"sv,
          "Transfer\xad"
          "Encoding: chunked"sv,
          "Transfer-Encoding\xa0: chunked"sv, "Content-Length\x85: 5"sv, "Host : evil.test"sv, "\r: a"sv})
        EXPECT_TRUE(request_with(std::string(line) += "\r\n")->failed(Fault::bad_request)) << line;
}

TEST(FieldLineRfc9112, Section5_1_EveryByteThatIsNoTcharIsRefusedInAName) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        const bool tchar = others.find(byte) != others.npos || (c < 128 && std::isalnum(c) != 0);
        const auto r = request_with(((std::string("Foo") += byte) += "o: a\r\n"));
        if (byte == ':') continue;  // a name all the same
        EXPECT_EQ(r->complete(), tchar) << c;
        EXPECT_EQ(r->failed(Fault::bad_request), !tchar) << c;
    }
}

TEST(FieldLineRfc9110, Section5_5_ControlsAreRefusedInAValueAndAllElseIsOpaque) {
    for (int c = 0; c < 256; ++c)
        for (const auto around : {"ab"sv, "abcdefghijklmnopq"sv}) {
            const bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
            const std::string value = (std::string(around) += static_cast<char>(c)) += around;
            const auto r = request_with("X: " + value + "\r\n");
            ASSERT_EQ(r->complete(), allowed) << c;
            ASSERT_EQ(r->failed(Fault::bad_request), !allowed) << c;
            if (allowed) {
                ASSERT_EQ(r->head.fields[1].value, value) << c;
            }
        }
}

TEST(FieldLineRfc9112, Section5_2_FoldedLinesAreRefused) {
    for (const auto bytes : {
             "GET /g HTTP/1.1\r\nHost: a.test\r\nX: a\r\n b\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\nX: a\r\n\tb\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: a.test\r\nX: a\r\n \r\n\r\n"sv,
             "GET /g HTTP/1.1\r\n Host: a.test\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\n\tHost: a.test\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\n \r\nHost: a.test\r\n\r\n"sv,
             "GET /g HTTP/1.1\r\nHost: evil.test\r\n Host: a.test\r\n\r\n"sv,
             "POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"sv,
             "POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding\n : chunked\r\n\r\n"sv,
             "POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-\r\nEncoding: chunked\r\n\r\n"sv,
         })
        EXPECT_TRUE(request(bytes)->failed(Fault::bad_request)) << bytes;
}

TEST(StatusLineRfc9112, Section4_VersionStatusReason) {
    const auto r = response("HTTP/1.1 404 Not Found\r\n\r\n");
    ASSERT_TRUE(r->complete());
    EXPECT_EQ(r->head.status, 404);
    EXPECT_EQ(r->head.reason, "Not Found");
    EXPECT_EQ(r->head.minor, 1);
    EXPECT_EQ(response("HTTP/1.0 200 \r\n\r\n")->head.minor, 0);
    EXPECT_EQ(response("HTTP/1.1 200 \r\n\r\n")->head.reason, "");
    EXPECT_EQ(response("HTTP/1.1 200\r\n\r\n")->head.status, 200);
    EXPECT_EQ(response("HTTP/1.1 999 caf\xe9\tx\r\n\r\n")->head.reason, "caf\xe9\tx");
    EXPECT_EQ(response("HTTP/1.1 100 \r\n\r\n")->head.status, 100);
}

TEST(StatusLineRfc9112, Section4_AnythingElseIsTheOriginsFault) {
    for (const auto line : {"HTTP/2.0 200 OK"sv,   "HTTP/2 200"sv,
                            "HTTP/0.9 200 OK"sv,   "http/1.1 200 OK"sv,
                            "HTTP/1.1  200 OK"sv,  "HTTP/1.1 20 OK"sv,
                            "HTTP/1.1 2000 OK"sv,  "HTTP/1.1 099 OK"sv,
                            "HTTP/1.1 000 OK"sv,   "HTTP/1.1 2x0 OK"sv,
                            "HTTP/1.1 -20 OK"sv,   "HTTP/1.1 +20 OK"sv,
                            "HTTP/1.1\t200 OK"sv,  "HTTP/1.1 200\tOK"sv,
                            "HTTP/1.1 200 O\0K"sv, "HTTP/1.1 200 O\x7fK"sv,
                            "HTTP/1.1 200 O\rK"sv, "HTTP/1.1 "sv,
                            "HTTP/1.1"sv,          "HTTP/1.10 200 OK"sv,
                            "HTTP/1.x 200 OK"sv,   "ICY 200 OK"sv,
                            " HTTP/1.1 200 OK"sv,  "<html>"sv,
                            "HTTP/1.1 200 OK\r"sv, ""sv})
        EXPECT_TRUE(response(std::string(line) += "\r\n\r\n")->failed(Fault::origin_protocol)) << line;
    EXPECT_TRUE(response("HTTP/1.1 200 OK\nContent-Length: 0\n\n")->failed(Fault::origin_protocol));
    EXPECT_TRUE(response("HTTP/1.1 200 OK\r\nX : a\r\n\r\n")->failed(Fault::origin_protocol));
    EXPECT_TRUE(response("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n")->failed(Fault::origin_protocol));
}

}  // namespace
}  // namespace etage::http
