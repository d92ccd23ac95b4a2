#include "http/h1_parser.hpp"

#include "http/h1_fixture.hpp"

#include <rapidcheck.h>

namespace etage::http {
namespace {

using namespace std::literals;

constexpr std::string_view smallest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

TEST(HeadParserTest, EverythingBorrowsFromTheInput) {
    const auto r = request("GET http://a.test/p?q HTTP/1.1\r\nHost: a.test\r\nX: y\r\n\r\n");
    ASSERT_TRUE(r->complete());
    const std::string_view input(r->bytes.get(), r->head.head_bytes);
    const auto inside = [&](std::string_view view) {
        return view.data() >= input.data() && view.data() + view.size() <= input.data() + input.size();
    };
    for (const auto view : {r->head.method_text, r->head.target, r->head.scheme, r->head.authority, r->head.path,
                            r->head.query, r->head.fields[1].name, r->head.fields[1].value})
        EXPECT_TRUE(inside(view)) << view;
    EXPECT_EQ(r->head.fields.data(), r->slots.data());
}

TEST(HeadParserTest, WhatIsNotWholeIsIncomplete) {
    for (std::size_t size = 0; size < smallest.size(); ++size)
        EXPECT_EQ(request(smallest.substr(0, size))->text(), "incomplete") << size;
    constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size < answer.size(); ++size)
        EXPECT_EQ(response(answer.substr(0, size))->text(), "incomplete") << size;
}

TEST(HeadParserTest, ABadRequestLineIsRefusedBeforeTheHeadIsWhole) {
    for (const auto bytes :
         {"SSH-2.0-OpenSSH_9.2\r\n"sv, "GET /g FTP/1.1\r\nHost"sv, "GET /g HTTP/1.1\n"sv, "GET * HTTP/1.1\r\n"sv})
        EXPECT_TRUE(request(bytes)->failed(Fault::bad_request)) << bytes;
    EXPECT_TRUE(request("GET /g HTTP/2.0\r\n")->failed(Fault::version_unsupported));
    EXPECT_TRUE(response("HTTP/1.1 2000\r\n")->failed(Fault::origin_protocol));
}

TEST(HeadParserTest, OtherProtocolsAreRefusedWithoutWaitingForALineEnd) {
    for (const auto bytes : {"\x16\x03\x01"sv, "\r\n\r\n\0\r\nQUIT\n"sv, "\x80\x81"sv, " GET"sv, "\tGET"sv, "\0"sv})
        EXPECT_TRUE(request(bytes)->failed(Fault::bad_request)) << bytes;
    for (const auto bytes : {"<html>"sv, "HTTP/2"sv, "HTTQ"sv, "\r\n"sv, "220 smtp"sv})
        EXPECT_TRUE(response(bytes)->failed(Fault::origin_protocol)) << bytes;
}

TEST(HeadParserRfc9112, Section2_2_AFewEmptyLinesMayComeFirst) {
    for (std::size_t lines = 0; lines <= 4; ++lines) {
        const auto r = request(repeated("\r\n", lines) += smallest);
        ASSERT_TRUE(r->complete());
        EXPECT_EQ(r->head.head_bytes, smallest.size() + 2 * lines);
        EXPECT_EQ(r->head.target, "/");
    }
    EXPECT_TRUE(request(repeated("\r\n", 5) += smallest)->failed(Fault::bad_request));
    EXPECT_TRUE(request(repeated("\r\n", 32768))->failed(Fault::bad_request));
    EXPECT_EQ(request("\r\n\r\n")->text(), "incomplete");
    EXPECT_EQ(request("\r\n\r")->text(), "incomplete");
}

TEST(HeadLimitsTest, RequestLine) {
    const HeadLimits limits{.request_line_bytes_max = 40, .head_bytes_max = 400, .fields_max = 10};
    const auto line_of = [&](std::size_t bytes) {
        const std::string target = "/" + std::string(bytes - "GET / HTTP/1.1"sv.size(), 'a');
        return request("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n", limits);
    };
    EXPECT_TRUE(line_of(40)->complete());
    EXPECT_TRUE(line_of(41)->failed(Fault::uri_too_long));
    EXPECT_TRUE(line_of(42)->failed(Fault::uri_too_long));
    EXPECT_TRUE(line_of(300)->failed(Fault::uri_too_long));
    EXPECT_TRUE(request("GET /" + std::string(300, 'a'), limits)->failed(Fault::uri_too_long));
    EXPECT_TRUE(request(std::string(300, 'M'), limits)->failed(Fault::uri_too_long));
    EXPECT_TRUE(response("HTTP/1.1 200 " + std::string(300, 'a'), Method::get, limits)->failed(Fault::origin_protocol));
}

TEST(HeadLimitsTest, Head) {
    const HeadLimits limits{.request_line_bytes_max = 40, .head_bytes_max = 100, .fields_max = 10};
    const auto head_of = [&](std::size_t bytes, std::string_view before = "") {
        std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        head.append(bytes - head.size() - 4, 'x') += "\r\n\r\n";
        return request(std::string(before) += head, limits);
    };
    EXPECT_TRUE(head_of(100)->complete());
    EXPECT_TRUE(head_of(100, "\r\n\r\n")->complete());
    EXPECT_TRUE(head_of(101)->failed(Fault::fields_too_large));
    EXPECT_TRUE(head_of(500)->failed(Fault::fields_too_large));
    const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(200, 'x');
    EXPECT_TRUE(request(endless, limits)->failed(Fault::fields_too_large));
    EXPECT_TRUE(
        request("GET /\x01 HTTP/1.1\r\n" + endless, limits)->failed(Fault::bad_request));  // the first to be seen
    EXPECT_TRUE(response("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x'), Method::get, limits)
                    ->failed(Fault::origin_protocol));
}

TEST(HeadLimitsTest, Fields) {
    const auto head_with = [](std::size_t fields, std::size_t fields_max) {
        return request("GET / HTTP/1.1\r\nHost: a\r\n" + repeated("X: y\r\n", fields - 1) + "\r\n",
                       {.request_line_bytes_max = 40, .head_bytes_max = 4000, .fields_max = fields_max});
    };
    EXPECT_TRUE(head_with(10, 10)->complete());
    EXPECT_TRUE(head_with(11, 10)->failed(Fault::fields_too_large));
    EXPECT_EQ(head_with(fields_capacity, 1000)->head.fields.size(), fields_capacity);
    EXPECT_TRUE(head_with(fields_capacity + 1, 1000)->failed(Fault::fields_too_large));
}

TEST(HeadParserTest, ManyMessagesInOneBuffer) {
    const std::string bytes = repeated(smallest, 3);
    HeadParser parser;
    FieldSlots slots;
    RequestHead head;
    std::string_view rest = bytes;
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(parser.parse_request(rest, slots, head).state, ParseState::complete);
        EXPECT_EQ(head.head_bytes, smallest.size());
        rest.remove_prefix(head.head_bytes);
        parser.reset();
    }
    EXPECT_TRUE(rest.empty());
}

TEST(HeadParserTest, ALongHeadByteByByteIsSearchedOnce) {
    // 30 KB in 30 000 calls: quadratic work would be 450 MB of comparing, and this test slow.
    const std::string bytes = "GET /" + std::string(8000, 'a') + " HTTP/1.1\r\nHost: a\r\n" +
                              repeated("X-Some: thing\r\n", 90) + "Y: " + std::string(20000, 'y') + "\r\n\r\n";
    HeadParser parser;
    FieldSlots slots;
    RequestHead head;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        ASSERT_EQ(parser.parse_request({bytes.data(), size}, slots, head).state, ParseState::incomplete);
    ASSERT_EQ(parser.parse_request(bytes, slots, head).state, ParseState::complete);
    EXPECT_EQ(head.fields.size(), 92u);
}

TEST(HeadParserTest, RandomEditsAreJudgedTheSameInOnePieceAndInMany) {
    const std::string seed =
        "POST /a?b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nConnection: close\r\nX: y\r\n\r\n";
    EXPECT_TRUE(rc::check("edits", [&] {
        std::string bytes = seed;
        for (int edits = *rc::gen::inRange(1, 4); edits > 0; --edits) {
            const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
            const char c = *rc::gen::elementOf("\r\n\t :,/\x7f\x80"s + "0aH"s);
            switch (*rc::gen::inRange(0, 3)) {
                case 0: bytes[at] = c; break;
                case 1: bytes.insert(at, 1, c); break;
                default: bytes.erase(at, 1);
            }
        }
        request(bytes);
        RC_ASSERT(!testing::Test::HasNonfatalFailure());
    }));
}

}  // namespace
}  // namespace etage::http
