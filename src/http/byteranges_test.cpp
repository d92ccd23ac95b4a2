#include "http/byteranges.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace etage::http {
namespace {

/// The whole content.
std::string content(const Byteranges& parts, std::string_view representation, const std::vector<ByteRange>& ranges) {
    std::string out;
    for (const ByteRange& range : ranges) {
        parts.append_head(out, range, &range == ranges.data());
        out += representation.substr(range.first, range.size());
    }
    parts.append_end(out);
    return out;
}

TEST(ByterangesRfc9110, Section14_6_HeadsPartsAndEnd) {
    const Byteranges parts(0x0123456789abcdef, "text/plain", 10);
    EXPECT_EQ(parts.boundary(), "etg.fedcba9876543210");
    EXPECT_EQ(parts.media_type(), "multipart/byteranges; boundary=etg.fedcba9876543210");
    EXPECT_EQ(content(parts, "0123456789", {{0, 1}, {7, 9}}),
              "--etg.fedcba9876543210\r\n"
              "Content-Type: text/plain\r\n"
              "Content-Range: bytes 0-1/10\r\n"
              "\r\n"
              "01\r\n"
              "--etg.fedcba9876543210\r\n"
              "Content-Type: text/plain\r\n"
              "Content-Range: bytes 7-9/10\r\n"
              "\r\n"
              "789\r\n"
              "--etg.fedcba9876543210--\r\n");
}

TEST(ByterangesRfc9110, Section14_6_WithoutATypeThePartsHaveNone) {
    EXPECT_EQ(content(Byteranges(0, "", 3), "abc", {{1, 1}}),
              "--etg.0000000000000000\r\nContent-Range: bytes 1-1/3\r\n\r\nb\r\n--etg.0000000000000000--\r\n");
}

TEST(ByterangesTest, ALengthThatDoesNotFitIsNone) {
    const Byteranges parts(1, "", RangeSpec::to_the_end);
    const std::vector<ByteRange> ranges = {{0, RangeSpec::to_the_end - 2}};
    EXPECT_EQ(parts.content_length(ranges), std::nullopt);
}

TEST(ByterangesProperty, TheLengthIsKnownBefore) {
    ASSERT_TRUE(rc::check([](std::uint64_t bits) {
        const std::string representation(static_cast<std::size_t>(*rc::gen::inRange(1, 2000)), 'x');
        const auto type = *rc::gen::element<std::string>("", "a/b", "application/json; charset=utf-8");
        const int end = static_cast<int>(representation.size());
        std::vector<ByteRange> ranges;
        for (int left = *rc::gen::inRange(1, 5); left > 0; --left) {
            const int first = *rc::gen::inRange(0, end);
            ranges.push_back(
                {static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(*rc::gen::inRange(first, end))});
        }
        const Byteranges parts(bits, type, representation.size());
        RC_ASSERT(parts.content_length(ranges) == content(parts, representation, ranges).size());
    }));
}

TEST(ByterangesProperty, DifferentBitsAreDifferentBoundaries) {
    ASSERT_TRUE(rc::check([](std::uint64_t a, std::uint64_t b) {
        RC_ASSERT((Byteranges(a, "", 1).boundary() == Byteranges(b, "", 1).boundary()) == (a == b));
    }));
}

}  // namespace
}  // namespace etage::http
