#include "codec/stream.hpp"

#include "codec/sample_fixture.hpp"

#include <gtest/gtest.h>

namespace etage::codec {
namespace {

std::string encode_in(Format format, Effort effort, std::string_view content, std::size_t piece,
                      bool flushing = false) {
    StreamEncoder encoder = StreamEncoder::make(format, effort);
    std::string out;
    for (; !content.empty(); content.remove_prefix(std::min(piece, content.size()))) {
        EXPECT_TRUE(encoder.append(out, content.substr(0, piece)));
        EXPECT_TRUE(!flushing || encoder.flush(out));
    }
    EXPECT_TRUE(encoder.finish(out));
    return out;
}

Decoded decode_in(Format format, std::string_view encoded, std::size_t piece, DecodeLimits limits = no_bomb) {
    StreamDecoder decoder = StreamDecoder::make(format, limits);
    std::string out;
    for (; !encoded.empty(); encoded.remove_prefix(std::min(piece, encoded.size())))
        if (const auto done = decoder.append(out, encoded.substr(0, piece)); !done)
            return std::unexpected(done.error());
    if (!decoder.finished()) return std::unexpected(DecodeFault::corrupt);
    return out;
}

TEST(Stream, WhatIsEncodedInPiecesIsDecodedWholeAndInPieces) {
    const std::string content = prose(100000);
    for (const Format format : formats)
        for (const Effort effort : efforts)
            for (const std::size_t piece : {1000u, 16384u, 1000000u}) {
                const std::string encoded = encode_in(format, effort, content, piece);
                EXPECT_LT(encoded.size(), content.size() / 4) << format << effort;
                EXPECT_EQ(decode(format, encoded, no_bomb), content) << format << effort << piece;
                for (const std::size_t cut : {1u, 7u, 4096u, 1000000u})
                    EXPECT_EQ(decode_in(format, encoded, cut), content) << format << effort << piece << cut;
            }
}

TEST(Stream, WhatIsEncodedWholeIsDecodedInPieces) {
    const std::string content = prose(300000);
    for (const Format format : formats)
        for (const Effort effort : efforts) {
            const std::string encoded = *encode(format, content, effort);
            for (const std::size_t cut : {1u, 100u, 1000000u})
                EXPECT_EQ(decode_in(format, encoded, cut), content) << format << effort << cut;
        }
}

TEST(Stream, NothingIsAContentToo) {
    for (const Format format : formats)
        for (const Effort effort : efforts) {
            const std::string encoded = encode_in(format, effort, "", 1);
            EXPECT_FALSE(encoded.empty()) << format;
            EXPECT_EQ(decode(format, encoded, no_bomb), "") << format;
            EXPECT_EQ(decode_in(format, encoded, 1, {0, 1}), "") << format;
        }
}

TEST(Stream, WhatCannotBeCompressedPasses) {
    const std::string content = noise(300000);
    for (const Format format : formats)
        for (const Effort effort : efforts) {
            const std::string encoded = encode_in(format, effort, content, 10000);
            EXPECT_LT(encoded.size(), content.size() + 2000) << format << effort;
            EXPECT_EQ(decode_in(format, encoded, 999), content) << format << effort;
        }
}

TEST(Stream, AFlushBringsAllThatCameSoFar) {
    for (const Format format : formats)
        for (const Effort effort : efforts) {
            StreamEncoder encoder = StreamEncoder::make(format, effort);
            StreamDecoder decoder = StreamDecoder::make(format, no_bomb);
            std::string content, decoded;
            for (int i = 0; i < 50; ++i) {
                std::string out;
                const std::string line = "{\"event\":" + std::to_string(i) + "}\n";
                content += line;
                ASSERT_TRUE(encoder.append(out, line));
                ASSERT_TRUE(encoder.flush(out));
                ASSERT_TRUE(decoder.append(decoded, out));
                ASSERT_EQ(decoded, content) << format << effort;
                EXPECT_FALSE(decoder.finished()) << format << effort;
            }
            std::string out;
            ASSERT_TRUE(encoder.finish(out));
            ASSERT_TRUE(decoder.append(decoded, out));
            EXPECT_EQ(decoded, content);
            EXPECT_TRUE(decoder.finished()) << format << effort;
        }
}

TEST(Stream, FlushesAreHarmlessAnywhere) {
    for (const Format format : formats) {
        StreamEncoder encoder = StreamEncoder::make(format, Effort::fast);
        std::string out;
        EXPECT_TRUE(encoder.flush(out));
        EXPECT_TRUE(encoder.flush(out));
        EXPECT_TRUE(encoder.append(out, "one "));
        EXPECT_TRUE(encoder.append(out, ""));
        EXPECT_TRUE(encoder.flush(out));
        EXPECT_TRUE(encoder.flush(out));
        EXPECT_TRUE(encoder.append(out, "two"));
        EXPECT_TRUE(encoder.finish(out));
        EXPECT_EQ(decode(format, out, no_bomb), "one two") << format;
    }
}

TEST(Stream, AfterTheEndNothingIsAppended) {
    for (const Format format : formats) {
        StreamEncoder encoder = StreamEncoder::make(format, Effort::fast);
        std::string out;
        EXPECT_TRUE(encoder.finish(out));
        const std::string before = out;
        EXPECT_FALSE(encoder.append(out, "more"));
        EXPECT_FALSE(encoder.flush(out));
        EXPECT_FALSE(encoder.finish(out));
        EXPECT_EQ(out, before);
    }
}

TEST(Stream, IsAppendedToWhatIsThere) {
    for (const Format format : formats) {
        StreamEncoder encoder = StreamEncoder::make(format, Effort::fast);
        std::string encoded = "head";
        ASSERT_TRUE(encoder.append(encoded, prose(5000)));
        ASSERT_TRUE(encoder.finish(encoded));
        ASSERT_TRUE(encoded.starts_with("head"));
        StreamDecoder decoder = StreamDecoder::make(format, no_bomb);
        std::string out = "head";
        ASSERT_TRUE(decoder.append(out, std::string_view(encoded).substr(4)));
        EXPECT_EQ(out, "head" + prose(5000)) << format;
    }
}

TEST(Stream, GoesOnAfterItWasMoved) {
    for (const Format format : formats) {
        StreamEncoder first = StreamEncoder::make(format, Effort::fast);
        std::string encoded;
        ASSERT_TRUE(first.append(encoded, "one "));
        StreamEncoder second = std::move(first);
        ASSERT_TRUE(second.append(encoded, "two"));
        ASSERT_TRUE(second.finish(encoded));
        StreamDecoder begun = StreamDecoder::make(format, no_bomb);
        std::string out;
        ASSERT_TRUE(begun.append(out, encoded.substr(0, 3)));
        StreamDecoder other = std::move(begun);
        ASSERT_TRUE(other.append(out, encoded.substr(3)));
        EXPECT_TRUE(other.finished());
        EXPECT_EQ(out, "one two") << format;
    }
}

TEST(Stream, WhatIsCutShortIsNotFinished) {
    for (const Format format : formats) {
        const std::string encoded = encode_in(format, Effort::fast, prose(3000), 500, true);
        StreamDecoder decoder = StreamDecoder::make(format, no_bomb);
        std::string out;
        for (const char& byte : encoded) {
            EXPECT_FALSE(decoder.finished()) << format;
            ASSERT_TRUE(decoder.append(out, {&byte, 1})) << format;
        }
        EXPECT_TRUE(decoder.finished()) << format;
    }
}

TEST(Stream, AFaultIsTheLastWord) {
    for (const Format format : formats) {
        StreamDecoder decoder = StreamDecoder::make(format, no_bomb);
        std::string out;
        EXPECT_EQ(decoder.append(out, std::string(64, '\xff')).error(), DecodeFault::corrupt) << format;
        EXPECT_EQ(decoder.append(out, *encode(format, prose(5000), Effort::fast)).error(), DecodeFault::corrupt);
        EXPECT_EQ(decoder.append(out, "").error(), DecodeFault::corrupt);
        EXPECT_FALSE(decoder.finished());
        EXPECT_EQ(out, "") << format;
    }
}

TEST(Stream, EmptyPiecesChangeNothing) {
    for (const Format format : formats) {
        const std::string encoded = *encode(format, prose(1000), Effort::fast);
        StreamDecoder decoder = StreamDecoder::make(format, no_bomb);
        std::string out;
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(decoder.append(out, "")) << format;
        ASSERT_TRUE(decoder.append(out, encoded.substr(0, 20)));
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(decoder.append(out, "")) << format;
        ASSERT_TRUE(decoder.append(out, encoded.substr(20)));
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(decoder.append(out, "")) << format;
        EXPECT_TRUE(decoder.finished());
        EXPECT_EQ(out, prose(1000)) << format;
    }
}

TEST(StreamRfc1952, Section2_2_MembersAndFramesMayFollowOneAnother) {
    for (const Format format : {Format::gzip, Format::zstd}) {
        const std::string one = *encode(format, prose(2000), Effort::fast);
        StreamDecoder decoder = StreamDecoder::make(format, no_bomb);
        std::string out;
        ASSERT_TRUE(decoder.append(out, one));
        EXPECT_TRUE(decoder.finished()) << format;
        ASSERT_TRUE(decoder.append(out, one.substr(0, 2)));
        EXPECT_FALSE(decoder.finished()) << format;
        ASSERT_TRUE(decoder.append(out, one.substr(2)));
        EXPECT_TRUE(decoder.finished()) << format;
        EXPECT_EQ(out, prose(2000) + prose(2000)) << format;
        EXPECT_FALSE(decoder.append(out, "something else")) << format;
    }
    StreamDecoder decoder = StreamDecoder::make(Format::brotli, no_bomb);
    std::string out;
    ASSERT_TRUE(decoder.append(out, *encode(Format::brotli, prose(2000), Effort::fast)));
    ASSERT_TRUE(decoder.append(out, ""));
    EXPECT_TRUE(decoder.finished());
    EXPECT_EQ(decoder.append(out, "x").error(), DecodeFault::corrupt);
}

TEST(StreamLimits, ABombStopsAtTheCap) {
    const std::string zeros(32 << 20, '\0');
    for (const Format format : formats) {
        const std::string bomb = *encode(format, zeros, Effort::fast);
        for (const std::size_t piece : {std::size_t{100}, bomb.size()})
            for (const std::size_t cap : {std::size_t{0}, std::size_t{5000}, std::size_t{2} << 20}) {
                StreamDecoder decoder = StreamDecoder::make(format, {cap, 100'000});
                std::string out;
                std::optional<DecodeFault> fault;
                for (std::string_view rest = bomb; !rest.empty() && !fault;
                     rest.remove_prefix(std::min(piece, rest.size())))
                    if (const auto done = decoder.append(out, rest.substr(0, piece)); !done) fault = done.error();
                EXPECT_EQ(fault, DecodeFault::too_large) << format << cap;
                EXPECT_EQ(out.size(), cap) << format << piece;
                EXPECT_LE(out.capacity(), cap * 2 + (64 << 10)) << format << cap;
            }
        EXPECT_EQ(decode_in(format, bomb, 100, {plenty, 50}).error(), DecodeFault::too_large) << format;
    }
}

TEST(StreamLimits, WhatJustFitsPasses) {
    const std::string content = prose(70000);
    for (const Format format : formats) {
        const std::string encoded = *encode(format, content, Effort::fast);
        for (const std::size_t piece : {1u, 100u, 100000u}) {
            EXPECT_EQ(decode_in(format, encoded, piece, {70000, 100}), content) << format << piece;
            EXPECT_EQ(decode_in(format, encoded, piece, {69999, 100}).error(), DecodeFault::too_large)
                << format << piece;
        }
    }
}

TEST(StreamLimits, AStepMakesNoMoreThanThereIsRoomFor) {
    const std::string content = prose(20000) + std::string(200000, 'a');
    for (const Format format : formats)
        for (const std::size_t room : {1u, 100u, 65536u, 10000000u}) {
            const std::string encoded = *encode(format, content, Effort::fast);
            StreamDecoder decoder = StreamDecoder::make(format, {content.size(), 2000});
            std::string out;
            std::string_view rest = encoded;
            for (bool more = true; more;) {
                const std::size_t before = out.size();
                const auto step = decoder.step(out, rest, room);
                ASSERT_TRUE(step) << format << room;
                ASSERT_LE(out.size(), before + room) << format;
                rest.remove_prefix(step->consumed);
                more = step->more;
            }
            EXPECT_TRUE(rest.empty()) << format;
            EXPECT_TRUE(decoder.finished()) << format;
            EXPECT_EQ(out, content) << format << room;
        }
}

TEST(StreamProperty, RandomCutsAndFlushes) {
    ASSERT_TRUE(rc::check([] {
        const std::string content = any_content();
        const Format format = any_format();
        StreamEncoder encoder = StreamEncoder::make(format, any_effort());
        StreamDecoder decoder = StreamDecoder::make(format, no_bomb);
        std::string all, decoded;
        for (std::string_view rest = content; !rest.empty();) {
            const std::size_t piece = *rc::gen::inRange<std::size_t>(1, rest.size() + 1);
            std::string out;
            RC_ASSERT(encoder.append(out, rest.substr(0, piece)));
            rest.remove_prefix(piece);
            const bool flushes = *rc::gen::element(true, false);
            if (flushes) RC_ASSERT(encoder.flush(out));
            RC_ASSERT(decoder.append(decoded, out).has_value());
            const bool arrived =
                !flushes || decoded == std::string_view(content).substr(0, content.size() - rest.size());
            RC_ASSERT(arrived);
            all += out;
        }
        std::string end;
        RC_ASSERT(encoder.finish(end));
        RC_ASSERT(decoder.append(decoded, end).has_value());
        RC_ASSERT(decoder.finished());
        RC_ASSERT(decoded == content);
        RC_ASSERT(decode(format, all + end, no_bomb).value() == content);
        RC_ASSERT(decode_in(format, all + end, *rc::gen::inRange<std::size_t>(1, 50)).value() == content);
    }));
}

TEST(StreamProperty, DamageEndsAlikeHoweverItArrives) {
    const std::string content = prose(3000);
    ASSERT_TRUE(rc::check([&] {
        const Format format = any_format();
        std::string damaged = encode_in(format, Effort::fast, content, 700, true);
        for (int times = *rc::gen::inRange(1, 4); times > 0; --times) {
            const auto at = *rc::gen::inRange<std::size_t>(0, damaged.size());
            damaged[at] = static_cast<char>(damaged[at] ^ *rc::gen::inRange(1, 256));
        }
        const DecodeLimits limits{100'000, 10};
        const auto whole = decode_in(format, damaged, damaged.size(), limits);
        const auto bytes = decode_in(format, damaged, 1, limits);
        RC_ASSERT(whole.has_value() == bytes.has_value());
        if (!whole) return;
        RC_ASSERT(*whole == *bytes);
        const bool harmless = *whole == content || format == Format::brotli;
        RC_ASSERT(harmless);
    }));
}

}  // namespace
}  // namespace etage::codec
