#include <gtest/gtest.h>
#include <etage/verdict.hpp>

#include <cctype>
#include <set>

namespace etage {
namespace {

bool is_token(std::string_view s) {
    for (const char c : s)
        if (std::islower(c) == 0 && c != '-') return false;
    return !s.empty();
}

TEST(VerdictRfc9211, Section2_2_TheForwardWordsAreTheRegisteredOnes) {
    EXPECT_EQ(forward_name(Forward::none), "none");
    EXPECT_EQ(forward_name(Forward::bypass), "bypass");
    EXPECT_EQ(forward_name(Forward::method), "method");
    EXPECT_EQ(forward_name(Forward::uri_miss), "uri-miss");
    EXPECT_EQ(forward_name(Forward::vary_miss), "vary-miss");
    EXPECT_EQ(forward_name(Forward::request), "request");
    EXPECT_EQ(forward_name(Forward::stale), "stale");
    EXPECT_EQ(forward_name(Forward::partial), "partial");
    EXPECT_EQ(forward_count, 8U);
}

TEST(VerdictRfc9211, Section2_8_EveryDetailIsATokenOfItsOwn) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < detail_count; ++i) {
        const std::string_view name = detail_name(static_cast<Detail>(i));
        EXPECT_TRUE(is_token(name)) << name;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_EQ(detail_name(Detail::none), "none");
    EXPECT_EQ(detail_name(Detail::private_), "private");
    EXPECT_EQ(detail_name(Detail::request_max_stale), "max-stale");
    EXPECT_EQ(detail_name(Detail::bad_request), "bad-request");
}

TEST(Verdict, NothingHasHappenedYet) {
    const Verdict v;
    EXPECT_FALSE(v.hit || v.stored || v.collapsed || v.has_ttl);
    EXPECT_EQ(v.forward, Forward::none);
    EXPECT_EQ(v.detail, Detail::none);
    EXPECT_EQ(v.forward_status, 0);
}

}  // namespace
}  // namespace etage
