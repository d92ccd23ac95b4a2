#include "codec/brotli.hpp"

#include "codec/sample_fixture.hpp"

#include <gtest/gtest.h>

namespace etage::codec {
namespace {

using namespace std::string_literals;

/// Made by libbrotli 1.0.9: "hello\n".
const std::string hello = "\x8b\x02\x80hello\n\x03"s;

Decoded whole(std::string_view encoded) { return decode(Format::brotli, encoded, no_bomb); }

TEST(BrotliRfc7932, Section9_ReadsWhatOthersWrite) {
    EXPECT_EQ(whole(hello), "hello\n");
    EXPECT_EQ(whole("\x06"), "");
    EXPECT_EQ(whole("").error(), DecodeFault::corrupt);
}

TEST(BrotliRfc7932, Section9_NothingFollowsTheStream) {
    EXPECT_EQ(whole(hello + hello).error(), DecodeFault::corrupt);
    EXPECT_EQ(whole(hello + '\0').error(), DecodeFault::corrupt);
    EXPECT_EQ(whole("\x06\x06").error(), DecodeFault::corrupt);
}

TEST(BrotliRfc7932, Section9_1_LargeWindowsAreNotOfThisFormat) {
    // Made by libbrotli 1.0.9 with BROTLI_PARAM_LARGE_WINDOW, 2^28 bytes.
    const std::string large =
        "\x11\x5c\x5c\x00\xe0\x37\x52\xba\x79\x13\x55\x19\x5a\x2b\x80\xb0\xbd\x29\x45\xe4\x89\x03\x74\xb5\x00"s;
    EXPECT_EQ(whole(large).error(), DecodeFault::corrupt);
}

TEST(Brotli, SmallBodiesTakeTheDensestQuality) {
    const std::string content = prose(20000);
    EXPECT_LT(brotli(content, Effort::strong)->size() * 100, brotli(content, Effort::fast)->size() * 92);
}

}  // namespace
}  // namespace etage::codec
