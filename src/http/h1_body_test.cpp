#include "http/h1_body.hpp"

#include "http/h1_writer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <memory>
#include <string>

namespace etage::http {
namespace {

using namespace std::literals;

struct Decoded {
    std::string content;
    std::size_t consumed = 0;
    bool finished = false;
    bool failed = false;

    bool operator==(const Decoded&) const = default;
};

/// Feeds pieces of `piece_bytes`, the first of `first_bytes`; what is not consumed comes again with the next piece.
Decoded decode_in_pieces(BodyDecoder decoder, std::string_view bytes, std::size_t first_bytes,
                         std::size_t piece_bytes) {
    Decoded out;
    for (std::size_t there = first_bytes;; there = std::min(there + piece_bytes, bytes.size())) {
        for (bool moves = true; moves;) {
            const auto there_now = bytes.substr(out.consumed, there - out.consumed);
            const auto copy = std::make_unique<char[]>(there_now.size());  // exactly: for the sanitizer
            std::copy(there_now.begin(), there_now.end(), copy.get());
            const auto step = decoder.step({copy.get(), there_now.size()});
            out.failed = step.failed;
            out.finished = step.finished;
            EXPECT_EQ(step.finished, decoder.finished());
            EXPECT_EQ(step.failed, !step.why.empty());
            if (step.failed) {
                EXPECT_TRUE(decoder.step("0\r\n\r\n").failed);
                return out;
            }
            out.consumed += step.consumed;
            out.content += step.content;
            moves = step.consumed > 0 && !step.finished;
        }
        if (out.finished || there == bytes.size()) return out;
    }
}

/// The same whole, byte by byte, cut in two anywhere, and with bytes behind it.
Decoded decode(const BodyDecoder& decoder, std::string_view bytes) {
    const Decoded whole = decode_in_pieces(decoder, bytes, bytes.size(), 1);
    const auto expect_same = [&](Decoded other, const char* how) {
        EXPECT_EQ(other.failed, whole.failed) << how << ": " << bytes;
        EXPECT_TRUE(whole.failed || other == whole) << how << ": " << bytes;
    };
    expect_same(decode_in_pieces(decoder, bytes, 0, 1), "byte by byte");
    if (bytes.size() < 1000)
        for (std::size_t cut = 1; cut < bytes.size(); ++cut)
            expect_same(decode_in_pieces(decoder, bytes, cut, bytes.size()), "in two");
    if (whole.finished) {
        const std::string followed = std::string(bytes) + "GET / HTTP/1.1\r\n";
        expect_same(decode_in_pieces(decoder, followed, followed.size(), 1), "with another message behind");
    }
    return whole;
}

Decoded decode_chunked(std::string_view bytes) { return decode(BodyDecoder(BodyKind::chunked, 0), bytes); }

TEST(BodyDecoderTest, NoContentIsOverBeforeItBegins) {
    for (const BodyDecoder& decoder :
         {BodyDecoder(), BodyDecoder(BodyKind::none, 0), BodyDecoder(BodyKind::length, 0)}) {
        EXPECT_TRUE(decoder.finished());
        const auto d = decode(decoder, "");
        EXPECT_TRUE(d.finished);
        EXPECT_EQ(d.consumed, 0u);
    }
}

TEST(BodyDecoderRfc9112, Section6_2_LengthDelimited) {
    const auto d = decode(BodyDecoder(BodyKind::length, 5), "hello");
    EXPECT_EQ(d.content, "hello");
    EXPECT_TRUE(d.finished);
    EXPECT_FALSE(decode(BodyDecoder(BodyKind::length, 10), "hello").finished);
    EXPECT_EQ(decode(BodyDecoder(BodyKind::length, 4294967301), "hello").content, "hello");
}

TEST(BodyDecoderRfc9112, Section6_3_8_UntilCloseTakesAllAndNeverEnds) {
    const auto d = decode(BodyDecoder(BodyKind::until_close, 0), "hello\r\n0\r\n\r\n");
    EXPECT_EQ(d.content, "hello\r\n0\r\n\r\n");
    EXPECT_FALSE(d.finished);
}

TEST(BodyDecoderRfc9112, Section7_1_Chunks) {
    EXPECT_EQ(decode_chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n").content, "hello world");
    EXPECT_EQ(decode_chunked("A\r\nhelloworld\r\n0\r\n\r\n").content, "helloworld");
    EXPECT_EQ(decode_chunked("a\r\nhelloworld\r\n000\r\n\r\n").content, "helloworld");
    EXPECT_EQ(decode_chunked("0000000000000005\r\nhello\r\n0\r\n\r\n").content, "hello");
    EXPECT_EQ(decode_chunked("5\r\n\r\n0\r\n\r\n0\r\n\r\n").content, "\r\n0\r\n");
    const auto empty = decode_chunked("0\r\n\r\n");
    EXPECT_TRUE(empty.finished);
    EXPECT_EQ(empty.content, "");
}

TEST(BodyDecoderRfc9112, Section7_1_WhatIsCutShortIsNotFinished) {
    for (const auto bytes : {""sv, "5"sv, "5\r\nhel"sv, "5\r\nhello"sv, "5\r\nhello\r\n"sv, "5\r\nhello\r\n0\r\n"sv,
                             "0\r\n\r"sv, "0\r\nX: y\r\n"sv}) {
        const auto d = decode_chunked(bytes);
        EXPECT_FALSE(d.finished || d.failed) << bytes;
        EXPECT_EQ(d.consumed, bytes.size());
    }
}

TEST(BodyDecoderRfc9112, Section7_1_SizesAreOneToSixteenHexDigits) {
    for (const auto size : {"0x5"sv,
                            "+5"sv,
                            "-5"sv,
                            "5_"sv,
                            "0_2e"sv,
                            "5 "sv,
                            "5\t"sv,
                            " 5"sv,
                            "\t5"sv,
                            ""sv,
                            "g"sv,
                            "5h"sv,
                            "5.0"sv,
                            "\"5\""sv,
                            "5\0"sv,
                            "10000000000000005"sv,
                            "FFFFFFFFFFFFFFED"sv,
                            "8000000000000000"sv,
                            "f0000000000000003"sv,
                            "00000000000000005"sv,
                            "\xef\xbc\x95"sv,
                            "5,"sv,
                            "5\x0b"sv,
                            "INVALID!!!"sv})
        EXPECT_TRUE(decode_chunked((std::string(size) += "\r\n") += "hello\r\n0\r\n\r\n").failed) << size;
    EXPECT_FALSE(decode_chunked("7FFFFFFFFFFFFFFF\r\nhello").failed);
    EXPECT_TRUE(decode_chunked("5\r\nhello\r\n0x0\r\n\r\n").failed);
    EXPECT_TRUE(decode_chunked("5\r\nhello\r\n 0\r\n\r\n").failed);
    EXPECT_TRUE(decode_chunked("5\r\nhello\r\n;x\r\n\r\n").failed);
}

TEST(BodyDecoderRfc9112, Section7_1_EveryLineEndIsCrLf) {
    for (const auto bytes : {"5\nhello\r\n0\r\n\r\n"sv, "5\rhello\r\n0\r\n\r\n"sv, "5\r\r\nhello\r\n0\r\n\r\n"sv,
                             "5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n"sv, "5\rXhello\r\n0\r\n\r\n"sv,
                             "5\r\nhello\n0\r\n\r\n"sv, "5\r\nhello0\r\n\r\n"sv, "5\r\nhello\r0\r\n\r\n"sv,
                             "6\r\nhello\r\n0\r\n\r\n"sv, "4\r\nhello\r\n0\r\n\r\n"sv, "5\r\nhello\r\n\r\n0\r\n\r\n"sv,
                             "5\r\nhello\r\n0\n\r\n"sv, "5\r\nhello\r\n0\r\n\n"sv, "5\r\nhello\r\n0\r\n\rX"sv})
        EXPECT_TRUE(decode_chunked(bytes).failed) << bytes;
}

TEST(BodyDecoderRfc9112, Section7_1_1_ExtensionsAreCheckedAndDropped) {
    for (const auto extension : {";a"sv, ";a=b"sv, ";a;b=c;d"sv, " ; a = b"sv, "\t;\ta\t=\tb"sv, ";a=\"q;\\\"s\\\"\""sv,
                                 ";a=\"\""sv, ";a ;b"sv, ";a=b ; c"sv, ";a=\"b\" ;c"sv, ";a=\"\x80\t\""sv}) {
        const auto d =
            decode_chunked((std::string("5").append(extension) += "\r\nhello\r\n0").append(extension) += "\r\n\r\n");
        EXPECT_TRUE(d.finished) << extension;
        EXPECT_EQ(d.content, "hello");
    }
    for (const auto extension : {";"sv, ";\n"sv, ";a=b\r\rXXX"sv, ";a=\"b\nc\""sv, ";a=\"b"sv, ";bad[=x"sv, " ext"sv,
                                 ";a b"sv, ";a="sv, ";=b"sv, ";a=\"b\"c"sv, ";a=b=c"sv, ";a;"sv, ";a "sv, ";a=b "sv,
                                 ";a=\"\x7f\""sv, ";a=\"\\\n\""sv, ";a\0"sv, ";;a"sv})
        EXPECT_TRUE(decode_chunked((std::string("5").append(extension) += "\r\n") += "hello\r\n0\r\n\r\n").failed)
            << extension;
}

TEST(BodyDecoderRfc9112, Section7_1_2_TrailersAreCheckedAndDropped) {
    for (const auto trailers : {"X: y\r\n"sv, "X:\r\n"sv, "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n"sv,
                                "X:POST /s HTTP/1.1\r\n"sv, "X: \xff\t\r\n"sv}) {
        const auto d = decode_chunked((std::string("5\r\nhello\r\n0\r\n") += trailers) += "\r\n");
        EXPECT_TRUE(d.finished) << trailers;
        EXPECT_EQ(d.content, "hello");
    }
    for (const auto trailers :
         {"XX\r\n"sv, "X T: a\r\n"sv, ": a\r\n"sv, " X: a\r\n"sv, "X: a\r\n b\r\n"sv, "X : a\r\n"sv,
          "X-T: a\nY: b\r\n"sv, "X-T: a\0b\r\n"sv, "X: a\rb\r\n"sv, "X: a\x7f\r\n"sv, "\n"sv})
        EXPECT_TRUE(decode_chunked((std::string("0\r\n") += trailers) += "\r\n").failed) << trailers;
}

TEST(BodyDecoderRfc9112, Section7_1_1_ExtensionsAndTrailersAreBoundedTogether) {
    std::string chunks;
    for (int i = 0; i < 20000; ++i) chunks += "1;" + std::string(46, 'x') + "\r\nZ\r\n";
    const auto many = decode_chunked(chunks + "0\r\n\r\n");
    EXPECT_TRUE(many.failed);
    EXPECT_LE(many.consumed, 24u * 1024);

    const std::string trailer(chunk_overhead_bytes_max - 6, 'x');  // "X:" CRLF, and the last CR counted
    EXPECT_TRUE(decode_chunked("0\r\nX:" + trailer + "\r\n\r\n").finished);
    EXPECT_TRUE(decode_chunked("0\r\nX:" + trailer + "x\r\n\r\n").failed);
    EXPECT_TRUE(decode_chunked("0;x\r\nX:" + trailer + "\r\n\r\n").failed);
}

TEST(BodyDecoderTest, AWholeMessageIsFinishedWithItsLastContent) {
    BodyDecoder decoder(BodyKind::chunked, 0);
    const auto step = decoder.step("5\r\nhello\r\n0\r\n\r\nrest");
    EXPECT_EQ(step.content, "hello");
    EXPECT_TRUE(step.finished);
    EXPECT_EQ(step.consumed, 15u);
}

TEST(BodyDecoderTest, WhatChunkHeadFramesComesBack) {
    EXPECT_TRUE(rc::check("round trip", [] {
        const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::nonEmpty<std::string>());
        std::string framed;
        std::string content;
        std::array<char, 20> line;
        for (const auto& piece : pieces) {
            ((framed += chunk_head(line, piece.size())) += piece) += "\r\n";
            content += piece;
        }
        const auto decoded = decode_chunked(framed += last_chunk);
        RC_ASSERT(decoded.finished);
        RC_ASSERT(decoded.content == content);
        RC_ASSERT(decoded.consumed == framed.size());
    }));
}

TEST(BodyRfc9112, Section7_1_WhatHasArrivedIsJudgedWithoutBeingTaken) {
    const BodyDecoder chunked(BodyKind::chunked, 0);
    for (const std::string_view fine : {"", "5", "5\r\nhel", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\nnot ours"})
        EXPECT_EQ(why_malformed(chunked, fine), "") << fine;
    for (const std::string_view wrong : {"x", "5\nhello", "5\r\nhello0", "2\r\nab\r\n+1\r\n"})
        EXPECT_NE(why_malformed(chunked, wrong), "") << wrong;
    EXPECT_EQ(why_malformed(BodyDecoder(BodyKind::length, 3), "abcdef"), "");
}

}  // namespace
}  // namespace etage::http
