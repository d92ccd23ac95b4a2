#include "gateway/lint_fixture.hpp"

#include <gmock/gmock.h>

namespace etage::gateway {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Findings lint(const Observations& seen) { return lint_answers(seen, ""); }

Observations twice(Observed first, Observed again) {
    Observations out = only(std::move(first));
    out.again = std::move(again);
    return out;
}

Observations conditional(Observed first, Observed answer) {
    Observations out = only(std::move(first));
    out.conditional = std::move(answer);
    return out;
}

Observations headed(Observed first, Observed head) {
    Observations out = only(std::move(first));
    out.head = std::move(head);
    return out;
}

TEST(LintValidators, Rfc9110Section8_8_OneIsEnough) {
    const Observed dated = observed({"Date: Wed, 25 Nov 2026 06:00:00 GMT", "Cache-Control: max-age=60",
                                     "Last-Modified: Wed, 25 Nov 2026 05:00:00 GMT"});
    EXPECT_THAT(found(dated), IsEmpty());
    EXPECT_THAT(found(observed({"Date: Wed, 25 Nov 2026 06:00:00 GMT", "Cache-Control: no-store"})), IsEmpty())
        << "what nobody stores nobody validates";
}

TEST(LintValidators, Rfc9110Section8_8_3_WhatIsNoEntityTag) {
    for (const std::string_view line : {"ETag: v1", "ETag: w/\"v1\"", "ETag: \"v1", "ETag: 'v1'", "ETag: W/v1"})
        EXPECT_THAT(found(sound({line})), ElementsAre("etag-unquoted")) << line;
}

TEST(LintValidators, Rfc9110Section8_8_2_1_NotModifiedInTheFuture) {
    EXPECT_THAT(found(sound({"Last-Modified: Wed, 25 Nov 2026 06:00:00 GMT"})), IsEmpty());
    EXPECT_THAT(found(sound({"Last-Modified: Wed, 25 Nov 2026 06:00:01 GMT"})), ElementsAre("last-modified-invalid"));
}

TEST(LintValidators, SameTagSameContent) {
    EXPECT_THAT(found(twice(sound(), sound())), IsEmpty());
    EXPECT_THAT(found(twice(sound(), sound({"ETag: \"v2\""}, "other"))), IsEmpty()) << "it has changed in between";
    EXPECT_THAT(found(twice(sound({"ETag: W/\"v1\""}), sound({"ETag: W/\"v1\""}, "other"))),
                ElementsAre("weak-etag-only"));
    Observed cut = sound();
    cut.whole = false;
    EXPECT_THAT(found(twice(cut, sound({"ETag: \"v2\""}))), IsEmpty()) << "nobody has seen the rest";
}

TEST(LintValidators, Rfc9110Section8_8_3_3_TagsOfCodings) {
    Observations seen = only(sound({"Vary: Accept-Encoding"}));
    seen.gzip = sound({"Vary: Accept-Encoding", "Content-Encoding: gzip", "ETag: \"v1-g\""}, "zipped");
    EXPECT_THAT(found(seen), IsEmpty());
    seen.gzip = sound({"Vary: Accept-Encoding", "Content-Encoding: gzip", "ETag: W/\"v1\""}, "zipped");
    EXPECT_THAT(found(seen), IsEmpty()) << "weak tags may be equal";
}

TEST(LintValidators, Rfc9110Section13_1_2_ConditionalRequests) {
    const Observed full = observed({"Date: Wed, 25 Nov 2026 06:00:00 GMT", "Cache-Control: max-age=60",
                                    "Last-Modified: Wed, 25 Nov 2026 05:00:00 GMT"});
    EXPECT_THAT(what(lint(conditional(full, full)), "conditional-ignored"),
                "Last-Modified: Wed, 25 Nov 2026 05:00:00 GMT came back and was answered 200");
    Observations changing = conditional(sound(), sound({"ETag: \"v3\""}, "third"));
    changing.again = sound({"ETag: \"v2\""}, "second");
    EXPECT_THAT(found(changing), IsEmpty()) << "there was something new to send";
}

TEST(LintValidators, Rfc9110Section15_4_5_FieldsOfA304) {
    const Observed full = sound({"Vary: Accept", "Content-Location: /x"});
    EXPECT_EQ(what(lint(conditional(full, observed({"ETag: \"v1\""}, "", 304))), "not-modified-lacks-fields"),
              "the 304 has no Cache-Control, Content-Location, Date, Vary");
}

TEST(LintValidators, Rfc9110Section9_3_2_HeadSaysWhatGetSays) {
    EXPECT_THAT(found(headed(sound({"Content-Length: 5"}), sound({"Content-Length: 5"}, ""))), IsEmpty());
    EXPECT_THAT(found(headed(sound({"Content-Length: 5"}), sound({}, ""))), IsEmpty()) << "it may be left out";
    EXPECT_EQ(what(lint(headed(sound(), sound({"Content-Length: 0"}, ""))), "head-differs"),
              "HEAD says Content-Length: 0, GET has 5 bytes");
    EXPECT_EQ(what(lint(headed(sound({"Vary: Accept"}), sound({}, ""))), "head-differs"),
              "GET says Vary: Accept, HEAD no Vary");
    Observed refused = observed({}, "", 405);
    EXPECT_EQ(what(lint(headed(sound(), refused)), "head-differs"), "HEAD is answered 405, GET 200");
}

TEST(LintValidators, WhatMovesByItselfIsNoDifference) {
    Observations seen = headed(sound(), sound({"ETag: \"v3\""}, ""));
    seen.again = sound({"ETag: \"v2\""}, "second");
    EXPECT_THAT(found(seen), IsEmpty());
    EXPECT_THAT(found(headed(sound({"Expires: Wed, 25 Nov 2026 06:01:00 GMT"}),
                             sound({"Expires: Wed, 25 Nov 2026 06:01:02 GMT"}, ""))),
                IsEmpty());
}

}  // namespace
}  // namespace etage::gateway
