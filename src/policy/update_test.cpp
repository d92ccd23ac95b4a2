#include "policy/update.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace etage::policy {
namespace {

http::Fields fields(std::initializer_list<std::pair<const char*, const char*>> list) {
    http::Fields out;
    for (const auto& [name, value] : list) out.add(name, value);
    return out;
}

http::ResponseCacheControl directives(const http::Fields& response) {
    return http::parse_response_cache_control(response);
}

TEST(UpdateRfc9111, Section3_2_ReplacesAddsAndKeepsFields) {
    const auto merged = updated_fields(fields({{"Cache-Control", "max-age=1"}, {"A", "1"}, {"A", "2"}, {"B", "old"}}),
                                       fields({{"Cache-Control", "max-age=9"}, {"A", "3"}, {"C", "new"}}));
    EXPECT_EQ(http::joined(merged, "cache-control"), "max-age=9");
    EXPECT_EQ(http::joined(merged, "a"), "3");
    EXPECT_EQ(http::joined(merged, "b"), "old");
    EXPECT_EQ(http::joined(merged, "c"), "new");
}

TEST(UpdateRfc9111, Section3_2_ContentTypeIsUpdatedLikeAnyOtherField) {
    const auto merged = updated_fields(fields({{"Content-Type", "text/plain"}}),
                                       fields({{"Content-Type", "text/plain;charset=utf-8"}}));
    EXPECT_EQ(http::joined(merged, "content-type"), "text/plain;charset=utf-8");
}

TEST(UpdateRfc9111, Section3_2_WhatDescribesTheContentStays) {
    for (const char* name : {"Content-Length", "Content-Encoding", "Content-Range", "Transfer-Encoding", "ETag",
                             "Content-MD5", "Digest", "Repr-Digest", "Content-Digest"}) {
        const auto merged = updated_fields(fields({{name, "old"}}), fields({{name, "new"}}));
        EXPECT_EQ(http::joined(merged, name), "old") << name;
    }
}

TEST(UpdateLaw12, A304NeverBringsACookie) {
    EXPECT_FALSE(http::contains(updated_fields({}, fields({{"Set-Cookie", "s=1"}})), http::FieldId::set_cookie));
}

TEST(UpdateRfc9111, Section4_2_3_AnUpdateWithoutDateAndAgeIsNotAsOldAsWhatWasStored) {
    const auto merged =
        updated_fields(fields({{"Age", "100"}, {"Date", "Thu, 01 Jan 2026 00:00:00 GMT"}}), fields({{"B", "1"}}));
    EXPECT_FALSE(http::contains(merged, http::FieldId::age));
    EXPECT_FALSE(http::contains(merged, http::FieldId::date));
}

TEST(UpdateRfc9111, Section4_3_5_HeadSpeaksOfWhatIsStored) {
    const auto stored = fields({{"ETag", "\"1\""}, {"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}});
    EXPECT_TRUE(head_speaks_of(fields({}), std::nullopt, stored, 5));
    EXPECT_TRUE(head_speaks_of(fields({{"ETag", "\"1\""}}), 5, stored, 5));
    EXPECT_FALSE(head_speaks_of(fields({{"ETag", "\"2\""}}), 5, stored, 5));
    EXPECT_FALSE(head_speaks_of(fields({{"ETag", "\"1\""}}), 6, stored, 5));
    EXPECT_FALSE(head_speaks_of(fields({{"Last-Modified", "Fri, 02 Jan 2026 00:00:00 GMT"}}), 5, stored, 5));
    EXPECT_FALSE(head_speaks_of(fields({{"ETag", "\"1\""}}), 5, fields({}), 5));
}

TEST(UpdateRfc9111, Section4_3_4_A304WithAnotherTagIsAboutSomethingElse) {
    const auto stored = fields({{"ETag", "\"1\""}, {"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}});
    EXPECT_TRUE(validates(fields({{"ETag", "\"1\""}}), stored));
    EXPECT_TRUE(validates(fields({{"ETag", "W/\"1\""}}), stored));
    EXPECT_TRUE(validates(fields({}), stored));
    EXPECT_TRUE(validates(fields({{"ETag", "no tag"}}), stored));
    EXPECT_TRUE(validates(fields({{"ETag", "\"2\""}}), fields({}))) << "it was asked about by date";
    EXPECT_TRUE(validates(fields({{"ETag", "\"2\""}}), fields({{"ETag", "\"1\""}}))) << "only its tag was asked about";
    EXPECT_FALSE(validates(fields({{"ETag", "\"2\""}}), stored));
    EXPECT_FALSE(validates(fields({{"ETag", "W/\"2\""}}), stored));
    EXPECT_TRUE(validates(fields({{"ETag", "\"2\""}, {"ETag", "\"1\""}}), stored)) << "one of several is enough";
    EXPECT_FALSE(validates(fields({{"ETag", "\"2\""}, {"ETag", "\"3\""}}), stored));
}

TEST(UpdateRfc9111, Section5_2_2_7_ListedFieldsAreWithheld) {
    auto response = fields({{"Cache-Control", "max-age=60, private=\"x-user, set-cookie\""},
                            {"X-User", "ann"},
                            {"Set-Cookie", "s=1"},
                            {"X-Other", "1"}});
    const auto withheld = take_withheld(response, directives(response), false);
    EXPECT_EQ(http::joined(withheld, "x-user"), "ann");
    EXPECT_EQ(http::joined(withheld, "set-cookie"), "s=1");
    EXPECT_FALSE(http::find(response, "x-user"));
    EXPECT_TRUE(http::find(response, "x-other"));
    EXPECT_TRUE(http::find(response, "cache-control"));
}

TEST(UpdateRfc9111, Section5_2_2_7_AUsersOwnEntryKeepsWhatIsPrivate) {
    auto response =
        fields({{"Cache-Control", "private=\"x-user\", no-cache=\"x-token\""}, {"X-User", "a"}, {"X-Token", "b"}});
    const auto withheld = take_withheld(response, directives(response), true);
    EXPECT_TRUE(http::find(response, "x-user"));
    EXPECT_EQ(http::joined(withheld, "x-token"), "b");
}

TEST(UpdateRfc9111, Section5_2_2_4_AListThatNamesWhatTheCacheNeedsIsForTheWholeResponse) {
    EXPECT_TRUE(keeps_without("x-user"));
    EXPECT_TRUE(keeps_without("set-cookie, x-a"));
    EXPECT_FALSE(keeps_without(""));
    for (const char* list : {"vary", "Content-Type", "x-a, cache-control", "Date"})
        EXPECT_FALSE(keeps_without(list)) << list;
}

}  // namespace
}  // namespace etage::policy
