#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace etage::base {
namespace {

TEST(Bytes, HoldsWhatItWasGivenWithoutCopying) {
    std::string content(1000, 'x');
    const char* const where = content.data();
    const Ref<const Bytes> bytes = make_bytes(std::move(content));
    EXPECT_EQ(bytes->size(), 1000U);
    EXPECT_EQ(bytes->view().data(), where);
}

TEST(Bytes, ViewsLiveAsLongAsAnyReference) {
    Ref<const Bytes> a = make_bytes("a text that is longer than a small string's buffer");
    const Ref<const Bytes> b = a;
    const std::string_view view = a->view();
    a = nullptr;
    EXPECT_EQ(view, b->view());
    EXPECT_EQ(view, "a text that is longer than a small string's buffer");
}

TEST(Bytes, AreBinary) {
    using namespace std::string_view_literals;
    EXPECT_EQ(make_bytes(std::string("a\0b\xff"sv))->view(), "a\0b\xff"sv);
    EXPECT_EQ(make_bytes("")->size(), 0U);
}

TEST(Bytes, TheFootprintIsTheObjectAndItsContent) {
    EXPECT_GE(make_bytes(std::string(5000, 'x'))->footprint(), 5000U + sizeof(Bytes));
    EXPECT_LE(make_bytes(std::string(5000, 'x'))->footprint(), 5100U + sizeof(Bytes));
    EXPECT_LE(make_bytes("")->footprint(), sizeof(Bytes) + 16);
}

TEST(Bytes, GivesBackWhatABufferReservedInVain) {
    std::string content;
    content.reserve(100'000);
    content.assign(1000, 'x');
    EXPECT_LE(make_bytes(std::move(content))->footprint(), 1200U);
}

}  // namespace
}  // namespace etage::base
