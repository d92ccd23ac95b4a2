#include "http/uri.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <tuple>
#include <vector>

namespace etage::http {
namespace {

/// The normalised path; "refused" when there is none.
std::string normalised(std::string_view path) {
    std::string out = "key/";
    if (append_normalised_path(out, path)) return out.substr(4);
    EXPECT_EQ(out, "key/") << "a refused path leaves nothing behind: " << path;
    return "refused";
}

TEST(PathRfc3986, Section6_2_2_1_EscapesAreUpperCase) {
    EXPECT_EQ(normalised("/a%c3%a9"), "/a%C3%A9");
    EXPECT_EQ(normalised("/%3f%23%20%25"), "/%3F%23%20%25");
    EXPECT_EQ(normalised("/A/b"), "/A/b");
}

TEST(PathRfc3986, Section6_2_2_2_UnreservedCharactersAreNotEscaped) {
    EXPECT_EQ(normalised("/%78"), "/x");
    EXPECT_EQ(normalised("/%41%7A%30%2d%2E%5f%7e"), "/Az0-._~");
    EXPECT_EQ(normalised("/x%2fy"), "/x%2Fy");
    EXPECT_EQ(normalised("/x%3by;z"), "/x%3By;z");
    EXPECT_EQ(normalised("/%2578"), "/%2578") << "decoded once only";
    EXPECT_EQ(normalised("/%252e%252e/x"), "/%252e%252e/x");
    EXPECT_EQ(normalised("/a!$&'()*+,;=:@b"), "/a!$&'()*+,;=:@b");
}

TEST(PathRfc3986, Section5_2_4_DotSegmentsAreResolved) {
    for (const auto& [path, expected] : std::vector<std::pair<std::string, std::string>>{{"/", "/"},
                                                                                         {"/.", "/"},
                                                                                         {"/./", "/"},
                                                                                         {"/a/b/c/./../../g", "/a/g"},
                                                                                         {"/a/.", "/a/"},
                                                                                         {"/a/..", "/"},
                                                                                         {"/a/../", "/"},
                                                                                         {"/a/../b", "/b"},
                                                                                         {"/a/./b", "/a/b"},
                                                                                         {"/a/b/..", "/a/"},
                                                                                         {"/a/b/../c", "/a/c"},
                                                                                         {"/a/b/../../c", "/c"},
                                                                                         {"/a//b", "/a//b"},
                                                                                         {"//", "//"},
                                                                                         {"//a", "//a"},
                                                                                         {"/a//..", "/a/"},
                                                                                         {"/a//../b", "/a/b"},
                                                                                         {"/a/", "/a/"},
                                                                                         {"/...", "/..."},
                                                                                         {"/.a/..b/c..", "/.a/..b/c.."},
                                                                                         {"/./.", "/"},
                                                                                         {"/a/./.", "/a/"},
                                                                                         {"/.//.", "//"},
                                                                                         {"/a/b/./..", "/a/"},
                                                                                         {"/%2e/a", "/a"},
                                                                                         {"/a/%2e%2E/x", "/x"},
                                                                                         {"/a/.%2e/x", "/x"},
                                                                                         {"/a/%2E./x", "/x"},
                                                                                         {"/a/..;/x", "/a/..;/x"}})
        EXPECT_EQ(normalised(path), expected) << path;
}

TEST(PathTest, WhatLeavesTheRootIsRefused) {
    for (const char* path :
         {"/..", "/../", "/../a", "/a/../..", "/a/../../b", "/./..", "/%2e%2e", "/%2e%2e/a", "/a/../%2e./b"})
        EXPECT_EQ(normalised(path), "refused") << path;
    EXPECT_EQ(normalised("//.."), "/") << "the empty segment is one";
}

TEST(PathTest, SeparatorsInDisguiseHideNoDots) {
    for (const char* path : {"/a%2f..%2fx", "/..%2fx", "/a/..%2Fx", "/a/..%5cx", "/a/..\\x", "/a%2f..", "/a%5C..",
                             "/a\\..", "/.%2fx", "/a%2f.", "/a%2f.%2fb", "/a%2f%2e%2e%2fx", "/%2e%2e%5cx",
                             "/a/x%2f..\\y", "/%2F..", "/%2e%2f", "/a\\.\\b", "/share/%2F..%2Fx"})
        EXPECT_EQ(normalised(path), "refused") << path;
    EXPECT_EQ(normalised("/a%2fb"), "/a%2Fb");
    EXPECT_EQ(normalised("/a%5cb\\c"), "/a%5Cb\\c");
    EXPECT_EQ(normalised("/a%2f...%2fb"), "/a%2F...%2Fb");
    EXPECT_EQ(normalised("/%2F"), "/%2F");
    EXPECT_EQ(normalised("/%2F/../a"), "/a");
}

TEST(PathTest, WhatNoTargetMayHoldIsRefused) {
    for (const char* path : {"/%",        "/%4",  "/%g0",  "/%0g",   "/a%",       "/%%41", "/%u0041", "/%00",
                             "/a%00.css", "/a b", "/a\tb", "/a\x01", "/a\x7f",    "/a?b",  "/a#b",    "/\xc3\xa9",
                             "a",         "a/b",  "*a",    "**",     "http://x/", "?"})
        EXPECT_EQ(normalised(path), "refused") << path;
    EXPECT_EQ(normalised(std::string_view("/a\0b", 4)), "refused");
    EXPECT_EQ(normalised("/%0a%01%7f"), "/%0A%01%7F");
}

TEST(PathRfc9110, Section4_2_3_TheEmptyPathIsTheRoot) {
    EXPECT_EQ(normalised(""), "/");
    EXPECT_EQ(normalised("*"), "*") << "OPTIONS *";
}

std::string arbitrary_path() {
    const auto piece = rc::gen::elementOf(std::vector<std::string>{
        "/", "/", "/", "a", "B", ".", "..", "%2e", "%2F", "%5c", "%c3", "%41", "\\", ";", "%25", "%00", "%", " "});
    std::string path = "/";
    for (const std::string& p : *rc::gen::container<std::vector<std::string>>(piece)) path += p;
    return path;
}

TEST(PathProperty, ANormalisedPathIsNormal) {
    ASSERT_TRUE(rc::check([] {
        const std::string once = normalised(arbitrary_path());
        if (once == "refused") return;
        RC_ASSERT(normalised(once) == once);
    }));
}

TEST(PathProperty, NoDotSegmentIsLeftWhoeverReadsIt) {
    ASSERT_TRUE(rc::check([] {
        std::string path = normalised(arbitrary_path());
        if (path == "refused") return;
        RC_ASSERT(path.front() == '/');
        for (const std::string separator : {"%2F", "%5C", "\\"})
            for (auto at = path.find(separator); at != std::string::npos; at = path.find(separator))
                path.replace(at, separator.size(), "/");
        path += '/';
        RC_ASSERT(path.find("/./") == std::string::npos);
        RC_ASSERT(path.find("/../") == std::string::npos);
    }));
}

TEST(PercentTest, Decodes) {
    EXPECT_EQ(percent_decode("", false), "");
    EXPECT_EQ(percent_decode("a%20b%C3%a9+c", false), "a b\xc3\xa9+c");
    EXPECT_EQ(percent_decode("a+b%2Bc", true), "a b+c");
    EXPECT_EQ(percent_decode("%2541", false), "%41");
    EXPECT_EQ(percent_decode("%00", false), std::string(1, '\0'));
    for (const char* bad : {"%", "%4", "a%", "%g0", "%0g", "%%41", "% 41", "%-1", "%+1", "%u0041"})
        EXPECT_EQ(percent_decode(bad, true), std::nullopt) << bad;
}

TEST(PercentTest, EncodesEverythingButUnreserved) {
    EXPECT_EQ(percent_encode(""), "");
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("a b/c?d&e=f+g%"), "a%20b%2Fc%3Fd%26e%3Df%2Bg%25");
    EXPECT_EQ(percent_encode(std::string_view("\0\xff", 2)), "%00%FF");
}

TEST(PercentProperty, WhatIsEncodedIsDecoded) {
    ASSERT_TRUE(rc::check([](const std::string& text) {
        RC_ASSERT(percent_decode(percent_encode(text), true) == text);
        RC_ASSERT(percent_decode(percent_encode(text), false) == text);
    }));
}

TEST(ParameterTest, AreGivenInOrderAndUndecoded) {
    using Given = std::vector<std::tuple<std::string, std::string, bool>>;
    const auto given = [](std::string_view query) {
        Given out;
        for_each_parameter(query, [&](std::string_view name, std::string_view value, bool has_equals) {
            out.emplace_back(name, value, has_equals);
        });
        return out;
    };
    EXPECT_EQ(given(""), Given{});
    EXPECT_EQ(given("&&"), Given{});
    EXPECT_EQ(given("a=1&b&a=%32&c=&=d&e=f=g&"), (Given{{"a", "1", true},
                                                        {"b", "", false},
                                                        {"a", "%32", true},
                                                        {"c", "", true},
                                                        {"", "d", true},
                                                        {"e", "f=g", true}}));
    EXPECT_EQ(given("a=1;b=2"), (Given{{"a", "1;b=2", true}}));
}

/// "scheme host port", or "refused" with a reason.
std::string endpoint(std::string_view url) {
    std::string why;
    const auto out = parse_endpoint(url, why);
    EXPECT_EQ(out.has_value(), why.empty()) << url << ": " << why;
    return out ? out->scheme + ' ' + out->host + ' ' + out->port : "refused";
}

TEST(EndpointTest, SchemeHostAndPort) {
    EXPECT_EQ(endpoint("http://127.0.0.1:8000"), "http 127.0.0.1 8000");
    EXPECT_EQ(endpoint("http://127.0.0.1:8000/"), "http 127.0.0.1 8000");
    EXPECT_EQ(endpoint("http://api.example"), "http api.example 80");
    EXPECT_EQ(endpoint("HTTPS://Api.Example/"), "https api.example 443");
    EXPECT_EQ(endpoint("https://my_api-1:08443"), "https my_api-1 8443");
    EXPECT_EQ(endpoint("http://[::1]:8000"), "http ::1 8000");
    EXPECT_EQ(endpoint("http://[2001:DB8::1]"), "http 2001:db8::1 80");
    EXPECT_EQ(endpoint("http://[::ffff:1.2.3.4]:65535"), "http ::ffff:1.2.3.4 65535");
}

TEST(EndpointTest, WhatIsNoEndpointIsRefusedWithAReason) {
    for (const char* url : {"",
                            "localhost",
                            "localhost:8000",
                            "127.0.0.1:8000",
                            "//host",
                            "http:/host",
                            "http:host",
                            "://host",
                            "ftp://host",
                            "unix:///x",
                            "http://",
                            "http:///",
                            "http://:80",
                            "http://host//",
                            "http://host/path",
                            "http://host/?",
                            "http://host?x",
                            "http://host#x",
                            "http://user@host",
                            "http://u:p@host:80",
                            "http://host:",
                            "http://host:0",
                            "http://host:65536",
                            "http://host:8x",
                            "http://host:-1",
                            "http://host:+1",
                            "http://host: 80",
                            "http://host:000080",
                            "http://::1",
                            "http://::1:80",
                            "http://[::1",
                            "http://[::1]x",
                            "http://[::1]80",
                            "http://[]",
                            "http://[host]",
                            "http://[::g]",
                            "http://[fe80::1%eth0]",
                            "http://ho st",
                            "http://.host",
                            "http://h%6fst",
                            "http://host\\x",
                            "http://\xc3\xa9",
                            "http://a,b",
                            "http://host:80:81"})
        EXPECT_EQ(endpoint(url), "refused") << url;
    EXPECT_EQ(endpoint("http://" + std::string(254, 'a')), "refused");
    EXPECT_EQ(endpoint(std::string("http://h\0st", 11)), "refused");
    EXPECT_EQ(endpoint(std::string("http://[::1\0]", 13)), "refused");
}

TEST(EndpointTest, TheAuthorityLeavesTheDefaultPortOut) {
    const auto authority = [](std::string_view url) {
        std::string why;
        return parse_endpoint(url, why).value().authority();
    };
    EXPECT_EQ(authority("http://host:80"), "host");
    EXPECT_EQ(authority("http://host:443"), "host:443");
    EXPECT_EQ(authority("https://host:443"), "host");
    EXPECT_EQ(authority("https://host:80"), "host:80");
    EXPECT_EQ(authority("http://[::1]:80"), "[::1]");
    EXPECT_EQ(authority("http://[::1]:8080"), "[::1]:8080");
}

/// "host port", or "refused" with a reason.
std::string listen_address(std::string_view text) {
    std::string why;
    const auto out = parse_listen_address(text, why);
    EXPECT_EQ(out.has_value(), why.empty()) << text << ": " << why;
    return out ? out->host + ' ' + std::to_string(out->port) : "refused";
}

TEST(ListenAddressTest, NumericOrAny) {
    EXPECT_EQ(listen_address("127.0.0.1:8080"), "127.0.0.1 8080");
    EXPECT_EQ(listen_address("0.0.0.0:0"), "0.0.0.0 0");
    EXPECT_EQ(listen_address(":8080"), " 8080");
    EXPECT_EQ(listen_address("[::1]:8080"), "::1 8080");
    EXPECT_EQ(listen_address("[::]:65535"), ":: 65535");
}

TEST(ListenAddressTest, AnythingElseIsRefusedWithAReason) {
    for (const char* text : {"",
                             ":",
                             "8080",
                             "localhost:8080",
                             "127.0.0.1",
                             "127.0.0.1:",
                             "127.0.0.1:65536",
                             "127.0.0.1:http",
                             "127.0.0.1:8080/",
                             "127.1:80",
                             "256.0.0.1:80",
                             "1.2.3.4.5:80",
                             "*:80",
                             "::1:8080",
                             "::",
                             "[::1]",
                             "[::1]:",
                             "[::1]8080",
                             "[::1",
                             "[]:80",
                             "[127.0.0.1]:80",
                             "[::1%lo]:80",
                             " 127.0.0.1:80",
                             "127.0.0.1 :80",
                             "127.0.0.1: 80",
                             "http://127.0.0.1:80",
                             ":000080"})
        EXPECT_EQ(listen_address(text), "refused") << text;
    EXPECT_EQ(listen_address(std::string_view("127.0.0.1\0:80", 13)), "refused");
}

TEST(ListenAddressTest, ItsTextIsReadBack) {
    for (const char* text : {"127.0.0.1:8080", ":8080", "[::1]:8080", "[::]:0"}) {
        std::string why;
        EXPECT_EQ(parse_listen_address(text, why).value().text(), text);
    }
}

}  // namespace
}  // namespace etage::http
