#include "http/h1_framing.hpp"

#include "http/h1_fixture.hpp"

namespace etage::http {
namespace {

using namespace std::literals;

void expect_refused(std::initializer_list<std::string_view> cases, Fault fault = Fault::bad_request) {
    for (const auto fields : cases) EXPECT_TRUE(request_with(fields)->failed(fault)) << fields;
}

TEST(FramingRfc9112, Section6_3_NeitherLengthNorCodingMeansNoContent) {
    for (const auto start : {"GET /g HTTP/1.1", "POST /p HTTP/1.1", "POST /p HTTP/1.0"}) {
        const auto r = request_with("", start);
        ASSERT_TRUE(r->complete());
        EXPECT_EQ(r->head.body, BodyKind::none);
        EXPECT_FALSE(r->head.has_body());
    }
}

TEST(FramingRfc9112, Section6_2_ContentLengthIsDigits) {
    const auto r = request_with("Content-Length: \t5\t \r\n");
    ASSERT_TRUE(r->complete());
    EXPECT_EQ(r->head.body, BodyKind::length);
    EXPECT_EQ(r->head.content_length, 5u);
    EXPECT_EQ(request_with("content-length:005\r\n")->head.content_length, 5u);
    EXPECT_FALSE(request_with("Content-Length: 0\r\n")->head.has_body());
    EXPECT_EQ(request_with("Content-Length: 4294967301\r\n")->head.content_length, 4294967301u);
    EXPECT_EQ(request_with("Content-Length: 9223372036854775807\r\n")->head.content_length, 9223372036854775807u);
    EXPECT_EQ(request_with("Content-Length: 7\r\n", "GET /g HTTP/1.1")->head.content_length, 7u);  // method: no matter
}

TEST(FramingRfc9112, Section6_3_5_AnyOtherContentLengthIsRefused) {
    for (const auto value : {"+5"sv,
                             "-5"sv,
                             "0x5"sv,
                             "0o5"sv,
                             "5e0"sv,
                             "1_0"sv,
                             "1 0"sv,
                             "0 5"sv,
                             "5abc"sv,
                             ""sv,
                             "\t "sv,
                             "0, 5"sv,
                             "5, 5"sv,
                             "5,"sv,
                             ",5"sv,
                             "9223372036854775808"sv,
                             "18446744073709551621"sv,
                             "1000000000000000000000"sv,
                             "\xc2\xb2"sv,
                             "5\0"sv,
                             "\x0b"
                             "5"sv,
                             "\"5\""sv,
                             "5;x=1"sv,
                             "5.0"sv,
                             "\xef\xbc\x95"sv})
        expect_refused({(std::string("Content-Length: ").append(value) += "\r\n")});
    expect_refused({
        "Content-Length: 5\r\nContent-Length: 10\r\n",
        "Content-Length: 0\r\nContent-Length: 41\r\n",
        "Content-Length: 5\r\ncontent-length: 5\r\n",
    });
}

TEST(FramingRfc9112, Section6_1_ChunkedOnceInAnyCase) {
    for (const auto fields : {"Transfer-Encoding: chunked\r\n"sv, "TRANSFER-ENCODING:CHUNKED\r\n"sv,
                              "Transfer-Encoding:\t chunked \t\r\n"sv}) {
        const auto r = request_with(fields);
        ASSERT_TRUE(r->complete()) << fields;
        EXPECT_EQ(r->head.body, BodyKind::chunked);
        EXPECT_TRUE(r->head.has_body());
    }
}

TEST(FramingRfc9112, Section6_3_3_BothLengthAndCodingAreRefused) {
    expect_refused({
        "Content-Length: 46\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n",
        "Content-Length: 5\r\nTransfer-Encoding:\r\n",
    });
    EXPECT_TRUE(request_with("Content-Length: 5\r\nTE: chunked\r\n")->complete());  // another field
    EXPECT_TRUE(request_with("Content-Length: 5\r\nTransfer-%45ncoding: chunked\r\n")->complete());
}

TEST(FramingRfc9112, Section6_1_HttpOneZeroHasNoTransferCodings) {
    EXPECT_TRUE(request_with("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", "POST /p HTTP/1.0")
                    ->failed(Fault::bad_request));
}

TEST(FramingRfc9112, Section6_1_OtherCodingsAreNotImplementedAndListsRefused) {
    for (const auto coding : {"gzip"sv, "identity"sv, "xchunked"sv, "chunk"sv, "'chunked'"sv, "chunkedd"sv, "x"sv})
        expect_refused({(std::string("Transfer-Encoding: ").append(coding) += "\r\n")}, Fault::not_implemented);
    for (const auto value : {"gzip, chunked"sv,
                             "identity, chunked"sv,
                             "chunked, gzip"sv,
                             "chunked, chunked"sv,
                             "chunked, gzip, chunked"sv,
                             "chunked;ext=val"sv,
                             ",chunked"sv,
                             "chunked,"sv,
                             "\"chunked\""sv,
                             "=?UTF-8?B?Y2h1bmtlZA==?="sv,
                             ""sv,
                             "chunked chunked"sv,
                             "\xa0"
                             "chunked\xa0"sv,
                             "\xff"
                             "chunked"sv,
                             "\x85"
                             "chunked"sv,
                             "ch\x96nked"sv,
                             "\x0c"
                             "chunked"sv,
                             "\x0b"
                             "chunked"sv,
                             "chunked\0"sv,
                             "\0chunked"sv})
        expect_refused({(std::string("Transfer-Encoding: ").append(value) += "\r\n")});
    expect_refused({
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\nTransfer-Encoding:\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n",
    });
}

TEST(FramingTest, FieldsThatCgiWouldTakeForFramingAreRefused) {
    expect_refused({
        "Content_Length: 5\r\n",
        "CONTENT_LENGTH: 5\r\nContent-Length: 0\r\n",
        "Transfer_Encoding: chunked\r\n",
    });
    EXPECT_TRUE(request_with("X_Other: 5\r\n")->complete());
    EXPECT_TRUE(request_with(std::string(100, '_') + ": 5\r\n")->complete());
}

TEST(ConnectionRfc9112, Section9_3_Persistence) {
    const auto keeps = [](std::string_view fields, std::string_view start) {
        const auto r = request_with(fields, start);
        EXPECT_TRUE(r->complete()) << fields;
        return r->head.keep_alive;
    };
    EXPECT_TRUE(keeps("", "GET /g HTTP/1.1"));
    EXPECT_FALSE(keeps("", "GET /g HTTP/1.0"));
    EXPECT_TRUE(keeps("Connection: Keep-Alive\r\n", "GET /g HTTP/1.0"));
    EXPECT_FALSE(keeps("Connection: close\r\n", "GET /g HTTP/1.1"));
    EXPECT_FALSE(keeps("Connection: keep-alive, CLOSE\r\n", "GET /g HTTP/1.1"));
    EXPECT_FALSE(keeps("Connection: keep-alive\r\nConnection: close\r\n", "GET /g HTTP/1.0"));
    EXPECT_TRUE(keeps("Connection: ,, x-closed ,\r\n", "GET /g HTTP/1.1"));
    EXPECT_TRUE(keeps("Connection:\r\n", "GET /g HTTP/1.1"));
}

TEST(ConnectionRfc9110, Section7_6_1_WhatItNamesIsGoneBeforeAnybodyLooks) {  // hostile HBH-01 to HBH-03
    const auto r =
        request_with("X-A: 1\r\nConnection: close, x-a\r\nX-B: 2\r\nConnection: X-C\r\nX-a: 3\r\nx-c: 4\r\n");
    ASSERT_TRUE(r->complete());
    EXPECT_FALSE(find(r->head.fields, "X-A"));
    EXPECT_FALSE(find(r->head.fields, "X-C"));
    EXPECT_EQ(find(r->head.fields, "X-B"), "2");
    EXPECT_EQ(r->head.fields.size(), 4u) << "Host, two Connection, X-B";
    EXPECT_FALSE(r->head.keep_alive);
}

TEST(ConnectionRfc9110, Section7_6_1_NamesSoMuchAndNoMore) {
    std::string names;
    for (int i = 0; i < 32; ++i) names += ", x-" + std::to_string(i);
    EXPECT_TRUE(request_with("Connection: " + names + "\r\n")->complete());
    EXPECT_TRUE(request_with("Connection: close\r\nConnection: " + names + "\r\n")->failed(Fault::bad_request));
}

TEST(ConnectionRfc9110, Section7_6_1_OnlyTokensAndNoEndToEndFields) {
    expect_refused({
        "Connection: \"close\"\r\n",
        "Connection: a b\r\n",
        "Connection: close;x\r\n",
        "Connection: Content-Length\r\nContent-Length: 41\r\n",
        "Connection: close, Host\r\n",
        "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
        "Connection: Authorization, Cookie\r\n",
        "Connection: X-Forwarded-For\r\n",
        "Connection: cache-control\r\n",
    });
    EXPECT_TRUE(request_with("Connection: TE, Trailer, Keep-Alive, Proxy-Connection, X-Mine\r\n")->complete());
}

TEST(UpgradeRfc9110, Section7_8_NeedsBothFieldsAndHttpOneOne) {
    const auto wants = [](std::string_view fields, std::string_view start = "GET /g HTTP/1.1") {
        const auto r = request_with(fields, start);
        EXPECT_TRUE(r->complete()) << fields;
        return r->head.wants_upgrade;
    };
    EXPECT_TRUE(wants("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"));
    EXPECT_TRUE(wants("Upgrade: websocket\r\nConnection: upgrade\r\n"));
    EXPECT_FALSE(wants("Upgrade: websocket\r\n"));
    EXPECT_FALSE(wants("Connection: Upgrade\r\n"));
    EXPECT_FALSE(wants("Connection: Upgrade\r\nUpgrade:\r\n"));
    EXPECT_FALSE(wants("Connection: Upgrade\r\nUpgrade: websocket\r\n", "GET /g HTTP/1.0"));
}

TEST(ExpectRfc9110, Section10_1_1_OnlyOneHundredContinue) {
    const auto expects = [](std::string_view fields, std::string_view start = "POST /p HTTP/1.1") {
        const auto r = request_with(fields, start);
        EXPECT_TRUE(r->complete()) << fields;
        return r->head.expects_continue;
    };
    EXPECT_TRUE(expects("Expect: 100-continue\r\nContent-Length: 5\r\n"));
    EXPECT_TRUE(expects("Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n", "GET /g HTTP/1.1"));
    EXPECT_FALSE(expects("Expect: 100-continue\r\n"));  // no content to wait for
    EXPECT_FALSE(expects("Expect: 100-continue\r\nContent-Length: 0\r\n"));
    EXPECT_FALSE(expects("Expect: 100-continue\r\nContent-Length: 5\r\n", "POST /p HTTP/1.0"));
    EXPECT_TRUE(expects("Expect: 100-continue, 100-Continue\r\nContent-Length: 1\r\n"));
    EXPECT_FALSE(expects("Expect:\r\nContent-Length: 1\r\n"));
    expect_refused(
        {"Expect: 200-ok\r\n", "Expect: 100-continue, x\r\n", "Expect: 100\r\n", "Expect: 100-continue=1\r\n"},
        Fault::expectation_failed);
}

ParsedResponse answer(std::string_view status, std::string_view fields, Method method = Method::get) {
    return response((((std::string("HTTP/1.1 ") += status) += " X\r\n") += fields) += "\r\n", method);
}

TEST(ResponseFramingRfc9112, Section6_3_KindsOfContent) {
    EXPECT_EQ(answer("200", "Content-Length: 5\r\n")->head.body, BodyKind::length);
    EXPECT_EQ(answer("200", "Content-Length: 5\r\n")->head.content_length, 5u);
    EXPECT_EQ(answer("200", "Transfer-Encoding: chunked\r\n")->head.body, BodyKind::chunked);
    EXPECT_EQ(answer("200", "Content-Length: 0\r\n")->head.body, BodyKind::length);
    const auto open = answer("200", "");
    EXPECT_EQ(open->head.body, BodyKind::until_close);
    EXPECT_FALSE(open->head.keep_alive);
    EXPECT_EQ(response("HTTP/1.0 200 OK\r\n\r\n")->head.body, BodyKind::until_close);
}

TEST(ResponseFramingRfc9112, Section6_3_1_WhatNeverHasContent) {
    const auto head = answer("200", "Content-Length: 5\r\n", Method::head);
    EXPECT_EQ(head->head.body, BodyKind::none);
    EXPECT_EQ(head->head.content_length, 5u);
    EXPECT_TRUE(head->head.keep_alive);
    EXPECT_EQ(answer("200", "Transfer-Encoding: chunked\r\n", Method::head)->head.body, BodyKind::none);
    EXPECT_EQ(answer("200", "", Method::head)->head.body, BodyKind::none);
    EXPECT_EQ(answer("304", "Content-Length: 5\r\n")->head.body, BodyKind::none);
    for (const auto status : {"100", "101", "103", "204", "304"}) {
        const auto r = answer(status, "");
        ASSERT_TRUE(r->complete()) << status;
        EXPECT_EQ(r->head.body, BodyKind::none);
        EXPECT_TRUE(r->head.keep_alive);
    }
    EXPECT_TRUE(answer("204", "Content-Length: 0\r\n")->complete());
}

TEST(ResponseFramingRfc9110, Section8_6_ContentAnnouncedWhereThereIsNoneIsRefused) {
    for (const auto status : {"100", "103", "204"}) {
        EXPECT_TRUE(answer(status, "Content-Length: 5\r\n")->failed(Fault::origin_protocol)) << status;
        EXPECT_TRUE(answer(status, "Transfer-Encoding: chunked\r\n")->failed(Fault::origin_protocol)) << status;
    }
}

TEST(ResponseFramingRfc9112, Section6_AsStrictAsForRequests) {
    for (const auto fields : {
             "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
             "Content-Length: 5\r\nContent-Length: 5\r\n",
             "Content-Length: +5\r\n",
             "Content-Length:\r\n",
             "Content-Length: 5, 5\r\n",
             "Transfer-Encoding: gzip\r\n",
             "Transfer-Encoding: gzip, chunked\r\n",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
             "Connection: \"close\"\r\n",
         }) {
        EXPECT_TRUE(answer("200", fields)->failed(Fault::origin_protocol)) << fields;
        EXPECT_TRUE(answer("200", fields, Method::head)->failed(Fault::origin_protocol)) << fields;
    }
    EXPECT_TRUE(response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")->failed(Fault::origin_protocol));
    // Some origins name it; framing is not forwarded as it came anyway.
    EXPECT_TRUE(answer("200", "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n")->complete());
}

TEST(ResponseFramingRfc9112, Section9_3_Persistence) {
    EXPECT_TRUE(answer("200", "Content-Length: 0\r\n")->head.keep_alive);
    EXPECT_FALSE(answer("200", "Content-Length: 0\r\nConnection: close\r\n")->head.keep_alive);
    EXPECT_FALSE(response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")->head.keep_alive);
    EXPECT_TRUE(response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")->head.keep_alive);
}

}  // namespace
}  // namespace etage::http
