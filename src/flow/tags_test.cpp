#include "flow/tags.hpp"

#include <gtest/gtest.h>

namespace etage::flow {
namespace {

// What `printf k | sha256sum` begins with: nobody finds a key with the name of another one.
TEST(Tags, AKeyIsNamedByItsSha256) { EXPECT_EQ(key_name("k", nullptr), "v1:-:8254c329a92850f6d539dd376f4816ee"); }

TEST(Tags, AnIdentityIsNamedByAHashWithTheSecret) {
    const policy::Identity ann{true, false, "ann"};
    EXPECT_EQ(identity_hash(ann, {1, 2}), base::hex(base::keyed_hash({1, 2}, "ann")));
    EXPECT_NE(identity_hash(ann, {1, 2}), identity_hash(ann, {1, 3}));
}

TEST(Tags, TheUriOfAUriIsItself) {
    for (const char* written : {"HTTP://A.test:80/x/../y?b=2&a=1#f", "https://a.test", "http://a.test?x", "/x%7Ey/",
                                "http://[::1]:8080/", "//a", "http://a.test:/"}) {
        const auto uri = uri_of(written);
        ASSERT_TRUE(uri) << written;
        EXPECT_EQ(uri_of(*uri), uri) << written;
    }
}

TEST(Tags, WhatNoRequestCanNameIsNoUri) {
    for (const char* written : {"", "x", "ftp://a/", "http://", "http:///x", "http://a:b/", "http://a::/",
                                "http://me@a/", "http://[::1/", "http://a:99999/", "http://a/%zz", "/../x"})
        EXPECT_FALSE(uri_of(written)) << written;
}

}  // namespace
}  // namespace etage::flow
