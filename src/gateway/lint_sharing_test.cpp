#include "gateway/lint_fixture.hpp"

#include <gmock/gmock.h>

namespace etage::gateway {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Findings lint(const Observations& seen) { return lint_answers(seen, ""); }

TEST(LintSharing, Rfc9111Section7_3_CookiesInSharedAnswers) {
    for (const std::string_view line : {"Cache-Control: private, max-age=60", "Cache-Control: no-store",
                                        "Cache-Control: no-cache", "Cache-Control: max-age=0"})
        EXPECT_THAT(found(sound({line, "Set-Cookie: a=b"})), IsEmpty()) << line;
    for (const std::string_view line : {"Cache-Control: s-maxage=5", "Cache-Control: public, max-age=5"})
        EXPECT_THAT(found(sound({line, "Set-Cookie: a=b"})), ElementsAre("set-cookie-cacheable")) << line;
    const auto expiring = [](std::string_view date) {
        Observed out = observed({"Date: Wed, 25 Nov 2026 06:00:00 GMT", "ETag: \"v1\"", "Set-Cookie: a=b"});
        out.fields.add("Expires", date);
        return found(std::move(out));
    };
    EXPECT_THAT(expiring("Wed, 25 Nov 2026 07:00:00 GMT"), ElementsAre("set-cookie-cacheable"));
    EXPECT_THAT(expiring("Thu, 19 Nov 1981 08:52:00 GMT"), IsEmpty());
}

TEST(LintSharing, Rfc9111Section3_5_Credentials) {
    const auto with = [](std::string_view cache_control, Observed anonymous) {
        Observed first = sound();
        first.fields.set(http::FieldId::cache_control, cache_control);
        Observations out = only(std::move(first));
        out.anonymous = std::move(anonymous);
        return out;
    };
    for (const std::string_view text : {"public, max-age=60", "s-maxage=60", "max-age=60, must-revalidate"})
        EXPECT_THAT(found(with(text, sound({}, "other"))), ElementsAre("authorization-public")) << text;
    EXPECT_THAT(found(with("public, max-age=60", sound())), IsEmpty()) << "it is the same for everybody";
    EXPECT_THAT(found(with("max-age=60", sound({}, "other"))), IsEmpty()) << "shared caches do not keep it anyway";
    EXPECT_THAT(found(with("private, max-age=60", sound({}, "other"))), IsEmpty());
    EXPECT_EQ(what(lint(with("public, max-age=60", observed({}, "", 403))), "authorization-public"),
              "with credentials it says public; without them the answer is 403");
}

TEST(LintSharing, Rfc9110Section12_5_5_Vary) {
    EXPECT_THAT(found(sound({"Vary: Accept-Encoding, Accept-Language"})), IsEmpty());
    EXPECT_THAT(found(sound({"Vary: COOKIE", "Vary: user-agent"})), ElementsAre("vary-cookie", "vary-user-agent"));
    EXPECT_THAT(found(sound({"Vary: Cookie", "Cache-Control: private, max-age=60"})), IsEmpty())
        << "a browser has one user";
    EXPECT_THAT(found(sound({"Vary: Cookie, *"})), ElementsAre("vary-star"));
}

TEST(LintSharing, NoVarySearchSection5) {
    for (const std::string_view line : {"No-Vary-Search: params=(\"utm\"), key-order",
                                        "No-Vary-Search: except=(\"id\")", "No-Vary-Search: key-order=?0"})
        EXPECT_THAT(found(sound({line})), IsEmpty()) << line;
    for (const std::string_view line : {"No-Vary-Search: params=(utm)",
                                        "No-Vary-Search: params=(\"a\"), except=(\"b\")", "No-Vary-Search: utm source"})
        EXPECT_THAT(found(sound({line})), ElementsAre("no-vary-search-invalid")) << line;
    EXPECT_THAT(found(sound({"No-Vary-Search: params"})), ElementsAre("no-vary-search-draft"));
    EXPECT_THAT(found(sound({"No-Vary-Search: params", "No-Vary-Search: except=(\"id\")"})),
                ElementsAre("no-vary-search-draft"));
    EXPECT_EQ(what(lint(only(sound({"No-Vary-Search: params=?0"}))), "no-vary-search-invalid"),
              "No-Vary-Search: params=?0");
}

TEST(LintSharing, Rfc9110Section12_5_5_BothFormsSayThatTheyVary) {
    Observations seen = only(sound({"Vary: Accept-Encoding"}));
    seen.gzip = sound({"Content-Encoding: gzip", "ETag: \"v1-g\""}, "zipped");
    EXPECT_EQ(what(lint(seen), "vary-missing-accept-encoding"), "with Content-Encoding: gzip it says no Vary");
    seen.first = sound();
    seen.gzip = sound({"Content-Encoding: gzip", "ETag: \"v1-g\"", "Vary: accept-encoding"}, "zipped");
    EXPECT_EQ(what(lint(seen), "vary-missing-accept-encoding"), "without a coding it says no Vary");
    seen.gzip = sound();
    EXPECT_THAT(found(seen), IsEmpty());
}

TEST(LintContent, CompressibleMeansTextOfSomeLengthThatMayBeTouched) {
    const auto with = [](std::string_view type, std::size_t size, std::string_view cache_control) {
        Observed answer = sound({}, std::string(size, 'a'));
        answer.fields.set(http::FieldId::content_type, type);
        answer.fields.set(http::FieldId::cache_control, cache_control);
        Observations out = only(answer);
        out.gzip = answer;
        return found(out);
    };
    EXPECT_THAT(with("application/json", 600, "max-age=5"), ElementsAre("compressible-uncompressed"));
    EXPECT_THAT(with("application/json", 599, "max-age=5"), IsEmpty());
    EXPECT_THAT(with("image/png", 6000, "max-age=5"), IsEmpty());
    EXPECT_THAT(with("text/html", 6000, "max-age=5, no-transform"), IsEmpty());
}

TEST(LintContent, Rfc9112Section8_ChunkedHasAnEnd) {
    Observed chunked = sound();
    chunked.framing = http::BodyKind::chunked;
    EXPECT_THAT(found(std::move(chunked)), IsEmpty());
}

}  // namespace
}  // namespace etage::gateway
