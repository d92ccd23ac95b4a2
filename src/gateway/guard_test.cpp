#include "gateway/guard.hpp"

#include <gtest/gtest.h>

namespace etage::gateway {
namespace {

using http::FieldId;

int status_of(const Guard& guard, std::string_view authority, const http::Fields& fields = {},
              http::Method method = http::Method::get) {
    http::RequestHead request;
    request.method = method;
    request.authority = authority;
    request.fields = fields.span();
    const auto refusal = guard.check(request);
    return refusal ? refusal->status : 200;
}

http::Fields with(std::string_view name, std::string_view value) {
    http::Fields fields;
    fields.add(name, value);
    return fields;
}

TEST(Guard, WithoutATokenOnlyNamesOfThisMachinePass) {
    const Guard guard("", {"127.0.0.1", 8081});
    for (const char* host : {"localhost", "LOCALHOST:8081", "127.0.0.1:8081", "127.0.0.1", "[::1]:8081", "[::1]",
                             "127.8.8.8:1", "localhost:9999"})
        EXPECT_EQ(status_of(guard, host), 200) << host;
    for (const char* host :
         {"", "evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1:8081",
          "[2001:db8::1]:8081", "[::1", "[]:8081", ":8081", "0.0.0.0:8081", "localhostx"})
        EXPECT_EQ(status_of(guard, host), 403) << host;
}

TEST(Guard, TheListenAddressItselfPasses) {
    EXPECT_EQ(status_of(Guard("", {"192.0.2.1", 8081}), "192.0.2.1:8081"), 200);
}

TEST(Guard, PagesOfOtherOriginsAreRefused) {
    const Guard guard("", {"127.0.0.1", 8081});
    EXPECT_EQ(status_of(guard, "127.0.0.1:8081", with("Origin", "http://127.0.0.1:8081")), 200);
    for (const char* origin :
         {"http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8081", "", "127.0.0.1:8081"})
        EXPECT_EQ(status_of(guard, "127.0.0.1:8081", with("Origin", origin)), 403) << origin;
    EXPECT_EQ(status_of(Guard("t", {"127.0.0.1", 8081}), "127.0.0.1:8081", with("Origin", "http://evil.example")), 403);
}

TEST(Guard, WhatABrowserSaysOfThePageCountsForChanges) {
    const Guard guard("", {"127.0.0.1", 8081});
    const auto status = [&](std::string_view site, http::Method method) {
        return status_of(guard, "127.0.0.1:8081", with("Sec-Fetch-Site", site), method);
    };
    for (const char* site : {"cross-site", "same-site", "", "Same-Origin"}) {
        EXPECT_EQ(status(site, http::Method::post), 403) << site;
        EXPECT_EQ(status(site, http::Method::get), 200) << "a link in some page: " << site;
    }
    for (const char* site : {"same-origin", "none"}) EXPECT_EQ(status(site, http::Method::post), 200) << site;
}

TEST(GuardRfc6750, Section2_1_TheTokenOpensWhateverTheHost) {
    const Guard guard("s3cret", {"0.0.0.0", 8081});
    EXPECT_EQ(status_of(guard, "metrics.internal:8081", with("Authorization", "Bearer s3cret")), 200);
    EXPECT_EQ(status_of(guard, "metrics.internal:8081", with("authorization", "bearer  s3cret")), 200);
}

TEST(GuardRfc6750, Section3_AnythingElseIs401) {
    const Guard guard("s3cret", {"0.0.0.0", 8081});
    EXPECT_EQ(status_of(guard, "127.0.0.1:8081"), 401);
    for (const char* value : {"Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Bearer S3CRET", "Basic s3cret",
                              "s3cret", "Bearers3cret"})
        EXPECT_EQ(status_of(guard, "127.0.0.1:8081", with("Authorization", value)), 401) << value;
}

TEST(Guard, SecretsAreEqualOrNot) {
    EXPECT_TRUE(equal_secrets("", ""));
    EXPECT_TRUE(equal_secrets("abc", "abc"));
    EXPECT_FALSE(equal_secrets("abc", "abd"));
    EXPECT_FALSE(equal_secrets("abc", "abcd"));
    EXPECT_FALSE(equal_secrets("abc", ""));
}

}  // namespace
}  // namespace etage::gateway
