#include "policy/targeted.hpp"

#include "policy/test_messages.hpp"

namespace etage::policy {
namespace {

GoverningDirectives governing(FieldPairs pairs) {
    // The views of the result are not looked at: the fields are gone by then.
    const auto fields = fields_of(pairs);
    return governing_directives(fields, http::parse_response_cache_control(fields));
}

http::ResponseCacheControl cdn(std::string_view value) {
    const auto result = governing({{"CDN-Cache-Control", value}});
    EXPECT_TRUE(result.targeted) << value;
    return result.cc;
}

TEST(TargetedRfc9213, Section2_2_TheFirstOfTheTargetListThatIsValidAndNotEmpty) {
    const auto first = governing({{"CDN-Cache-Control", "max-age=1"}, {"Etage-Cache-Control", "max-age=2"}});
    EXPECT_TRUE(first.targeted);
    EXPECT_EQ(first.cc.max_age, 2);
    EXPECT_EQ(governing({{"CDN-Cache-Control", "max-age=1"}, {"Etage-Cache-Control", ""}}).cc.max_age, 1);
    EXPECT_EQ(governing({{"CDN-Cache-Control", "max-age=1"}, {"Etage-Cache-Control", "max-age=2,"}}).cc.max_age, 1);
}

TEST(TargetedRfc9213, Section2_2_OtherwiseCacheControl) {
    for (const char* value : {"", "  ", "max-age=1;", "Max-Age=1", "max-age = 1", "&"}) {
        const auto result = governing({{"CDN-Cache-Control", value}, {"Cache-Control", "max-age=7, no-cache"}});
        EXPECT_FALSE(result.targeted) << value;
        EXPECT_EQ(result.cc.max_age, 7) << value;
        EXPECT_TRUE(result.cc.no_cache) << value;
    }
}

TEST(TargetedRfc9213, Section2_2_CacheControlIsIgnoredThen) {
    const auto result = governing({{"CDN-Cache-Control", "max-age=1"}, {"Cache-Control", "no-store, s-maxage=9"}});
    EXPECT_FALSE(result.cc.no_store);
    EXPECT_FALSE(result.cc.s_maxage);
}

TEST(TargetedRfc9213, Section2_1_EveryDirectiveWeKnow) {
    const auto cc =
        cdn("max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4, no-cache, no-store, "
            "no-transform, private, must-revalidate, proxy-revalidate, public, must-understand, immutable, x=y");
    EXPECT_EQ(cc.max_age, 1);
    EXPECT_EQ(cc.s_maxage, 2);
    EXPECT_EQ(cc.stale_while_revalidate, 3);
    EXPECT_EQ(cc.stale_if_error, 4);
    EXPECT_TRUE(cc.no_cache && cc.no_store && cc.no_transform && cc.is_private);
    EXPECT_TRUE(cc.must_revalidate && cc.proxy_revalidate);
    EXPECT_TRUE(cc.is_public && cc.must_understand && cc.immutable);
}

TEST(TargetedRfc9213, Section2_1_ParametersAreIgnored) { EXPECT_EQ(cdn("max-age=5;x=1, no-store=?0;y").max_age, 5); }

TEST(TargetedRfc9651, Section3_3_6_FalseIsFalse) {
    const auto cc = cdn("no-store=?0, private=?0, public=?0, max-age=1");
    EXPECT_FALSE(cc.no_store || cc.is_private || cc.is_public);
}

TEST(TargetedRfc9651, Section3_2_OfTheSameKeyTheLastCounts) {
    EXPECT_EQ(cdn("max-age=1, max-age=2").max_age, 2);
    EXPECT_FALSE(cdn("no-store, no-store=?0").no_store);
}

TEST(Targeted, AValueOfTheWrongTypeRestricts) {
    EXPECT_EQ(cdn("max-age=\"10000\"").max_age, 0);
    EXPECT_EQ(cdn("max-age=-1").max_age, 0);
    EXPECT_EQ(cdn("max-age=1.5").max_age, 0);
    EXPECT_EQ(cdn("max-age").max_age, 0);
    EXPECT_TRUE(cdn("no-cache=\"set-cookie\"").no_cache);
    EXPECT_TRUE(cdn("private=(a b)").is_private);
    EXPECT_FALSE(cdn("public=1").is_public);
}

TEST(Targeted, LargeNumbersAreClamped) { EXPECT_EQ(cdn("max-age=999999999999999").max_age, std::int64_t{1} << 31); }

TEST(TargetedRfc9651, Section4_2_SeveralLinesAreOneDictionary) {
    const auto cc = governing({{"CDN-Cache-Control", "max-age=1"}, {"CDN-Cache-Control", "must-revalidate"}}).cc;
    EXPECT_EQ(cc.max_age, 1);
    EXPECT_TRUE(cc.must_revalidate);
    EXPECT_FALSE(governing({{"CDN-Cache-Control", "max-age=1"}, {"CDN-Cache-Control", "&"}}).targeted);
}

// ---- Surrogate-Control (Edge Architecture, W3C Note 2001)

http::ResponseCacheControl surrogate(std::string_view value) {
    return governing({{"Surrogate-Control", value}, {"Cache-Control", "max-age=7"}}).cc;
}

TEST(SurrogateControl, GovernsInsteadOfCacheControl) {
    const auto result = governing({{"Surrogate-Control", "max-age=60"}, {"Cache-Control", "no-store"}});
    EXPECT_TRUE(result.targeted);
    EXPECT_EQ(result.cc.max_age, 60);
    EXPECT_FALSE(result.cc.no_store);
    EXPECT_TRUE(surrogate("no-store").no_store);
    EXPECT_EQ(surrogate("foobar, MaX-aGe=60").max_age, 60);
}

TEST(SurrogateControl, ANewerTargetedFieldBeatsIt) {
    EXPECT_EQ(governing({{"Surrogate-Control", "max-age=60"}, {"CDN-Cache-Control", "max-age=5"}}).cc.max_age, 5);
}

TEST(SurrogateControl, ATargetDecidesForWhomADirectiveIs) {
    EXPECT_EQ(surrogate("max-age=60;etage").max_age, 60);
    EXPECT_EQ(surrogate("max-age=60; Etage").max_age, 60);
    EXPECT_EQ(surrogate("max-age=60;not-for-you").max_age, 7);
    EXPECT_EQ(surrogate("max-age=60;not-for-you, max-age=9;etage").max_age, 9);
    EXPECT_FALSE(surrogate("no-store;not-for-you").no_store);
}

TEST(SurrogateControl, TheSecondNumberIsAWindow) {
    EXPECT_EQ(surrogate("max-age=60+30").max_age, 60);
    EXPECT_EQ(surrogate("max-age=60+30").stale_while_revalidate, 30);
}

TEST(SurrogateControl, WhatIsMalformedIsNotThereOrRestricts) {
    for (const char* value : {"max-age =60", "max-age= 60", "max-age=", "max-age", "", "content=\"ESI/1.0\""})
        EXPECT_EQ(surrogate(value).max_age, 7) << value;
    EXPECT_EQ(surrogate("max-age=abc").max_age, 0);
}

}  // namespace
}  // namespace etage::policy
