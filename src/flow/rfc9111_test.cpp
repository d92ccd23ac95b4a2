// Clauses of RFC 9111 that only the whole walk can be asked about. Those of single rules stand beside the rules.

#include "flow/walk_fixture.hpp"

namespace etage::flow::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Rfc9111 : ::testing::Test {
    Rfc9111() {
        house.origin.script = [this](const Seen& seen) {
            Say say;
            say.fields = fields;
            const auto asked = http::find(seen.fields, http::FieldId::if_none_match);
            const auto since = http::find(seen.fields, http::FieldId::if_modified_since);
            const bool holds = asked ? *asked == etag : since && *since == modified;
            if (!etag.empty()) say.fields.emplace_back("ETag", etag);
            if (!modified.empty()) say.fields.emplace_back("Last-Modified", modified);
            say.fields.emplace_back("X-Count", std::to_string(house.origin.seen.size()));
            if (holds) say.status = 304;
            say.body = holds ? "" : body;
            return say;
        };
    }

    Reply get(std::vector<std::string> more = {}) { return house.get("GET /a", std::move(more)); }
    std::size_t asked() const { return house.origin.seen.size(); }
    std::string asked_last(std::string_view name) const {
        return std::string(http::joined(house.origin.seen.back().fields, name).value_or(""));
    }
    /// Is a second request answered without the origin?
    bool reuses(const std::string& cache_control, Duration after = 1s, std::vector<std::string> request = {}) {
        house.store.clear();
        fields = {{"Cache-Control", cache_control}};
        get();
        house.pass(after);
        return get(std::move(request)).verdict.hit;
    }

    TestHouse house;
    Pairs fields{{"Cache-Control", "max-age=2"}};
    std::string etag = "\"1\"";
    std::string modified;
    std::string body = "one";
};

// ---- storing

TEST_F(Rfc9111, Section3_1_AllFieldsAreStoredButThoseOfTheConnection) {
    fields = {{"Cache-Control", "max-age=60"},   {"X-Unknown", "kept"},
              {"Connection", "X-Hop"},           {"X-Hop", "1"},
              {"Keep-Alive", "timeout=5"},       {"Proxy-Authenticate", "Basic"},
              {"Proxy-Authentication-Info", "x"}};
    get();
    const Reply hit = get();
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["x-unknown"], "kept");
    for (const char* name : {"x-hop", "keep-alive", "connection"}) EXPECT_EQ(hit[name], "") << name;
}

// ---- reuse

TEST_F(Rfc9111, Section4_AnAgeIsSaidWithoutAskingTheOrigin) {
    fields = {{"Cache-Control", "max-age=60"}, {"Age", "10"}};
    EXPECT_EQ(get()["age"], "10");
    house.pass(3s);
    EXPECT_EQ(get()["age"], "13");
    EXPECT_EQ(asked(), 1U);
}

TEST_F(Rfc9111, Section4_UnsafeMethodsAreWrittenThrough) {
    get();
    house.get("PUT /a", {}, "new");
    EXPECT_EQ(house.origin.seen.back().method, "PUT");
    EXPECT_FALSE(get().verdict.hit);
}

TEST_F(Rfc9111, Section4_TheMostRecentOfSeveralIsUsed) {
    get();
    body = "two", etag = "\"2\"";
    EXPECT_EQ(get({"Cache-Control: no-cache"}).body, "two");
    EXPECT_EQ(get().body, "two");
    EXPECT_EQ(asked(), 2U);
}

// ---- validation

TEST_F(Rfc9111, Section4_3_1_AConditionalRequestHasAllTheValidators) {
    modified = "Thu, 01 Jan 2026 00:00:00 GMT";
    get();
    house.pass(3s);
    get();
    EXPECT_EQ(asked_last("if-none-match"), etag);
    EXPECT_EQ(asked_last("if-modified-since"), modified);
}

TEST_F(Rfc9111, Section4_3_1_TheClientsOwnConditionIsNotTheCaches) {
    get({"If-None-Match: \"mine\""});
    EXPECT_EQ(asked_last("if-none-match"), "") << "nothing is stored: the whole is fetched";
    house.pass(3s);
    get({"If-None-Match: \"mine\""});
    EXPECT_EQ(asked_last("if-none-match"), etag);
}

TEST_F(Rfc9111, Section4_3_2_AConditionIsAnsweredFromWhatIsStored) {
    modified = "Thu, 01 Jan 2026 00:00:00 GMT";
    fields = {{"Cache-Control", "max-age=60"}};
    get();
    EXPECT_EQ(get({"If-None-Match: \"1\""}).status, 304);
    EXPECT_EQ(get({"If-None-Match: W/\"1\""}).status, 304);
    EXPECT_EQ(get({"If-None-Match: \"2\""}).status, 200);
    EXPECT_EQ(get({"If-None-Match: \"2\"", "If-Modified-Since: " + modified}).status, 200);
    EXPECT_EQ(get({"If-Modified-Since: " + modified}).status, 304);
    EXPECT_EQ(get({"If-Modified-Since: Wed, 31 Dec 2025 00:00:00 GMT"}).status, 200);
    EXPECT_EQ(asked(), 1U);
}

TEST_F(Rfc9111, Section4_3_3_A304MakesTheStoredResponseFresh) {
    get();
    house.pass(3s);
    const Reply again = get();
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, "one");
    EXPECT_EQ(again.verdict.forward_status, 304);
    EXPECT_TRUE(get().verdict.hit);
}

TEST_F(Rfc9111, Section4_3_3_AFullResponseTakesThePlace) {
    get();
    house.pass(3s);
    body = "two", etag = "\"2\"";
    EXPECT_EQ(get().body, "two");
    EXPECT_EQ(get().body, "two");
    EXPECT_EQ(asked(), 2U);
}

TEST_F(Rfc9111, Section4_3_3_A5xxMayBeAnsweredWithWhatIsStaleOrPassedOn) {
    fields = {{"Cache-Control", "max-age=2, stale-if-error=60"}};
    get();
    house.pass(3s);
    house.origin.script = [](const Seen&) { return Say{.status = 503}; };
    const Reply stale = get();
    EXPECT_EQ(stale.status, 200);
    EXPECT_EQ(stale["cache-status"], "etage; fwd=stale; fwd-status=503; ttl=-1; detail=stale-if-error");
    house.store.clear();
    EXPECT_EQ(get().status, 503);
}

TEST_F(Rfc9111, Section4_3_4_A304BringsNewFields) {
    get();
    house.pass(3s);
    fields = {{"Cache-Control", "max-age=60"}, {"X-New", "1"}, {"Content-Length", "999"}};
    get();
    const Reply hit = get();
    EXPECT_TRUE(hit.verdict.hit);
    EXPECT_EQ(hit["x-new"], "1");
    EXPECT_EQ(hit["x-count"], "2");
    EXPECT_EQ(hit["content-length"], "3") << "what describes the content stays";
}

TEST_F(Rfc9111, Section4_3_4_A304ToTheClientSaysWhatA200WouldHaveSaid) {
    fields = {{"Cache-Control", "max-age=60"}, {"Vary", "X-A"}, {"Content-Location", "/b"}};
    const Reply whole = get();
    const Reply unchanged = get({"If-None-Match: \"1\""});
    EXPECT_EQ(unchanged.status, 304);
    for (const char* name : {"cache-control", "vary", "content-location", "etag", "date"})
        EXPECT_EQ(unchanged[name], whole[name]) << name;
    EXPECT_EQ(unchanged["content-length"], "");
}

// ---- directives

TEST_F(Rfc9111, Section5_2_1_6_NoTransformOfTheRequestIsPassedOn) {
    get({"Cache-Control: no-transform"});
    EXPECT_EQ(asked_last("cache-control"), "no-transform");
}

TEST_F(Rfc9111, Section5_2_2_1_MaxAge) {
    EXPECT_TRUE(reuses("max-age=5", 4s));
    EXPECT_FALSE(reuses("max-age=5", 5s));
    EXPECT_TRUE(reuses("max-age=\"5\"", 4s)) << "SHOULD accept the quoted form";
}

TEST_F(Rfc9111, Section5_2_2_2_MustRevalidate) {
    house.origin.script = [](const Seen&) { return Say{200, {{"Cache-Control", "max-age=1, must-revalidate"}}}; };
    get();
    house.pass(2s);
    house.origin.script = [](const Seen&) { return Say{.fault = Fault::origin_unreachable}; };
    EXPECT_EQ(get().status, 502);
    EXPECT_EQ(get({"Cache-Control: max-stale=60"}).status, 502);
}

TEST_F(Rfc9111, Section5_2_2_6_NoTransform) {
    body = std::string(2000, 'x');
    fields = {{"Cache-Control", "max-age=60, no-transform"}, {"Content-Type", "text/plain"}};
    get();
    EXPECT_EQ(get({"Accept-Encoding: gzip"})["content-encoding"], "");
}

TEST_F(Rfc9111, Section5_2_2_8_ProxyRevalidate) {
    house.origin.script = [](const Seen&) { return Say{200, {{"Cache-Control", "max-age=1, proxy-revalidate"}}}; };
    get();
    house.pass(2s);
    house.origin.script = [](const Seen&) { return Say{.fault = Fault::origin_unreachable}; };
    EXPECT_EQ(get().status, 502);
}

TEST_F(Rfc9111, Section5_2_2_9_PublicIsForRequestsWithCredentialsToo) {
    const std::vector<std::string> credentials{"Authorization: Basic eDp5"};
    EXPECT_TRUE(reuses("public, max-age=60", 1s, credentials));
    EXPECT_FALSE(reuses("max-age=60", 1s, credentials));
}

TEST_F(Rfc9111, Section5_2_2_10_SMaxageBeatsMaxAgeAndForbidsStaleness) {
    EXPECT_TRUE(reuses("max-age=1, s-maxage=5", 4s));
    EXPECT_FALSE(reuses("max-age=60, s-maxage=1", 2s));
    EXPECT_FALSE(reuses("s-maxage=1, stale-while-revalidate=60", 2s)) << "proxy-revalidate is part of it";
}

TEST_F(Rfc9111, Section5_2_3_UnknownDirectivesMeanNothing) {
    EXPECT_TRUE(reuses("max-age=60, community=\"UCI, no-store\", foo", 1s));
    EXPECT_FALSE(reuses("max-age=60, community=\"UCI\", no-store", 1s));
}

TEST_F(Rfc9111, Section5_5_WarningIsNeitherMadeNorNeeded) {
    get();
    house.pass(3s);
    house.origin.script = [](const Seen&) { return Say{.fault = Fault::origin_unreachable}; };
    const Reply stale = get();
    EXPECT_EQ(stale.status, 200);
    EXPECT_EQ(stale["warning"], "");
}

}  // namespace
}  // namespace etage::flow::testing
