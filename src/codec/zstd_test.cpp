#include "codec/zstd.hpp"

#include "codec/sample_fixture.hpp"
#include "codec/stream.hpp"

#include <gtest/gtest.h>

namespace etage::codec {
namespace {

using namespace std::string_literals;

const std::string magic = "\x28\xb5\x2f\xfd"s;
const std::string hello_block = "\x31\x00\x00hello\n"s;  // the last one, raw, 6 bytes
/// A frame of one segment that says its size.
const std::string hello = magic + "\x20\x06"s + hello_block;
/// The same without content.
const std::string empty = magic + "\x20\x00\x01\x00\x00"s;
const std::string skippable = "\x5a\x2a\x4d\x18\x03\x00\x00\x00xyz"s;

Decoded whole(std::string_view encoded) { return decode(Format::zstd, encoded, no_bomb); }

/// Byte by byte, so that no frame ever comes in one piece.
Decoded in_bytes(std::string_view encoded) {
    StreamDecoder decoder = StreamDecoder::make(Format::zstd, no_bomb);
    std::string out;
    for (const char& byte : encoded)
        if (const auto done = decoder.append(out, {&byte, 1}); !done) return std::unexpected(done.error());
    if (!decoder.finished()) return std::unexpected(DecodeFault::corrupt);
    return out;
}

void expect(std::string_view encoded, const Decoded& wanted, int line) {
    EXPECT_EQ(whole(encoded), wanted) << "line " << line;
    EXPECT_EQ(in_bytes(encoded), wanted) << "line " << line;
}

Decoded fault(DecodeFault what) { return std::unexpected(what); }

TEST(ZstdRfc8878, Section3_ReadsWhatOthersWrite) {
    expect(hello, "hello\n", __LINE__);
    expect(empty, "", __LINE__);
    // By zstd(1) 1.5.4 from a pipe: with a checksum, without a size.
    expect(magic + "\x04\x58"s + hello_block + "\x53\x88\xbd\x91"s, "hello\n", __LINE__);
    expect(magic + "\x04\x58"s + hello_block + "\x53\x88\xbd\x90"s, fault(DecodeFault::corrupt), __LINE__);
}

TEST(ZstdRfc8878, Section3_ABodyIsOneFrameOrMore) {
    expect("", fault(DecodeFault::corrupt), __LINE__);
    expect(hello + hello, "hello\nhello\n", __LINE__);
    expect(hello + empty + hello, "hello\nhello\n", __LINE__);
    expect(hello + "x", fault(DecodeFault::corrupt), __LINE__);
    expect(hello + hello.substr(0, 9), fault(DecodeFault::corrupt), __LINE__);
    expect(hello + std::string(16, '\0'), fault(DecodeFault::corrupt), __LINE__);
}

TEST(ZstdRfc8878, Section3_1_2_SkippableFramesAreSkipped) {
    expect(skippable + hello + skippable + hello, "hello\nhello\n", __LINE__);
    expect(skippable, "", __LINE__);
    expect("\x50\x2a\x4d\x18\x00\x00\x00\x00"s + hello, "hello\n", __LINE__);
    for (std::size_t bytes = 1; bytes < skippable.size(); ++bytes)
        expect(hello + skippable.substr(0, bytes), fault(DecodeFault::corrupt), __LINE__);
}

TEST(ZstdRfc8878, Section3_1_1_1_1_2_ASegmentIsItsOwnWindow) {
    expect(magic + "\xa0\x01\x00\x80\x00"s + hello_block, fault(DecodeFault::too_large), __LINE__);  // 8 MiB and a byte
}

TEST(ZstdRfc9659, Section3_AWindowIsEightMebibytesAtMost) {
    expect(magic + "\x00\x68"s + hello_block, "hello\n", __LINE__);
    expect(magic + "\x00\x69"s + hello_block, fault(DecodeFault::too_large), __LINE__);  // 9 MiB
    // Also when the content is known to be small, and there as a whole.
    expect(magic + "\x80\x68\x06\0\0\0"s + hello_block, "hello\n", __LINE__);
    expect(magic + "\x80\x69\x06\0\0\0"s + hello_block, fault(DecodeFault::too_large), __LINE__);
}

TEST(ZstdRfc9659, Section3_OurFramesKeepToIt) {
    const std::string content = std::string(20 << 20, 'a');
    for (const Effort effort : efforts) {
        const std::string encoded = *zstd(content, effort);
        const unsigned descriptor = static_cast<std::uint8_t>(encoded[4]);
        EXPECT_EQ(descriptor & 0x20, 0u) << "a single segment would be a window of 20 MiB";
        EXPECT_LE(static_cast<std::uint8_t>(encoded[5]), 0x68) << effort;
        EXPECT_EQ(descriptor & 0x04, 0x04u) << "a checksum";
        EXPECT_EQ(zstd_claimed_size(encoded), content.size()) << effort;
    }
}

TEST(Zstd, FramesFromBeforeTheFormatWasDoneAreNone) {
    for (const char first : {'\x22', '\x23', '\x24', '\x25', '\x26', '\x27'})
        expect(first + hello.substr(1), fault(DecodeFault::corrupt), __LINE__);
    expect("\x1e\xb5\x2f\xfd"s + hello.substr(4), fault(DecodeFault::corrupt), __LINE__);
}

TEST(ZstdRfc8878, Section3_1_1_1_ReservedBitAndDictionariesAreRefused) {
    expect(magic + "\x28\x06"s + hello_block, fault(DecodeFault::corrupt), __LINE__);
    expect(magic + "\x21\x07\x06"s + hello_block, fault(DecodeFault::corrupt), __LINE__);
    expect(magic + "\x21\x00\x06"s + hello_block, "hello\n", __LINE__);  // dictionary 0: none
}

TEST(ZstdRfc8878, Section3_1_1_1_4_TheSizeMustBeTrue) {
    expect(magic + "\x20\x05"s + hello_block, fault(DecodeFault::corrupt), __LINE__);
    expect(magic + "\x20\x07"s + hello_block, fault(DecodeFault::corrupt), __LINE__);
    EXPECT_EQ(zstd_claimed_size(hello), 6u);
    EXPECT_EQ(zstd_claimed_size(magic + "\x00\x68"s + hello_block), std::nullopt);
    EXPECT_EQ(zstd_claimed_size("hello"), std::nullopt);
    EXPECT_EQ(zstd_claimed_size(""), std::nullopt);
}

TEST(Zstd, RunsOfOneByteAreABomb) {
    // 64 blocks of 128 KiB, four bytes each.
    std::string bomb = magic + "\x00\x68"s;
    for (int i = 0; i < 64; ++i) bomb += "\x02\x00\x10z"s;
    bomb += "\x01\x00\x00"s;
    EXPECT_EQ(decode(Format::zstd, bomb, {plenty, 100'000}).value_or("").size(), std::size_t{8} << 20);
    EXPECT_EQ(decode(Format::zstd, bomb, {100'000, 100'000}).error(), DecodeFault::too_large);
    EXPECT_EQ(decode(Format::zstd, bomb, {plenty, 100}).error(), DecodeFault::too_large);

    StreamDecoder decoder = StreamDecoder::make(Format::zstd, {plenty, 100});
    std::string out;
    EXPECT_EQ(decoder.append(out, bomb).error(), DecodeFault::too_large);
    EXPECT_EQ(out.size(), ratio_free_bytes);
    EXPECT_FALSE(decoder.finished());
}

}  // namespace
}  // namespace etage::codec
