#include "flow/recode.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace etage::flow {
namespace {

using http::Coding;
using Pairs = std::vector<std::pair<std::string, std::string>>;

http::Fields fields_of(const Pairs& pairs) {
    http::Fields out;
    for (const auto& [name, value] : pairs) out.add(name, value);
    return out;
}

struct Case {
    std::string accept = "gzip";
    Pairs origin = {{"Content-Type", "text/plain"}};
    std::optional<std::uint64_t> length{};
    int status = 200;
    Pairs more_of_request{};
    std::uint8_t minor = 1;
    const policy::Route* route = nullptr;
};

Recoding recoding(const Case& c) {
    http::Fields asked = fields_of(c.more_of_request);
    if (!c.accept.empty()) asked.add("Accept-Encoding", c.accept);
    http::RequestHead request;
    request.fields = asked;
    request.minor = c.minor;
    const http::Fields origin = fields_of(c.origin);
    return choose_recoding(request, {c.status, origin, c.length, c.route});
}

Pairs text_with(const std::string& name, const std::string& value) {
    return {{"Content-Type", "text/plain"}, {name, value}};
}

TEST(Recoding, TextIsEncodedForWhoTakesACoding) {
    EXPECT_EQ(recoding({}).encode, Coding::gzip);
    EXPECT_EQ(recoding({.accept = "gzip, br, zstd"}).encode, Coding::zstd);
    EXPECT_EQ(recoding({.accept = "br;q=0.9, gzip;q=1"}).encode, Coding::gzip);
    for (const char* accept : {"", "identity", "deflate", "gzip;q=0", "*;q=0"}) {
        EXPECT_FALSE(recoding({.accept = accept}).changes()) << accept;
        EXPECT_TRUE(recoding({.accept = accept}).varies) << accept;
    }
    EXPECT_EQ(recoding({.accept = "identity;q=0, br"}).encode, Coding::br);
}

TEST(Recoding, WhatIsNotWorthItOrNotToBeTouchedIsLeftAlone) {
    EXPECT_FALSE(recoding({.length = 599}).varies);
    EXPECT_TRUE(recoding({.length = 600}).changes());
    for (const int status : {101, 204, 206, 304}) EXPECT_FALSE(recoding({.status = status}).varies) << status;
    for (const int status : {200, 201, 404, 500}) EXPECT_TRUE(recoding({.status = status}).changes()) << status;
    for (const char* type : {"image/png", "text/event-stream", "text/event-stream; charset=utf-8", ""})
        EXPECT_FALSE(recoding({.origin = {{"Content-Type", type}}}).varies) << type;
    EXPECT_FALSE(recoding({.origin = text_with("Cache-Control", "max-age=1, no-transform")}).varies);
    EXPECT_FALSE(recoding({.origin = text_with("Content-Range", "bytes */5")}).varies);
    EXPECT_FALSE(recoding({.more_of_request = {{"Cache-Control", "no-transform"}}}).changes());
}

TEST(Recoding, WhereBytesAreCountedOrNobodyCouldTellTheEndThereIsNone) {
    const Recoding range = recoding({.more_of_request = {{"Range", "bytes=0-1"}}});
    EXPECT_TRUE(!range.changes() && range.varies);
    const Recoding old = recoding({.minor = 0});
    EXPECT_TRUE(!old.changes() && old.varies);
}

TEST(Recoding, ACodingThatIsNotTakenIsTakenAway) {
    for (const char* coding : {"gzip", "x-gzip", "GZIP"}) {
        const Pairs origin = text_with("Content-Encoding", coding);
        EXPECT_FALSE(recoding({.accept = "gzip", .origin = origin}).changes());
        EXPECT_TRUE(recoding({.accept = "gzip", .origin = origin}).varies);
        EXPECT_FALSE(recoding({.accept = "", .origin = origin}).changes()) << "RFC 9110 §12.5.3: any coding will do";
        EXPECT_EQ(recoding({.accept = "identity", .origin = origin}).decode, Coding::gzip);
        EXPECT_EQ(recoding({.accept = "identity", .origin = origin}).encode, std::nullopt);
    }
    const Pairs zstd = text_with("Content-Encoding", "zstd");
    EXPECT_EQ(recoding({.accept = "br", .origin = zstd}).decode, Coding::zstd);
    EXPECT_EQ(recoding({.accept = "br", .origin = zstd}).encode, Coding::br);
    const Pairs picture = {{"Content-Type", "image/x-unknown"}, {"Content-Encoding", "br"}};
    EXPECT_EQ(recoding({.accept = "gzip", .origin = picture}).decode, Coding::br);
    EXPECT_EQ(recoding({.accept = "gzip", .origin = picture}).encode, std::nullopt);
    EXPECT_EQ(recoding({.accept = "identity", .origin = zstd, .minor = 0}).decode, Coding::zstd);
    EXPECT_EQ(recoding({.accept = "identity", .origin = zstd, .length = 0}).decode, std::nullopt);
}

TEST(Recoding, WhatCannotOrMustNotBeTakenAwayStays) {
    for (const char* coding : {"deflate", "compress", "gzip, br", "gzip, gzip", "identity", "aes128gcm", ""})
        EXPECT_FALSE(recoding({.accept = "identity", .origin = text_with("Content-Encoding", coding)}).varies)
            << coding;
    Pairs origin = text_with("Content-Encoding", "gzip");
    origin.emplace_back("Content-Encoding", "br");
    EXPECT_FALSE(recoding({.accept = "identity", .origin = origin}).varies);
    origin.back() = {"Cache-Control", "no-transform"};
    EXPECT_FALSE(recoding({.accept = "identity", .origin = origin}).varies);
    origin.back() = {"Content-Range", "bytes 0-1/2"};
    EXPECT_FALSE(recoding({.accept = "identity", .origin = origin, .status = 206}).varies);
}

TEST(Recoding, ARouteMayForbidCompressionButNotWhatAClientNeeds) {
    policy::Route route;
    route.policy.client.compress = false;
    EXPECT_FALSE(recoding({.route = &route}).varies);
    const Recoding coded = recoding({.accept = "br", .origin = text_with("Content-Encoding", "gzip"), .route = &route});
    EXPECT_EQ(coded.decode, Coding::gzip);
    EXPECT_EQ(coded.encode, std::nullopt);
}

TEST(RecodingRfc9110, Section8_8_1_TheFieldsAreThoseOfOtherBytes) {
    const Pairs all = {{"Content-Type", "text/plain"},
                       {"Content-Encoding", "gzip"},
                       {"ETag", "\"1\""},
                       {"Accept-Ranges", "bytes"},
                       {"Content-Digest", "x"},
                       {"Repr-Digest", "x"},
                       {"Digest", "x"},
                       {"Content-MD5", "x"},
                       {"X-Other", "x"}};
    http::Fields fields = fields_of(all);
    describe({.decode = {}, .encode = {}, .varies = true}, fields);
    EXPECT_EQ(fields.size(), all.size());
    describe({.decode = Coding::gzip, .encode = {}, .varies = true}, fields);
    EXPECT_EQ(fields.size(), 3U);
    EXPECT_EQ(http::find(fields, http::FieldId::etag), "W/\"1\"");
    describe({.decode = {}, .encode = Coding::br, .varies = true}, fields);
    EXPECT_EQ(http::find(fields, http::FieldId::content_encoding), "br");
    http::Fields malformed = fields_of({{"ETag", "1"}});
    describe({.decode = {}, .encode = Coding::br, .varies = true}, malformed);
    EXPECT_FALSE(http::contains(malformed, http::FieldId::etag));
}

}  // namespace
}  // namespace etage::flow
