#include "http/cache_control.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace etage::http {
namespace {

constexpr Seconds delta_max = 2147483648;

Fields lines(std::vector<std::string> values, FieldId id = FieldId::cache_control) {
    Fields out;
    out.add("X-First", "no-store");
    for (const std::string& value : values) out.add(id, value);
    return out;
}

/// The directives, with the fields that the views borrow from kept alive.
struct Response : ResponseCacheControl {
    explicit Response(std::vector<std::string> values)
        : ResponseCacheControl(parse_response_cache_control(kept = lines(std::move(values)))) {}
    inline static thread_local Fields kept;
};

RequestCacheControl request(std::vector<std::string> values) {
    return parse_request_cache_control(lines(std::move(values)));
}

TEST(CacheControlRfc9111, Section5_2_2_EveryResponseDirective) {
    const Response cc(
        {"max-age=60, s-maxage=120, no-store, no-transform, must-revalidate, proxy-revalidate, public, "
         "private, no-cache, must-understand, immutable, stale-while-revalidate=30, stale-if-error=600"});
    EXPECT_TRUE(cc.present);
    EXPECT_EQ(cc.max_age, 60);
    EXPECT_EQ(cc.s_maxage, 120);
    EXPECT_EQ(cc.stale_while_revalidate, 30);
    EXPECT_EQ(cc.stale_if_error, 600);
    EXPECT_TRUE(cc.no_store && cc.no_transform && cc.must_revalidate && cc.proxy_revalidate && cc.is_public);
    EXPECT_TRUE(cc.is_private && cc.no_cache && cc.must_understand && cc.immutable);
    EXPECT_EQ(cc.private_fields, "");
    EXPECT_EQ(cc.no_cache_fields, "");
}

TEST(CacheControlRfc9111, Section5_2_NothingSaidIsNothingSet) {
    EXPECT_FALSE(Response({}).present);
    for (const char* value : {"", " ", ",", ", ,\t,", "=", "=5", "foo", "foo=bar", "foo=\"max-age=3600, no-store\"",
                              "max_age=60", "maxage=60", "nostore", "no-stores", "x-no-store", "max-age-x=5"}) {
        const Response cc({value});
        EXPECT_TRUE(cc.present) << value;
        EXPECT_FALSE(cc.no_cache || cc.no_store || cc.no_transform || cc.is_private || cc.is_public || cc.immutable ||
                     cc.must_revalidate || cc.proxy_revalidate || cc.must_understand)
            << value;
        EXPECT_FALSE(cc.max_age || cc.s_maxage || cc.stale_while_revalidate || cc.stale_if_error) << value;
    }
}

TEST(CacheControlRfc9111, Section5_2_NamesAreComparedWithoutCase) {
    const Response cc({"Max-Age=1, S-MAXAGE=2, NO-STORE, Private=\"Set-Cookie\", Stale-While-Revalidate=3"});
    EXPECT_EQ(cc.max_age, 1);
    EXPECT_EQ(cc.s_maxage, 2);
    EXPECT_TRUE(cc.no_store);
    EXPECT_EQ(cc.private_fields, "Set-Cookie");
    EXPECT_EQ(cc.stale_while_revalidate, 3);
}

TEST(CacheControlRfc9111, Section5_2_ArgumentsAreTokensOrQuotedStrings) {
    EXPECT_EQ(Response({"max-age=\"60\""}).max_age, 60);
    EXPECT_EQ(Response({"foo=\"max-age=3600\", max-age=5"}).max_age, 5);
    EXPECT_EQ(Response({"max-age=5, foo=\"max-age=1, x\\\", max-age=2\""}).max_age, 5);
    EXPECT_FALSE(Response({"max-age=5, foo=\"no-store\""}).no_store);
}

TEST(CacheControlRfc9111, Section1_2_2_DeltaSeconds) {
    struct Case {
        const char* text;
        std::optional<Seconds> seconds;
    };
    for (const Case& c : std::vector<Case>{{"0", 0},
                                           {"1", 1},
                                           {"00060", 60},
                                           {"2147483647", delta_max - 1},
                                           {"2147483648", delta_max},
                                           {"2147483649", delta_max},
                                           {"99999999999", delta_max},
                                           {"9223372036854775808", delta_max},
                                           {"99999999999999999999999999999999999999999999", delta_max},
                                           {"0000000000000000000000000000000000000000000001", 1},
                                           {"", {}},
                                           {"-1", {}},
                                           {"+1", {}},
                                           {"1.0", {}},
                                           {"1e3", {}},
                                           {"0x10", {}},
                                           {" 1", {}},
                                           {"1 ", {}},
                                           {"1s", {}},
                                           {"'60'", {}},
                                           {"99999999999999999999999999x", {}}})
        EXPECT_EQ(parse_delta_seconds(c.text), c.seconds) << c.text;
}

TEST(CacheControlRfc9111, Section4_2_1_AnInvalidLifetimeOfAResponseIsNone) {
    for (const char* argument : {"", "=", "=-1", "=a", "=1.5", "='60'", "=60s", "= 60", "=6 0", "=\"60", "=60\"",
                                 "=\"60\"0", "=\"\"", "=60=60"}) {
        const std::string value = std::string("max-age") + argument;
        EXPECT_EQ(Response({value}).max_age, 0) << value;
    }
    EXPECT_EQ(Response({"max-age =60"}).max_age, 0);
    EXPECT_EQ(Response({"s-maxage=x"}).s_maxage, 0);
    EXPECT_EQ(Response({"stale-while-revalidate"}).stale_while_revalidate, 0);
    EXPECT_EQ(Response({"stale-if-error=x"}).stale_if_error, 0);
}

TEST(CacheControlRfc9111, Section4_2_1_OfRepeatedDirectivesTheMostRestrictiveWins) {
    EXPECT_EQ(Response({"max-age=60, max-age=5"}).max_age, 5);
    EXPECT_EQ(Response({"max-age=5, max-age=60"}).max_age, 5);
    EXPECT_EQ(Response({"max-age=5", "max-age=60, max-age=7"}).max_age, 5);
    EXPECT_EQ(Response({"max-age=60, max-age=x"}).max_age, 0);
    EXPECT_EQ(Response({"stale-if-error=60", "stale-if-error=0"}).stale_if_error, 0);
    const Response cc({"public", "private", "no-store, max-age=60"});
    EXPECT_TRUE(cc.is_public && cc.is_private && cc.no_store);
}

TEST(CacheControlRfc9111, Section5_2_2_4_NoCacheWithFieldNames) {
    const Response cc({"no-cache=\"Set-Cookie, X-Foo\", max-age=5"});
    EXPECT_FALSE(cc.no_cache);
    EXPECT_EQ(cc.no_cache_fields, "Set-Cookie, X-Foo");
    EXPECT_EQ(cc.max_age, 5);
    EXPECT_EQ(Response({"no-cache=Set-Cookie"}).no_cache_fields, "Set-Cookie");
    const Response both({"no-cache=\"a\"", "no-cache"});
    EXPECT_TRUE(both.no_cache);
}

TEST(CacheControlRfc9111, Section5_2_2_7_PrivateWithFieldNames) {
    const Response cc({"private=\"Set-Cookie\""});
    EXPECT_FALSE(cc.is_private);
    EXPECT_EQ(cc.private_fields, "Set-Cookie");
}

TEST(CacheControlRfc9111, Section5_2_2_AListThatIsNoneMeansTheWholeResponse) {
    for (const char* argument : {"=", "=\"\"", "=\" , \"", "=\"a b\"", "=\"a\\\"b\"", "=\"a", "=a\"", "=\"a\"b",
                                 "= \"a\"", "=\"a@b\"", "=(a)"}) {
        const Response no_cache({std::string("no-cache") + argument});
        EXPECT_TRUE(no_cache.no_cache) << argument;
        EXPECT_EQ(no_cache.no_cache_fields, "") << argument;
        const Response is_private({std::string("private") + argument});
        EXPECT_TRUE(is_private.is_private) << argument;
        EXPECT_EQ(is_private.private_fields, "") << argument;
    }
    EXPECT_TRUE(Response({"no-cache=\"a\"", "no-cache=\"b\""}).no_cache);
    EXPECT_TRUE(Response({"private=\"a\", private=b"}).is_private);
}

TEST(CacheControlRfc9111, Section5_2_ArgumentsThatShouldNotBeThereNeverPermit) {
    const Response cc({"no-store=1, must-revalidate=\"x\", proxy-revalidate=, no-transform=no"});
    EXPECT_TRUE(cc.no_store && cc.must_revalidate && cc.proxy_revalidate && cc.no_transform);
    const Response permits({"public=1, immutable=\"yes\", must-understand="});
    EXPECT_FALSE(permits.is_public || permits.immutable || permits.must_understand);
}

TEST(CacheControlRfc9111, Section4_2_1_QuotesThatDoNotPairMayHideAnything) {
    for (const char* value : {"max-age=60, foo=\"bar, no-store", "foo=\"bar, no-store", "\"max-age=60, no-store",
                              "fo\"o=bar, private", "max-age=60, foo=a\"b, no-store\"", "foo=\"a\\\", no-store"})
        EXPECT_TRUE(Response({value}).no_store) << value;
    EXPECT_FALSE(Response({"foo=\"bar, \\\" baz\", max-age=1"}).no_store);
}

TEST(CacheControlRfc9213, ATargetedFieldIsParsedByTheSameRules) {
    Fields fields = lines({"max-age=60"}, FieldId::cdn_cache_control);
    fields.add(FieldId::cache_control, "no-store");
    const auto cc = parse_response_cache_control(fields, FieldId::cdn_cache_control);
    EXPECT_EQ(cc.max_age, 60);
    EXPECT_FALSE(cc.no_store);
}

TEST(CacheControlRfc9111, Section5_2_1_EveryRequestDirective) {
    const auto cc =
        request({"no-cache, no-store, no-transform, only-if-cached, max-age=1, min-fresh=2, max-stale=3, "
                 "stale-if-error=4, public"});
    EXPECT_TRUE(cc.no_cache && cc.no_store && cc.no_transform && cc.only_if_cached);
    EXPECT_FALSE(cc.any_stale);
    EXPECT_EQ(cc.max_age, 1);
    EXPECT_EQ(cc.min_fresh, 2);
    EXPECT_EQ(cc.max_stale, 3);
    EXPECT_EQ(cc.stale_if_error, 4);
    EXPECT_FALSE(request({}).no_cache || request({}).max_age);
}

TEST(CacheControlRfc9111, Section5_2_1_2_MaxStaleWithAndWithoutValue) {
    EXPECT_TRUE(request({"max-stale"}).any_stale);
    EXPECT_FALSE(request({"max-stale"}).max_stale);
    for (const auto& cc : {request({"max-stale, max-stale=5"}), request({"max-stale=5, max-stale=9", "max-stale"})}) {
        EXPECT_FALSE(cc.any_stale);
        EXPECT_EQ(cc.max_stale, 5);
    }
    for (const char* invalid : {"max-stale=", "max-stale=x", "max-stale=-1", "max-stale=\"5"}) {
        EXPECT_FALSE(request({invalid}).any_stale) << invalid;
        EXPECT_FALSE(request({invalid}).max_stale) << invalid;
    }
}

TEST(CacheControlRfc9111, Section5_2_1_InvalidAndRepeatedRequestDirectives) {
    const auto invalid = request({"max-age=x, min-fresh=, stale-if-error=-1, max-age"});
    EXPECT_FALSE(invalid.max_age || invalid.min_fresh || invalid.stale_if_error);
    const auto repeated = request({"max-age=9, min-fresh=1", "max-age=5, min-fresh=7, max-age=6"});
    EXPECT_EQ(repeated.max_age, 5);
    EXPECT_EQ(repeated.min_fresh, 7);
    EXPECT_EQ(request({"max-age=\"5\""}).max_age, 5);
}

TEST(CacheControlRfc9111, Section5_4_PragmaCountsOnlyWithoutCacheControl) {
    const auto with_pragma = [](std::vector<std::string> cache_control, const char* pragma) {
        Fields fields = lines(std::move(cache_control));
        fields.add(FieldId::pragma, pragma);
        return parse_request_cache_control(fields).no_cache;
    };
    EXPECT_TRUE(with_pragma({}, "no-cache"));
    EXPECT_TRUE(with_pragma({}, "foo, No-Cache"));
    EXPECT_FALSE(with_pragma({}, "foo"));
    EXPECT_FALSE(with_pragma({}, "no-cache=1"));
    EXPECT_FALSE(with_pragma({"max-age=5"}, "no-cache"));
    EXPECT_FALSE(with_pragma({""}, "no-cache"));
}

TEST(AgeRfc9111, Section5_1_TheFirstElementOfTheFirstLine) {
    const auto age = [](std::vector<std::string> values) { return parse_age(lines(std::move(values), FieldId::age)); };
    EXPECT_EQ(age({"0"}), 0);
    EXPECT_EQ(age({"3600"}), 3600);
    EXPECT_EQ(age({"10, 20"}), 10);
    EXPECT_EQ(age({", 10"}), 10);
    EXPECT_EQ(age({"10", "20"}), 10);
    EXPECT_EQ(age({"99999999999999999999"}), delta_max);
    for (const char* malformed : {"", ",", "-1", "x", "1.0", "7200;foo=bar", "x, 10", "\"10\"", "+1"})
        EXPECT_EQ(age({malformed}), std::nullopt) << malformed;
    EXPECT_EQ(age({"x", "10"}), std::nullopt);
    EXPECT_EQ(age({}), std::nullopt);
}

TEST(CacheControlProperty, AddingDirectivesNeverProlongsALife) {
    ASSERT_TRUE(rc::check([] {
        const auto piece = rc::gen::elementOf(
            std::vector<std::string>{"max-age=60", "max-age=\"5\"", "max-age=x", "no-store", "private", "private=\"a\"",
                                     "no-cache=\"b\"", "no-cache", "foo=\"a, b\"", "\"", "foo=\"", "must-revalidate",
                                     "s-maxage=9", "", "stale-if-error=7", "=", "\\"});
        const auto few = *rc::gen::container<std::vector<std::string>>(piece);
        std::vector<std::string> more = few;
        more.push_back(*piece);
        const auto a = parse_response_cache_control(lines(few));
        const auto b = parse_response_cache_control(lines(more));
        RC_ASSERT(!a.no_store || b.no_store);
        RC_ASSERT(!a.no_cache || b.no_cache);
        RC_ASSERT(!a.is_private || b.is_private);
        RC_ASSERT(!a.must_revalidate || b.must_revalidate);
        RC_ASSERT(!a.max_age || b.max_age <= a.max_age);
        RC_ASSERT(!a.stale_if_error || b.stale_if_error <= a.stale_if_error);
    }));
}

}  // namespace
}  // namespace etage::http
