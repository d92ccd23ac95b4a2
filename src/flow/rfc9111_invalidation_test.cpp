// RFC 9111 §4.4 and RFC 9875: what a change makes invalid.

#include "flow/rfc_fixture.hpp"

namespace etage::flow::testing {
namespace {

class Rfc9111Invalidation : public RfcTest {
protected:
    Rfc9111Invalidation() { answer_changes_with(200); }

    /// Safe methods get something to store, the others this.
    void answer_changes_with(int status, FieldList fields = {}) {
        house.origin.script = [this, status, fields](const Seen& seen) {
            if (seen.method != "GET" && seen.method != "HEAD" && seen.method != "OPTIONS")
                return with_status(status, fields, "changed");
            return says({{"Cache-Control", "max-age=600"}, {"Cache-Groups", groups}}, seen.target);
        };
    }
    /// Stores /a, changes something, says whether /a is still there.
    bool survives(const std::string& change, std::vector<std::string> fields = {}) {
        house.get("GET /a");
        house.get(change, std::move(fields));
        return is_answered_here();
    }

    std::string groups = "\"g\"";
};

class Rfc9875Groups : public Rfc9111Invalidation {};

// ---- RFC 9111 §4.4

TEST_F(Rfc9111Invalidation, Section4_4_UnsafeMethodsInvalidateTheirTarget) {
    for (const char* method : {"PUT", "POST", "DELETE", "PATCH"}) EXPECT_FALSE(survives(method + std::string(" /a")));
}

TEST_F(Rfc9111Invalidation, Section4_4_SoDoMethodsWhoseSafetyIsUnknown) { EXPECT_FALSE(survives("FROBNICATE /a")); }

TEST_F(Rfc9111Invalidation, Section4_4_SafeMethodsInvalidateNothing) {
    EXPECT_TRUE(survives("OPTIONS /a"));
    EXPECT_TRUE(survives("HEAD /a"));
    EXPECT_TRUE(survives("GET /a", {"Cache-Control: no-store"}));
}

TEST_F(Rfc9111Invalidation, Section4_4_EveryVariantOfTheTargetGoes) {
    house.origin.script = [](const Seen& seen) {
        return says({{"Cache-Control", "max-age=600"}, {"Vary", "X-A"}}, seen.method);
    };
    house.get("GET /a", {"X-A: 1"});
    house.get("GET /a", {"X-A: 2"});
    house.get("PUT /a");
    EXPECT_FALSE(is_answered_here("GET /a", {"X-A: 1"}));
    EXPECT_FALSE(is_answered_here("GET /a", {"X-A: 2"}));
}

TEST_F(Rfc9111Invalidation, Section4_4_OnlyAnAnswerThatIsNoError) {
    for (const int status : {200, 201, 204, 303, 304}) {
        answer_changes_with(status);
        EXPECT_FALSE(survives("PUT /a")) << status;
    }
    for (const int status : {400, 403, 409, 412, 500, 503}) {
        answer_changes_with(status);
        EXPECT_TRUE(survives("PUT /a")) << status;
    }
}

TEST_F(Rfc9111Invalidation, Section4_4_LocationAndContentLocationOfTheSameOriginToo) {
    for (const char* field : {"Location", "Content-Location"}) {
        for (const char* where : {"/a", "http://api.test/a", "a", "http://API.test:80/a"}) {
            answer_changes_with(201, {{field, where}});
            EXPECT_FALSE(survives("POST /other")) << field << where;
        }
        for (const char* elsewhere : {"http://other.test/a", "http://api.test:8080/a", "https://api.test/a", "/b"}) {
            answer_changes_with(201, {{field, elsewhere}});
            EXPECT_TRUE(survives("POST /other")) << field << elsewhere;
        }
    }
}

TEST_F(Rfc9111Invalidation, Section4_4_WhatIsInvalidIsNoFallbackEither) {
    house.get("GET /a");
    house.get("PUT /a");
    origin_says(no_answer());
    EXPECT_EQ(house.get("GET /a").status, 502);
    EXPECT_EQ(house.get("GET /a", {"Cache-Control: max-stale, only-if-cached"}).status, 504);
}

// ---- RFC 9875

TEST_F(Rfc9875Groups, Section2_1_GroupsAreComparedExactly) {
    for (const char* none : {"\"G\"", "\"g \"", "g", "\"h\"", "\"g\", h"}) {
        answer_changes_with(200, {{"Cache-Group-Invalidation", none}});
        EXPECT_TRUE(survives("POST /other")) << none;
    }
    answer_changes_with(200, {{"Cache-Group-Invalidation", "\"g\""}});
    EXPECT_FALSE(survives("POST /other"));
}

TEST_F(Rfc9875Groups, Section2_ThirtyTwoGroupsOfThirtyTwoCharacters) {
    groups.clear();
    for (int i = 0; i < 32; ++i)
        groups += (i > 0 ? ", " : "") + ("\"" + std::string(30, 'x')) + std::to_string(10 + i) + "\"";
    answer_changes_with(200, {{"Cache-Group-Invalidation", "\"" + std::string(30, 'x') + "41\""}});
    EXPECT_FALSE(survives("POST /other"));
    answer_changes_with(200, {{"Cache-Group-Invalidation", groups}});
    groups = "\"" + std::string(30, 'x') + "41\"";
    EXPECT_FALSE(survives("POST /other"));
}

TEST_F(Rfc9875Groups, Section2_ParametersAndTheOrderMeanNothing) {
    groups = "\"b\";x=1, \"a\"";
    answer_changes_with(200, {{"Cache-Group-Invalidation", "\"c\", \"b\";y"}});
    EXPECT_FALSE(survives("POST /other"));
}

TEST_F(Rfc9875Groups, Section3_OnAnAnswerToASafeMethodItIsIgnored) {
    house.get("GET /a");
    const auto before = house.origin.script;
    origin_says(says({{"Cache-Control", "max-age=600"}, {"Cache-Group-Invalidation", "\"g\""}}));
    house.get("GET /other");
    house.get("OPTIONS /other");
    house.origin.script = before;
    EXPECT_TRUE(is_answered_here());
}

TEST_F(Rfc9875Groups, Section3_OnAnErrorItIsIgnoredToo) {
    answer_changes_with(500, {{"Cache-Group-Invalidation", "\"g\""}});
    EXPECT_TRUE(survives("POST /other"));
}

}  // namespace
}  // namespace etage::flow::testing
