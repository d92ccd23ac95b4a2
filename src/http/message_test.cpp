#include "http/message.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cctype>

namespace etage::http {
namespace {

std::vector<FieldId> all_ids() {
    std::vector<FieldId> ids;
    for (int i = 1; i < static_cast<int>(FieldId::count_); ++i) ids.push_back(static_cast<FieldId>(i));
    return ids;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

TEST(MethodRfc9110, Section9_1_NamesAreCaseSensitiveAndGoBothWays) {
    for (const char* name :
         {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "PURGE"}) {
        EXPECT_NE(method_of(name), Method::other) << name;
        EXPECT_EQ(method_name(method_of(name)), name);
    }
    for (const char* name : {"get", "Get", "FOOBAR", "", "GETS", "GE", "LOCK", "SEARCHES"})
        EXPECT_EQ(method_of(name), Method::other) << name;
    EXPECT_EQ(method_name(Method::other), "");
}

TEST(MethodRfc9110, Section9_2_SafeAndIdempotentMethods) {
    for (const Method m : {Method::get, Method::head, Method::options, Method::trace, Method::query}) {
        EXPECT_TRUE(is_safe(m));
        EXPECT_TRUE(is_idempotent(m));
    }
    for (const Method m : {Method::put, Method::delete_}) {
        EXPECT_FALSE(is_safe(m));
        EXPECT_TRUE(is_idempotent(m));
    }
    for (const Method m : {Method::post, Method::patch, Method::connect, Method::purge, Method::other}) {
        EXPECT_FALSE(is_safe(m));
        EXPECT_FALSE(is_idempotent(m));
    }
}

TEST(FieldIdTest, EveryNameIsFoundInAnyCase) {
    for (const FieldId id : all_ids()) {
        EXPECT_EQ(field_id(field_name(id)), id) << field_name(id);
        EXPECT_EQ(field_id(upper(field_name(id))), id) << field_name(id);
        EXPECT_EQ(field_id(canonical_name(id)), id) << field_name(id);
    }
    EXPECT_EQ(field_name(FieldId::unknown), "");
    EXPECT_EQ(canonical_name(FieldId::unknown), "");
}

TEST(FieldIdTest, WhatDiffersInOneByteIsUnknown) {
    for (const FieldId id : all_ids()) {
        for (std::size_t at = 0; at < field_name(id).size(); ++at)
            for (int c = 0; c < 256; ++c) {
                std::string name(field_name(id));
                name[at] = static_cast<char>(c);
                if (upper(name) == upper(field_name(id))) continue;
                const FieldId found = field_id(name);
                ASSERT_TRUE(found == FieldId::unknown || field_name(found) == upper(name) ||
                            iequals(field_name(found), name))
                    << name;
                ASSERT_NE(found, id) << name;
            }
        EXPECT_NE(field_id(std::string(field_name(id)) + "x"), id);
    }
    EXPECT_EQ(field_id(""), FieldId::unknown);
    EXPECT_EQ(field_id(std::string(1000, 'a')), FieldId::unknown);
    EXPECT_EQ(field_id("content_length"), FieldId::unknown);
}

TEST(FieldIdTest, CanonicalNamesAreThoseOfTheRfcs) {
    EXPECT_EQ(canonical_name(FieldId::cache_control), "Cache-Control");
    EXPECT_EQ(canonical_name(FieldId::etag), "ETag");
    EXPECT_EQ(canonical_name(FieldId::te), "TE");
    EXPECT_EQ(canonical_name(FieldId::www_authenticate), "WWW-Authenticate");
    EXPECT_EQ(canonical_name(FieldId::cdn_cache_control), "CDN-Cache-Control");
    EXPECT_EQ(canonical_name(FieldId::ratelimit_policy), "RateLimit-Policy");
    EXPECT_EQ(canonical_name(FieldId::http2_settings), "HTTP2-Settings");
    EXPECT_EQ(canonical_name(FieldId::x_forwarded_for), "X-Forwarded-For");
}

TEST(IequalsTest, AgreesWithAByteByByteComparison) {
    EXPECT_TRUE(rc::check("iequals", [] {
        const auto a = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
        auto b = a;
        for (char& c : b)
            if (*rc::gen::inRange(0, 4) == 0) c = static_cast<char>(c ^ 0x20);
        bool same = true;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const bool letters = std::isalpha(static_cast<unsigned char>(a[i])) != 0;
            same = same && (a[i] == b[i] || letters);
        }
        RC_ASSERT(iequals(a, b) == same);
        RC_ASSERT(iequals(a, a));
        RC_ASSERT(!iequals(a, a + "x"));
    }));
    EXPECT_TRUE(iequals("", ""));
    EXPECT_TRUE(iequals({}, ""));
}

TEST(FieldLookupRfc9110, Section5_2_FirstValueAndJoinedValues) {
    Fields fields;
    fields.add("Vary", "Accept");
    fields.add("x-other", "1");
    fields.add("VARY", "Cookie");
    fields.add("X-Other", "2");
    EXPECT_EQ(find(fields, FieldId::vary), "Accept");
    EXPECT_EQ(find(fields, "vary"), "Accept");
    EXPECT_EQ(find(fields, "X-OTHER"), "1");
    EXPECT_EQ(find(fields, FieldId::etag), std::nullopt);
    EXPECT_EQ(find(fields, "x-none"), std::nullopt);
    EXPECT_TRUE(contains(fields, FieldId::vary));
    EXPECT_FALSE(contains(fields, FieldId::host));
    EXPECT_EQ(joined(fields, FieldId::vary), "Accept, Cookie");
    EXPECT_EQ(joined(fields, "x-other"), "1, 2");
    EXPECT_EQ(joined(fields, FieldId::etag), std::nullopt);
}

std::vector<std::string> elements(std::string_view value) {
    std::vector<std::string> out;
    for_each_element(value, [&](std::string_view element) { out.emplace_back(element); });
    return out;
}

TEST(ListRfc9110, Section5_6_1_ElementsAreTrimmedAndEmptyOnesSkipped) {
    using List = std::vector<std::string>;
    EXPECT_EQ(elements("a, b ,\tc"), (List{"a", "b", "c"}));
    EXPECT_EQ(elements(",, a,, ,b,"), (List{"a", "b"}));
    EXPECT_EQ(elements(R"(a="x,y", "p\",q" ,c)"), (List{R"(a="x,y")", R"("p\",q")", "c"}));
    EXPECT_EQ(elements(R"(a="x,y)"), (List{R"(a="x,y)"}));
    EXPECT_EQ(elements(R"("\)"), (List{R"("\)"}));
    EXPECT_TRUE(elements("").empty());
    EXPECT_TRUE(elements(" ,\t, ").empty());
}

TEST(ListRfc9110, Section5_6_1_AFalseStopsAllLines) {
    Fields fields;
    fields.add(FieldId::vary, "a, b");
    fields.add(FieldId::vary, "c");
    std::string seen;
    for_each_element(fields.span(), FieldId::vary, [&](std::string_view e) { return seen += e, e != "b"; });
    EXPECT_EQ(seen, "ab");
    seen.clear();
    for_each_element(fields.span(), FieldId::vary, [&](std::string_view e) { seen += e; });
    EXPECT_EQ(seen, "abc");
}

TEST(FieldsTest, OwnsItsBytesAndKeepsThemWhereTheyAre) {
    std::string name = "X-Some";
    std::string value = "thing";
    Fields fields;
    fields.add(name, value);
    const std::string_view kept = *find(fields, "x-some");
    name.assign(6, '#');
    value.assign(5, '#');
    for (int i = 0; i < 200; ++i) fields.add("X-More-" + std::to_string(i), std::string(50, 'm'));
    fields.remove("x-some");
    const Fields moved = std::move(fields);
    EXPECT_EQ(kept, "thing");
    EXPECT_EQ(moved.size(), 200u);
    EXPECT_EQ(find(moved, "x-more-199"), std::string(50, 'm'));
}

TEST(FieldsTest, AMovedFromListIsEmptyAndUsable) {
    Fields a;
    a.add("A", "1");
    Fields b = std::move(a);
    EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that it is empty is promised
    EXPECT_EQ(a.footprint(), Fields().footprint());
    a.add("B", "2");
    EXPECT_EQ(find(a, "b"), "2");
    a = std::move(b);
    EXPECT_EQ(find(a, "a"), "1");
    EXPECT_EQ(find(a, "b"), std::nullopt);
}

TEST(FieldsTest, CopiesAreIndependentAndTight) {
    Fields a;
    a.add("Cache-Control", "max-age=1");
    a.add("X", "");
    Fields b;
    {
        const Fields c = a;
        b = c;
    }
    EXPECT_EQ(b.size(), 2u);
    EXPECT_EQ(find(b, FieldId::cache_control), "max-age=1");
    EXPECT_EQ(find(b, "x"), "");
    // "max-age=1" and "X": the canonical name is constant data.
    EXPECT_EQ(b.footprint(), 10 + 2 * sizeof(Field) + sizeof(void*));
}

TEST(FieldsTest, NamesStayAsReceivedAndIdsWriteCanonicalOnes) {
    Fields fields;
    fields.add("cAcHe-control", "a");
    fields.add(FieldId::cache_control, "b");
    EXPECT_EQ(fields.span()[0].name, "cAcHe-control");
    EXPECT_EQ(fields.span()[1].name, "Cache-Control");
    EXPECT_EQ(fields.span()[0].id, FieldId::cache_control);
}

TEST(FieldsTest, SetReplacesAllEvenByAValueOfItsOwn) {
    Fields fields;
    fields.add("vary", "one");
    fields.add("Other", "x");
    fields.add("Vary", "two");
    fields.set(FieldId::vary, *find(fields, FieldId::vary));
    EXPECT_EQ(joined(fields, FieldId::vary), "one");
    fields.set("OTHER", "y");
    EXPECT_EQ(joined(fields, "other"), "y");
    fields.remove(FieldId::vary);
    fields.remove_if([](const Field& f) { return f.value == "y"; });
    EXPECT_TRUE(fields.empty());
}

TEST(FieldsRfc9530, DigestsAreOfBytes) {
    for (const char* name : {"Content-Digest", "repr-digest", "Digest", "CONTENT-MD5"}) EXPECT_TRUE(is_digest(name));
    for (const char* name : {"", "Want-Content-Digest", "Content-Type", "ETag"}) EXPECT_FALSE(is_digest(name));
}

TEST(ReasonPhraseRfc9110, Section15) {
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(422), "Unprocessable Content");
    EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
    EXPECT_EQ(reason_phrase(599), "");
    EXPECT_EQ(reason_phrase(0), "");
}

TEST(Names, ToAnOriginThatSpeaksCgiAnUnderscoreIsADash) {
    EXPECT_TRUE(iequals_as_cgi("X_Forwarded-for", "x-forwarded_For"));
    EXPECT_TRUE(iequals_as_cgi("content_length", "content-length"));
    EXPECT_FALSE(iequals_as_cgi("content.length", "content-length"));
    EXPECT_FALSE(iequals_as_cgi("content_lengths", "content-length"));
    EXPECT_FALSE(iequals_as_cgi("@", "`")) << "letters alone have two cases";
    EXPECT_TRUE(iequals_as_cgi("", ""));
}

}  // namespace
}  // namespace etage::http
