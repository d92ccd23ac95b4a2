#include "gateway/admin.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <deque>
#include <memory>

namespace etage::gateway {
namespace {

using http::Method;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FakeHouse : public House {
public:
    const base::Metrics& metrics() const noexcept override { return *counters; }
    Snapshot snapshot(Now) const override {
        if (explode) throw std::runtime_error("the house burns");
        return view;
    }
    asio::awaitable<Result<PurgeReceipt>> purge(PurgeRequest request) override {
        purged.push_back(std::move(request));
        co_return purge_result;
    }
    asio::awaitable<std::expected<Applied, Problems>> reload() override {
        if (problems.empty()) co_return Applied{3, 2, 1};
        co_return std::unexpected(problems);
    }
    asio::awaitable<Result<std::string>> explain(ExplainRequest request) override {
        explained.push_back(std::move(request));
        co_return explanation;
    }

    std::unique_ptr<base::Metrics> counters = std::make_unique<base::Metrics>();
    Snapshot view;
    bool explode = false;
    Result<PurgeReceipt> purge_result = PurgeReceipt{77, 1, 1};
    Result<std::string> explanation = "{\"hit\":true}";
    std::vector<PurgeRequest> purged;
    std::vector<ExplainRequest> explained;
    Problems problems;  // of a reload
};

/// Content in the pieces given; then the end, or an error.
class Pieces : public net::BodySource {
public:
    explicit Pieces(std::deque<std::string> pieces, bool breaks = false)
        : pieces_(std::move(pieces)), breaks_(breaks) {}
    asio::awaitable<Result<std::string_view>> read() override {
        if (pieces_.empty()) {
            if (breaks_) co_return failure(Blame::client, Fault::bad_request, "cut short");
            co_return std::string_view{};
        }
        current_ = std::move(pieces_.front());
        pieces_.pop_front();
        co_return current_;
    }

private:
    std::deque<std::string> pieces_;
    std::string current_;
    bool breaks_;
};

struct Ask {
    Method method = Method::get;
    std::string path = "/";
    std::string query{};
    std::string host = "127.0.0.1:8081";
    http::Fields fields{};
    std::shared_ptr<net::BodySource> body{};
};

struct Reply {
    int status = 0;
    std::string head;
    std::string content;
    bool head_only = false;
    nlohmann::json json() const { return nlohmann::json::parse(content); }
};

class AdminTest : public testing::Test {
protected:
    AdminTest() { house_.view.ready = true; }

    Reply ask(const Ask& ask) {
        http::RequestHead request;
        request.method = ask.method;
        request.path = ask.path;
        request.query = ask.query;
        request.authority = ask.host;
        request.fields = ask.fields.span();
        std::string key;
        flow::Visit visit{request, "127.0.0.1", "http", now_, key, {}};
        flow::Answer answer;
        EXPECT_FALSE(admin_->answer_now(visit, answer));
        asio::io_context io;
        asio::co_spawn(io, admin_->answer(visit, ask.body, answer), asio::detached);
        io.run();
        EXPECT_EQ(answer.tail.view(), "");
        return {answer.status, std::string(answer.head), std::string(answer.body), answer.head_only};
    }
    Reply get(std::string path, std::string query = "") {
        return ask({Method::get, std::move(path), std::move(query)});
    }
    Reply purge(std::deque<std::string> pieces) {
        return ask({Method::post, "/purge", "", "127.0.0.1:8081", {}, std::make_shared<Pieces>(std::move(pieces))});
    }
    void lock(std::string token) {
        AdminConfig config;
        config.token = std::move(token);
        admin_ = std::make_unique<Admin>(house_, config, quiet_);
    }

    Now now_{Instant(std::chrono::seconds(5)), WallTime(std::chrono::seconds(784'111'777))};
    FakeHouse house_;
    base::Log quiet_{{base::LogLevel::off, base::LogFormat::text, {}}};
    std::unique_ptr<Admin> admin_ = std::make_unique<Admin>(house_, AdminConfig{}, quiet_);
};

TEST_F(AdminTest, HeadsAreWhole) {
    const Reply reply = get("/healthz");
    EXPECT_EQ(reply.head,
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
              "Content-Length: 16\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    EXPECT_EQ(reply.content, "{\"status\":\"ok\"}\n");
    EXPECT_FALSE(reply.head_only);
}

TEST_F(AdminTest, ReadyDegradedAndAway) {
    EXPECT_EQ(get("/readyz").content, "{\"status\":\"ready\"}\n");
    house_.view.degraded = "Redis is away";
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(get("/readyz").json()["status"], "degraded");
    EXPECT_EQ(get("/readyz").json()["reason"], "Redis is away");
    house_.view.ready = false;
    EXPECT_EQ(get("/readyz").status, 503);
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(AdminTest, NoPageOfAnotherOriginReadsAnything) {
    for (const char* path : {"/", "/healthz", "/readyz", "/stats.json", "/metrics", "/explain", "/purge", "/nowhere"})
        for (const Method method : {Method::get, Method::post, Method::options}) {
            http::Fields fields;
            fields.add("Origin", "http://127.0.0.1:8081");
            fields.add("Access-Control-Request-Method", "POST");
            const Reply reply = ask({method, path, "", "127.0.0.1:8081", std::move(fields)});
            EXPECT_THAT(reply.head, Not(HasSubstr("Access-Control"))) << path;
        }
}

TEST_F(AdminTest, MetricsStatsAndPage) {
    EXPECT_THAT(get("/metrics").head, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_THAT(get("/metrics").content, HasSubstr("etage_requests_total 0"));
    EXPECT_EQ(get("/stats.json").json()["ready"], true);
    const Reply page = get("/");
    EXPECT_THAT(page.head, HasSubstr("Content-Type: text/html"));
    EXPECT_THAT(page.head, HasSubstr("Content-Security-Policy: default-src 'none'"));
    EXPECT_THAT(page.content, HasSubstr("<title>Etage</title>"));
}

TEST_F(AdminTest, HeadIsGetWithoutContent) {
    const Reply reply = ask({Method::head, "/metrics"});
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.head_only);
    EXPECT_THAT(reply.head, HasSubstr("Content-Length: "));
}

TEST_F(AdminTest, OtherPathsAndMethods) {
    const Reply missing = get("/nowhere");
    EXPECT_EQ(missing.status, 404);
    EXPECT_THAT(missing.head, HasSubstr("application/problem+json"));
    EXPECT_EQ(missing.json()["status"], 404);
    EXPECT_EQ(get("/purge").status, 405);
    EXPECT_THAT(get("/purge").head, HasSubstr("Allow: POST\r\n"));
    EXPECT_THAT(ask({Method::post, "/metrics"}).head, HasSubstr("Allow: GET, HEAD\r\n"));
    EXPECT_EQ(ask({Method::options, "/purge"}).status, 405);  // no CORS: a preflight finds nothing
    EXPECT_THAT(ask({Method::options, "/purge"}).head, Not(HasSubstr("Access-Control")));
    EXPECT_EQ(ask({Method::head, "/purge"}).status, 405);
}

TEST_F(AdminTest, PurgesWhatTheBodySays) {
    const Reply reply = purge({"{\"tags\": [\"po", "sts\"], \"soft\"", ": true}"});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.content, "{\"seq\":\"77\",\"instances\":{\"confirmed\":1,\"live\":1}}\n");
    ASSERT_EQ(house_.purged.size(), 1U);
    EXPECT_THAT(house_.purged[0].tags, ElementsAre("posts"));
    EXPECT_TRUE(house_.purged[0].soft);
}

TEST_F(AdminTest, WhatIsNotUnderstoodIsNotPurged) {
    EXPECT_EQ(purge({"{\"tag\": [\"posts\"]}"}).status, 400);
    EXPECT_THAT(purge({"{\"tag\": [\"posts\"]}"}).json()["detail"], HasSubstr("did you mean \"tags\"?"));
    EXPECT_EQ(purge({}).status, 400);
    EXPECT_EQ(ask({Method::post, "/purge"}).status, 400);
    EXPECT_EQ(purge(std::deque<std::string>(20, std::string(100'000, ' '))).status, 413);
    EXPECT_EQ(ask({Method::post,
                   "/purge",
                   "",
                   "127.0.0.1:8081",
                   {},
                   std::make_shared<Pieces>(std::deque<std::string>{"{\"all\":true}"}, true)})
                  .status,
              400);
    EXPECT_TRUE(house_.purged.empty());
}

TEST_F(AdminTest, NothingRecordedIsNever200) {
    house_.purge_result = failure(Blame::remote_store, Fault::not_recorded, "the log could not be reached", true);
    const Reply reply = purge({"{\"all\": true}"});
    EXPECT_EQ(reply.status, 503);
    EXPECT_THAT(reply.head, HasSubstr("application/problem+json"));
    EXPECT_EQ(reply.json()["detail"], "the log could not be reached");
    EXPECT_EQ(reply.json()["type"], "urn:etage:problem:not-recorded");
}

TEST_F(AdminTest, ExplainsWithTheFieldsGiven) {
    const Reply reply = get("/explain", "url=%2Fposts%3Flimit%3D10&header=Accept-Encoding:%20br&header=X-User:a%3Ab");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.content, "{\"hit\":true}");
    ASSERT_EQ(house_.explained.size(), 1U);
    EXPECT_EQ(house_.explained[0].url, "/posts?limit=10");
    EXPECT_EQ(http::find(house_.explained[0].fields, http::FieldId::accept_encoding), "br");
    EXPECT_EQ(http::find(house_.explained[0].fields, "x-user"), "a:b");
}

TEST_F(AdminTest, ExplainRefusesWhatIsNoQuestion) {
    for (const char* query : {"", "url=", "url=/x&header=nocolon", "url=/x&header=a%0d%0ab:c",
                              "url=/x&header=a:b%0d%0ac", "url=%zz", "url=/x&haeder=a:b"})
        EXPECT_EQ(get("/explain", query).status, 400) << query;
    EXPECT_THAT(get("/explain", "url=/x&haeder=a:b").json()["detail"], HasSubstr("did you mean \"header\"?"));
    EXPECT_TRUE(house_.explained.empty());
    house_.explanation = failure(Blame::client, Fault::bad_request, "no such URL");
    EXPECT_EQ(get("/explain", "url=/x").status, 400);
}

TEST_F(AdminTest, AReloadSaysWhatIsAppliedOrWhatIsWrong) {
    const Reply applied = ask({Method::post, "/reload"});
    EXPECT_EQ(applied.status, 200);
    EXPECT_EQ(applied.json()["routes"], 3);
    EXPECT_EQ(applied.json()["origins"], 1);
    house_.problems.add("etage.toml:3:1", "unknown key");
    const Reply refused = ask({Method::post, "/reload"});
    EXPECT_EQ(refused.status, 422);
    EXPECT_THAT(refused.head, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_EQ(refused.content, "etage.toml:3:1: unknown key\n");
    EXPECT_EQ(ask({Method::get, "/reload"}).status, 405);
}

TEST_F(AdminTest, ForeignHostsSeeHealthAndTheEmptyPageOnly) {
    for (const char* path : {"/metrics", "/stats.json", "/explain"})
        EXPECT_EQ(ask({Method::get, path, "url=/x", "evil.example"}).status, 403) << path;
    for (const char* path : {"/", "/healthz", "/readyz"})
        EXPECT_EQ(ask({Method::get, path, "", "10.1.2.3:8081"}).status, 200) << path;
    EXPECT_EQ(ask({Method::post,
                   "/purge",
                   "",
                   "evil.example",
                   {},
                   std::make_shared<Pieces>(std::deque<std::string>{"{\"all\":true}"})})
                  .status,
              403);
    EXPECT_TRUE(house_.purged.empty());
}

TEST_F(AdminTest, FormsOfForeignPagesDoNotPurge) {
    http::Fields fields;
    fields.add("Origin", "http://evil.example");
    EXPECT_EQ(ask({Method::post, "/purge", "", "127.0.0.1:8081", fields,
                   std::make_shared<Pieces>(std::deque<std::string>{"{\"all\":true}"})})
                  .status,
              403);
    EXPECT_TRUE(house_.purged.empty());
}

TEST_F(AdminTest, ATokenIsAskedForWhereItMatters) {
    lock("s3cret");
    EXPECT_EQ(get("/stats.json").status, 401);
    EXPECT_THAT(get("/stats.json").head, HasSubstr("WWW-Authenticate: Bearer realm=\"etage\"\r\n"));
    EXPECT_EQ(get("/").status, 200);
    EXPECT_EQ(get("/readyz").status, 200);
    http::Fields fields;
    fields.add("Authorization", "Bearer s3cret");
    EXPECT_EQ(ask({Method::get, "/stats.json", "", "metrics.internal", fields}).status, 200);
}

TEST_F(AdminTest, AnExceptionIsAnAnswer) {
    house_.explode = true;
    const Reply reply = get("/metrics");
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.json()["detail"], "the house burns");
}

TEST_F(AdminTest, RefusalsCloseTheConnection) {
    flow::Answer answer;
    admin_->refuse(Fault::fields_too_large, "too many fields", answer);
    EXPECT_EQ(answer.status, 431);
    EXPECT_TRUE(answer.close);
    EXPECT_EQ(nlohmann::json::parse(answer.body)["detail"], "too many fields");
}

}  // namespace
}  // namespace etage::gateway
