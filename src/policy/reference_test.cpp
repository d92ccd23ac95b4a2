#include "policy/reference.hpp"

#include <gtest/gtest.h>

namespace etage::policy {
namespace {

const TargetUri base{"http", "a.test", "/b/c/d", "q=1", true};

std::string resolved(std::string_view reference) {
    const TargetUri uri = resolve(base, reference);
    return uri.scheme + "://" + uri.authority + uri.path + (uri.has_query ? "?" + uri.query : "");
}

TEST(ReferenceRfc3986, Section5_2_2_Resolution) {
    EXPECT_EQ(resolved("g"), "http://a.test/b/c/g");
    EXPECT_EQ(resolved("./g"), "http://a.test/b/c/./g");  // dot segments are resolved when it is normalised
    EXPECT_EQ(resolved("../g"), "http://a.test/b/c/../g");
    EXPECT_EQ(resolved("/g"), "http://a.test/g");
    EXPECT_EQ(resolved("g?y"), "http://a.test/b/c/g?y");
    EXPECT_EQ(resolved("?y"), "http://a.test/b/c/d?y");
    EXPECT_EQ(resolved("?"), "http://a.test/b/c/d?");
    EXPECT_EQ(resolved(""), "http://a.test/b/c/d?q=1");
    EXPECT_EQ(resolved("#f"), "http://a.test/b/c/d?q=1");
    EXPECT_EQ(resolved("/g?y#f?"), "http://a.test/g?y");
    EXPECT_EQ(resolved("//g.test/x"), "http://g.test/x");
    EXPECT_EQ(resolved("//g.test"), "http://g.test/");
    EXPECT_EQ(resolved("//g.test?y"), "http://g.test/?y");
    EXPECT_EQ(resolved("HTTPS://g.test/x?y"), "https://g.test/x?y");
    EXPECT_EQ(resolved("mailto:x@a.test"), "mailto://");
    EXPECT_EQ(resolved("/a:b"), "http://a.test/a:b");
    EXPECT_EQ(resolved("g?a:b"), "http://a.test/b/c/g?a:b");
}

bool same(std::string_view a, std::string_view b) { return same_origin(resolve(base, a), resolve(base, b)); }

TEST(ReferenceRfc9110, Section4_3_1_OriginsAreSchemeHostAndPort) {
    EXPECT_TRUE(same("http://a.test/x", "HTTP://A.Test:80/y"));
    EXPECT_TRUE(same("https://a.test:443", "https://a.test:"));
    EXPECT_FALSE(same("http://a.test", "https://a.test"));
    EXPECT_FALSE(same("http://a.test", "http://a.test:8080"));
    EXPECT_FALSE(same("http://a.test", "http://b.test"));
    EXPECT_FALSE(same("http://a.test", "http://a.test@b.test"));
    EXPECT_FALSE(same("mailto:x", "http://a.test"));
    EXPECT_EQ(normalised_authority("http", "[::1]:80"), "[::1]");
    EXPECT_EQ(normalised_authority("http", "[::1]"), "[::1]");
    EXPECT_EQ(normalised_authority("http", "A:443"), "a:443");
}

}  // namespace
}  // namespace etage::policy
