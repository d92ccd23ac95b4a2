// RFC 9111 §4.3: how what is stored is validated, and what a validation changes.

#include "flow/rfc_fixture.hpp"

namespace etage::flow::testing {
namespace {

class Rfc9111Validation : public RfcTest {
protected:
    /// Stored, and stale one second later.
    void store(FieldList fields, std::string body = "old") {
        fields.emplace_back("Cache-Control", "max-age=1");
        origin_says(says(std::move(fields), std::move(body)));
        house.get("GET /a");
        house.skip(2s);
    }
};

// ---- §4.3.1

TEST_F(Rfc9111Validation, Section4_3_1_TheStoredValidatorsAreSentAndNoOthers) {
    store({{"ETag", "W/\"1\""}});
    house.get("GET /a");
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "W/\"1\"") << "as it came";
    EXPECT_EQ(field_of(last_seen(), "if-modified-since"), "");

    house.store.clear();
    const std::string modified = date(-1h);
    store({{"Last-Modified", modified}});
    house.get("GET /a");
    EXPECT_EQ(field_of(last_seen(), "if-modified-since"), modified);
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "") << "a tag of our own is no validator of the origin";
}

TEST_F(Rfc9111Validation, Section4_3_1_WithoutAValidatorTheWholeIsAskedFor) {
    store({});
    house.get("GET /a", {"If-None-Match: \"x\"", "If-Modified-Since: " + date()});
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "");
    EXPECT_EQ(field_of(last_seen(), "if-modified-since"), "");
}

TEST_F(Rfc9111Validation, Section4_3_1_EveryVariantIsValidatedWithItsOwnTag) {
    house.origin.script = [](const Seen& seen) {
        const auto who = field_of(seen, "x-who");
        return says({{"Cache-Control", "max-age=1"}, {"Vary", "X-Who"}, {"ETag", "\"" + who + "\""}}, who);
    };
    house.get("GET /a", {"X-Who: one"});
    house.get("GET /a", {"X-Who: two"});
    house.skip(2s);
    house.get("GET /a", {"X-Who: one"});
    EXPECT_EQ(field_of(last_seen(), "if-none-match"), "\"one\"");
}

// ---- §4.3.2

TEST_F(Rfc9111Validation, Section4_3_2_AStaleResponseIsValidatedBeforeItAnswersACondition) {
    store({{"ETag", "\"1\""}});
    origin_says(says({{"Cache-Control", "max-age=60"}, {"ETag", "\"2\""}}, "new"));
    const Reply changed = house.get("GET /a", {"If-None-Match: \"1\""});
    EXPECT_EQ(changed.status, 200);
    EXPECT_EQ(changed.body, "new");
    EXPECT_EQ(house.get("GET /a", {"If-None-Match: \"1\", \"2\""}).status, 304);
    EXPECT_EQ(calls(), 2U);
}

TEST_F(Rfc9111Validation, Section4_3_2_WithoutLastModifiedTheDateCounts) {
    const std::string now = date();
    origin_says(says({{"Cache-Control", "max-age=60"}, {"Date", now}}));
    house.get("GET /a");
    EXPECT_EQ(house.get("GET /a", {"If-Modified-Since: " + now}).status, 304);
    EXPECT_EQ(house.get("GET /a", {"If-Modified-Since: " + date(-10s)}).status, 200);
    EXPECT_EQ(house.get("GET /a", {"If-Modified-Since: yesterday"}).status, 200) << "RFC 9110 §13.1.3: ignored";
    EXPECT_EQ(calls(), 1U);
}

TEST_F(Rfc9111Validation, Section4_3_2_OnlyA200IsConditional) {
    origin_says(with_status(404, {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}, "none"));
    house.get("GET /a");
    const Reply again = house.get("GET /a", {"If-None-Match: \"1\""});
    EXPECT_EQ(again.status, 404);
    EXPECT_TRUE(again.verdict.hit);
}

TEST_F(Rfc9111Validation, Section4_3_2_ConditionsOfRequestsThatAreForTheOriginAreLeftToIt) {
    origin_says(says({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}));
    house.get("GET /a");
    house.origin.script = [](const Seen& seen) {
        return with_status(field_of(seen, "if-match") == "\"0\"" ? 412 : 200);
    };
    EXPECT_EQ(house.get("PUT /a", {"If-Match: \"0\""}, "x").status, 412);
    EXPECT_EQ(field_of(last_seen(), "if-match"), "\"0\"");
    EXPECT_TRUE(is_answered_here()) << "nothing was changed";
}

// ---- §4.3.3

TEST_F(Rfc9111Validation, Section4_3_3_AnErrorIsPassedOnOrAnsweredWithWhatIsStored) {
    for (const int status : {500, 502, 503, 504}) {
        house.store.clear();
        store({{"ETag", "\"1\""}});
        origin_says(with_status(status, {}, "broken"));
        EXPECT_EQ(house.get("GET /a").status, status);
        house.store.clear();
        origin_says(says({{"Cache-Control", "max-age=1, stale-if-error=60"}, {"ETag", "\"1\""}}, "old"));
        house.get("GET /a");
        house.skip(2s);
        origin_says(with_status(status, {}, "broken"));
        EXPECT_EQ(house.get("GET /a").body, "old") << status;
    }
}

TEST_F(Rfc9111Validation, Section4_3_3_A4xxTakesThePlace) {
    store({{"ETag", "\"1\""}});
    origin_says(with_status(410, {{"Cache-Control", "max-age=60"}}, "gone"));
    EXPECT_EQ(house.get("GET /a").status, 410);
    const Reply again = house.get("GET /a");
    EXPECT_EQ(again.status, 410);
    EXPECT_TRUE(again.verdict.hit);
}

// ---- §4.3.4

TEST_F(Rfc9111Validation, Section4_3_4_A304OfAnotherStrongTagUpdatesNothing) {
    store({{"ETag", "\"1\""}, {"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}});
    house.origin.script = [](const Seen& seen) {  // as one that looks at the date alone, within the same second
        Say say = says({{"Cache-Control", "max-age=60"}, {"ETag", "\"2\""}}, "new");
        if (field_of(seen, "if-none-match").empty()) return say;
        say.status = 304;
        say.body.clear();
        return say;
    };
    const Reply reply = house.get("GET /a");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "new") << "asked again, without a condition";
    EXPECT_EQ(reply["etag"], "\"2\"");
    EXPECT_EQ(reply["cache-status"], "etage; fwd=stale; fwd-status=200; stored; ttl=60");
    EXPECT_EQ(calls(), 3U);
    EXPECT_EQ(house.get("GET /a").body, "new");
    EXPECT_EQ(calls(), 3U);
}

TEST_F(Rfc9111Validation, Section4_3_4_A304ToWhatAskedAboutOneTagIsAboutThat) {
    store({{"ETag", "\"1\""}});
    origin_says(Say{.status = 304, .fields = {{"Cache-Control", "max-age=60"}, {"ETag", "\"2\""}}, .body = ""});
    const Reply reply = house.get("GET /a");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply["etag"], "\"1\"");
    EXPECT_TRUE(is_answered_here());
}

TEST_F(Rfc9111Validation, Section4_3_4_AWeakTagThatCorrespondsUpdates) {
    for (const auto& [stored, said] : {std::pair{"W/\"1\"", "W/\"1\""}, {"\"1\"", "W/\"1\""}, {"W/\"1\"", "\"1\""}}) {
        house.store.clear();
        store({{"ETag", stored}});
        origin_says(with_status(304, {{"Cache-Control", "max-age=60"}, {"ETag", said}}));
        EXPECT_EQ(house.get("GET /a").body, "old") << stored << said;
        EXPECT_TRUE(is_answered_here()) << stored << said;
        EXPECT_EQ(house.get("GET /a")["etag"], stored);
    }
}

TEST_F(Rfc9111Validation, Section4_3_4_WithoutAValidatorTheOneThatWasAskedAboutIsUpdated) {
    store({{"ETag", "\"1\""}});
    origin_says(with_status(304, {{"Cache-Control", "max-age=60"}}));
    EXPECT_EQ(house.get("GET /a").body, "old");
    EXPECT_TRUE(is_answered_here());
}

TEST_F(Rfc9111Validation, Section4_3_4_TheAgeBeginsAnew) {
    store({{"ETag", "\"1\""}, {"Age", "0"}});
    house.skip(100s);
    origin_says(with_status(304, {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}, {"Age", "7"}}));
    EXPECT_EQ(house.get("GET /a")["age"], "7");
    house.skip(3s);
    EXPECT_EQ(house.get("GET /a")["age"], "10");
}

// ---- §4.3.5

TEST_F(Rfc9111Validation, Section4_3_5_AHeadThatAgreesUpdates) {
    store({{"ETag", "\"1\""}});
    Say head = says({{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}, {"X-New", "1"}}, "old");
    origin_says(head);
    house.get("HEAD /a");
    EXPECT_EQ(last_seen().method, "HEAD");
    const Reply hit = house.get("GET /a");
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["x-new"], "1");
    EXPECT_EQ(hit.body, "old");
}

TEST_F(Rfc9111Validation, Section4_3_5_AHeadThatDisagreesEndsIt) {
    for (const FieldList& other : {FieldList{{"ETag", "\"2\""}}, {{"Last-Modified", date()}}}) {
        house.store.clear();
        store({{"ETag", "\"1\""}, {"Last-Modified", date(-1h)}});
        origin_says(says(other, "old"));
        house.get("HEAD /a");
        EXPECT_EQ(house.store.usage().entries, 0U);
    }
}

}  // namespace
}  // namespace etage::flow::testing
