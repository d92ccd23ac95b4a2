#include "policy/select.hpp"

#include "policy/test_messages.hpp"

namespace etage::policy {
namespace {

using http::Coding;
using http::CodingSet;

constexpr std::string_view modified = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view later = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr WallTime now{std::chrono::seconds(1'700'000'000)};
const Selectable stored{200, "\"v1\"", modified, CodingSet().with(Coding::identity).with(Coding::gzip)};

Shape shape(FieldPairs fields, std::string_view method = "GET", const Selectable& what = stored) {
    const Asked asked(method, "/", fields);
    return select(asked.head, what, now).shape;
}

Coding coding(FieldPairs fields, const Selectable& what = stored) {
    const Asked asked("GET", "/", fields);
    return select(asked.head, what, now).coding;
}

TEST(SelectRfc9110, Section13_WithoutPreconditionsTheWholeAnswer) { EXPECT_EQ(shape({{"Accept", "x"}}), Shape::full); }

TEST(SelectRfc9110, Section13_1_2_IfNoneMatch) {
    EXPECT_EQ(shape({{"If-None-Match", "\"v1\""}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-None-Match", "W/\"v1\""}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-None-Match", "\"v0\", \"v1\""}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-None-Match", "*"}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-None-Match", "\"v2\""}}), Shape::full);
    EXPECT_EQ(shape({{"If-None-Match", "\"v1\""}}, "HEAD"), Shape::not_modified);
}

TEST(Select, TheTagOfASiblingCodingNamesTheSameContent) {
    EXPECT_EQ(shape({{"If-None-Match", "\"v1-g\""}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-None-Match", "\"v1-b\""}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-None-Match", "\"v1-x\""}}), Shape::full);
}

TEST(Select, WhoAsksForARangeHasTheBytesOfTheIdentityTag) {
    Selectable decoded = stored;
    decoded.identity_etag = "\"v1-i\"";
    const auto none_match = [&](const char* tag) {
        return shape({{"If-None-Match", tag}, {"Range", "bytes=0-1"}}, "GET", decoded);
    };
    EXPECT_EQ(none_match("\"v1-i\""), Shape::not_modified);
    EXPECT_EQ(none_match("\"v1\""), Shape::full);
    EXPECT_EQ(shape({{"If-None-Match", "\"v1\""}}, "GET", decoded), Shape::not_modified);
    EXPECT_EQ(shape({{"If-None-Match", "\"v1-i\""}}, "GET", decoded), Shape::not_modified);
}

TEST(SelectRfc9110, Section13_1_3_IfModifiedSince) {
    EXPECT_EQ(shape({{"If-Modified-Since", modified}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-Modified-Since", later}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-Modified-Since", earlier}}), Shape::full);
    EXPECT_EQ(shape({{"If-Modified-Since", "yesterday"}}), Shape::full);
    EXPECT_EQ(shape({{"If-Modified-Since", later}}, "GET", {200, "\"v1\"", "", {}}), Shape::full);
}

TEST(SelectRfc9110, Section13_1_3_IfNoneMatchMakesIfModifiedSinceIgnored) {
    EXPECT_EQ(shape({{"If-None-Match", "\"v2\""}, {"If-Modified-Since", modified}}), Shape::full);
    EXPECT_EQ(shape({{"If-Modified-Since", earlier}, {"If-None-Match", "\"v1\""}}), Shape::not_modified);
}

TEST(SelectRfc9110, Section13_1_1_IfMatch) {
    EXPECT_EQ(shape({{"If-Match", "\"v1\""}}), Shape::full);
    EXPECT_EQ(shape({{"If-Match", "*"}}), Shape::full);
    EXPECT_EQ(shape({{"If-Match", "\"v2\""}}), Shape::precondition_failed);
    EXPECT_EQ(shape({{"If-Match", "W/\"v1\""}}), Shape::precondition_failed);
    EXPECT_EQ(shape({{"If-Match", "\"v1\""}}, "GET", {200, "", "", {}}), Shape::precondition_failed);
}

TEST(SelectRfc9110, Section13_1_4_IfUnmodifiedSince) {
    EXPECT_EQ(shape({{"If-Unmodified-Since", modified}}), Shape::full);
    EXPECT_EQ(shape({{"If-Unmodified-Since", earlier}}), Shape::precondition_failed);
    EXPECT_EQ(shape({{"If-Unmodified-Since", "yesterday"}}), Shape::full);
    EXPECT_EQ(shape({{"If-Unmodified-Since", earlier}}, "GET", {200, "", "", {}}), Shape::full);
}

TEST(SelectRfc9110, Section13_2_2_Order) {
    EXPECT_EQ(shape({{"If-Match", "\"v1\""}, {"If-Unmodified-Since", earlier}}), Shape::full);
    EXPECT_EQ(shape({{"If-Match", "\"v2\""}, {"If-None-Match", "\"v1\""}}), Shape::precondition_failed);
    EXPECT_EQ(shape({{"If-Match", "\"v1\""}, {"If-None-Match", "\"v1\""}}), Shape::not_modified);
    EXPECT_EQ(shape({{"If-Unmodified-Since", earlier}, {"If-Modified-Since", later}}), Shape::precondition_failed);
}

TEST(SelectRfc9110, Section13_2_1_OnlyWhatWouldBeA200AndOnlyReading) {
    EXPECT_EQ(shape({{"If-None-Match", "*"}}, "GET", {404, "\"v1\"", modified, {}}), Shape::full);
    EXPECT_EQ(shape({{"If-Match", "\"v2\""}}, "GET", {301, "\"v1\"", modified, {}}), Shape::full);
    EXPECT_EQ(shape({{"If-None-Match", "*"}}, "POST"), Shape::full);
}

TEST(SelectRfc9110, Section12_5_3_TheBestStoredCoding) {
    EXPECT_EQ(coding({{"Accept-Encoding", "gzip, br"}}), Coding::gzip);
    EXPECT_EQ(coding({}), Coding::identity);
    EXPECT_EQ(coding({{"Accept-Encoding", "br"}}), Coding::identity);
    EXPECT_EQ(coding({{"Accept-Encoding", "gzip"}, {"If-None-Match", "\"v1\""}}), Coding::gzip);
}

TEST(SelectRfc9110, Section12_5_3_NothingAcceptableIsAnsweredAsItIs) {
    EXPECT_EQ(coding({{"Accept-Encoding", "identity;q=0, *;q=0"}}), Coding::identity);
    EXPECT_EQ(coding({{"Accept-Encoding", "br, identity;q=0"}}), Coding::identity);
    EXPECT_EQ(coding({{"Accept-Encoding", "gzip"}}, {200, "", "", {}}), Coding::identity);
}

}  // namespace
}  // namespace etage::policy
