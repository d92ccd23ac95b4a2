#include "http/h1_writer.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace etage::http {
namespace {

using namespace std::literals;

std::string status_line(int status, std::string_view reason = {}) {
    std::string out;
    append_status_line(out, status, reason);
    return out;
}

TEST(WriterRfc9112, Section4_StatusLine) {
    EXPECT_EQ(status_line(200), "HTTP/1.1 200 OK\r\n");
    EXPECT_EQ(status_line(404, "Gone Fishing"), "HTTP/1.1 404 Gone Fishing\r\n");
    EXPECT_EQ(status_line(599), "HTTP/1.1 599 \r\n");  // the space before an empty reason is not optional
}

TEST(WriterRfc9112, Section3And5_RequestLineAndFields) {
    std::string out = "x";
    append_request_line(out, "QUERY", "/a?b");
    append_field(out, "X-Some", "");
    append_field(out, FieldId::etag, "\"a\"");
    EXPECT_EQ(out, "xQUERY /a?b HTTP/1.1\r\nX-Some: \r\nETag: \"a\"\r\n");
}

TEST(WriterRfc9112, Section7_1_ChunkHead) {
    std::array<char, 20> out;
    EXPECT_EQ(chunk_head(out, 1), "1\r\n");
    EXPECT_EQ(chunk_head(out, 26), "1a\r\n");
    EXPECT_EQ(chunk_head(out, std::numeric_limits<std::uint64_t>::max()), "ffffffffffffffff\r\n");
    EXPECT_EQ(last_chunk, "0\r\n\r\n");
}

TEST(WriterRfc9110, Section5_5_FieldValues) {
    for (const auto value :
         {""sv, "a"sv, "a b\tc"sv, "\x80\xff"sv, "a long one, of more than eight bytes\tand a tab"sv})
        EXPECT_TRUE(is_field_value(value)) << value;
    for (int c = 0; c < 256; ++c)
        for (std::size_t at = 0; at < 20; ++at) {
            std::string value(20, 'v');
            value[at] = static_cast<char>(c);
            ASSERT_EQ(is_field_value(value), c == '\t' || (c >= 0x20 && c != 0x7f)) << c << " at " << at;
        }
}

TEST(WriterRfc9110, Section5_6_2_Tokens) {
    EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09aZ"));
    for (const auto text : {""sv, "a b"sv, "a:"sv, "\"a\""sv, "a\0"sv, "\x80"sv, "a/b"sv})
        EXPECT_FALSE(is_token(text)) << text;
}

TEST(WriterRfc9110, Section7_6_1_HopByHopFieldsAreRemoved) {
    Fields fields;
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
             {"Connection", "close, X-Mine"},
             {"Keep-Alive", "timeout=5"},
             {"X-Mine", "1"},
             {"connection", "x-also,,"},
             {"connection", "cache-control"},  // not its to name
             {"X-ALSO", "2"},
             {"x-also", "3"},
             {"Proxy-Connection", "a"},
             {"Proxy-Authentication-Info", "a"},
             {"TE", "trailers"},
             {"Trailer", "X"},
             {"Transfer-Encoding", "chunked"},
             {"Content-Length", "5"},
             {"Upgrade", "h2c"},
             {"HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA"},
             {"Proxy-Authenticate", "Basic"},
             {"Proxy-Authorization", "Basic x"},
             {"Close", "a field of that name is named, too"},
             {"Cache-Control", "no-store"},
             {"X-Other", "stays"},
         })
        fields.add(name, value);
    remove_hop_by_hop(fields);
    ASSERT_EQ(fields.size(), 2u);
    EXPECT_EQ(find(fields, "cache-control"), "no-store");
    EXPECT_EQ(find(fields, "x-other"), "stays");

    Fields none;
    remove_hop_by_hop(none);
    EXPECT_TRUE(none.empty());
}

TEST(FieldTailTest, FieldsAreWrittenInOrder) {
    FieldTail tail;
    EXPECT_EQ(tail.view(), "");
    tail.field("Age: ", "5");
    tail.begin("Cache-Status: ");
    tail.text("etage; hit; ttl=");
    tail.number(-12);
    tail.end();
    tail.begin("X: ");
    tail.number(std::numeric_limits<std::int64_t>::min());
    tail.end();
    EXPECT_EQ(tail.view(), "Age: 5\r\nCache-Status: etage; hit; ttl=-12\r\nX: -9223372036854775808\r\n");
    EXPECT_FALSE(tail.overflowed());
    tail.clear();
    EXPECT_EQ(tail.view(), "");
}

TEST(FieldTailTest, WhatDoesNotFitIsLeftOutWhole) {
    FieldTail tail;
    tail.field("A: ", std::string(2000, 'a'));
    const std::string before(tail.view());
    tail.field("B: ", std::string(100, 'b'));
    EXPECT_TRUE(tail.overflowed());
    EXPECT_EQ(tail.view(), before);
    tail.begin("C: ");
    tail.text(std::string(100, 'c'));
    tail.text("still broken");
    tail.number(1);
    tail.end();
    EXPECT_EQ(tail.view(), before);
    tail.field("D: ", "short");  // a later one may fit
    EXPECT_EQ(tail.view(), before + "D: short\r\n");
    tail.clear();
    EXPECT_FALSE(tail.overflowed());
    tail.field("E: ", std::string(2048 - 5, 'e'));  // to the last byte
    EXPECT_FALSE(tail.overflowed());
    EXPECT_EQ(tail.view().size(), 2048u);
}

}  // namespace
}  // namespace etage::http
