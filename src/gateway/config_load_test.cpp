#include "gateway/config_load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace etage::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Sources file(std::string text) { return {SourceText{"etage.toml", std::move(text)}, {}, {}, {}}; }

Config good(const Sources& sources) {
    auto config = load_config(sources);
    EXPECT_TRUE(config) << config.error().text();
    return config ? *config : Config{};
}

std::vector<std::string> bad(const Sources& sources) {
    const auto config = load_config(sources);
    return config ? std::vector<std::string>{"(accepted)"} : config.error().lines();
}

std::vector<std::string> bad(std::string text) { return bad(file(std::move(text))); }

TEST(ConfigLoad, NothingSaidIsTheDefault) {
    const Config config = good({});
    ASSERT_EQ(config.server.listen.size(), 1U);
    EXPECT_EQ(config.server.listen.front().text(), "127.0.0.1:8080");
    EXPECT_EQ(config.admin.listen.text(), "127.0.0.1:8081");
    EXPECT_EQ(config.memory.limit, 256U << 20);
    EXPECT_EQ(config.server.grace, Duration(10s));
    EXPECT_THAT(config.routes, IsEmpty());
    EXPECT_THAT(config.origin_names(), ElementsAre("default"));
    EXPECT_FALSE(config.default_ttl);
}

TEST(ConfigLoad, TheManualsExample) {
    const Config config = good(file(R"(
[server]
listen = ["0.0.0.0:8080", "[::]:8090"]
threads = 4
trusted_proxies = ["10.0.0.0/8"]
grace = "5s"
header_timeout = "3s"
connections_max = 1000
head_bytes_max = "64KiB"
[admin]
listen = "127.0.0.1:8081"
[origin]
urls = ["http://127.0.0.1:8000", "http://127.0.0.1:8001"]
connect_timeout = "500ms"
cost_per_call = 0.002
currency = "EUR"
[memory]
limit = "64MiB"
entry_max = "1MiB"
[log]
level = "warn"
format = "json"
access = "misses"

[[route]]
match = "GET /posts"
cache  = { ttl = "60s", stale_while_revalidate = "30s", stale_if_error = "10m", tags = ["posts", "posts:cat:{query.category}"] }
key    = { query = ["limit", "offset", "category"], headers = ["Accept-Language"] }
client = { cache_control = "public, max-age=30" }
limits = [{ name = "burst", rate = "120/min", burst = 30, by = "ip" }]

[[route]]
match = "GET /me"
cache = { per = "user", negative_ttl = "5s", allow_set_cookie = true, respect_origin = false }
key = { query_ignore = ["utm_source"] }
client = { cdn_cache_control = "max-age=60", expose_tags = true, compress = false }
identity = { header = "X-User" }
limits = [{ name = "key", rate = "5/s", by = "header:x-api-key", dry_run = true }, { name = "sid", rate = "9/h", by = "cookie:sid" }]

[[route]]
match = "POST|PUT|PATCH|DELETE /posts/**"
invalidates = ["posts"]
)"));
    EXPECT_EQ(config.server.listen.back().text(), "[::]:8090");
    EXPECT_EQ(config.server.threads, 4U);
    ASSERT_EQ(config.server.trusted_proxies.size(), 1U);
    EXPECT_EQ(config.server.trusted_proxies[0].prefix_length, 8U);
    EXPECT_EQ(config.server.grace, Duration(5s));
    EXPECT_EQ(config.server.header_timeout, Duration(3s));
    EXPECT_EQ(config.server.connections_max, 1000U);
    EXPECT_EQ(config.server.head_bytes_max, 64U << 10);
    ASSERT_EQ(config.origins.front().urls.size(), 2U);
    EXPECT_EQ(config.origins.front().urls[1].port, "8001");
    EXPECT_EQ(config.origins.front().connect_timeout, Duration(500ms));
    EXPECT_DOUBLE_EQ(config.origins.front().calls.cost_per_call, 0.002);
    EXPECT_EQ(config.origins.front().calls.currency, "EUR");
    EXPECT_EQ(config.memory.limit, 64U << 20);
    EXPECT_EQ(config.memory.entry_max, 1U << 20);
    EXPECT_EQ(config.log.level, base::LogLevel::warn);
    EXPECT_EQ(config.log.format, base::LogFormat::json);
    EXPECT_EQ(config.log.access, AccessLog::misses);

    ASSERT_EQ(config.routes.size(), 3U);
    const RoutePolicy& posts = config.routes[0];
    EXPECT_EQ(posts.match, "GET /posts");
    EXPECT_EQ(posts.cache.ttl, Duration(60s));
    EXPECT_EQ(posts.cache.stale_while_revalidate, Duration(30s));
    EXPECT_EQ(posts.cache.stale_if_error, Duration(10min));
    EXPECT_THAT(posts.cache.tags, ElementsAre("posts", "posts:cat:{query.category}"));
    EXPECT_EQ(posts.key.query_mode, KeyPolicy::Query::allow);
    EXPECT_THAT(posts.key.query, ElementsAre("limit", "offset", "category"));
    EXPECT_THAT(posts.key.headers, ElementsAre("Accept-Language"));
    EXPECT_EQ(posts.client.cache_control, "public, max-age=30");
    ASSERT_EQ(posts.limits.size(), 1U);
    EXPECT_EQ(posts.limits[0].name, "burst");
    EXPECT_EQ(posts.limits[0].quota, 120U);
    EXPECT_EQ(posts.limits[0].window, Duration(1min));
    EXPECT_EQ(posts.limits[0].burst, 30U);
    EXPECT_EQ(posts.limits[0].by, LimitPolicy::By::ip);

    const RoutePolicy& me = config.routes[1];
    EXPECT_EQ(me.cache.per, Per::user);
    EXPECT_EQ(me.cache.negative_ttl, Duration(5s));
    EXPECT_TRUE(me.cache.allow_set_cookie);
    EXPECT_FALSE(me.cache.respect_origin);
    EXPECT_EQ(me.key.query_mode, KeyPolicy::Query::ignore);
    EXPECT_EQ(me.client.cdn_cache_control, "max-age=60");
    EXPECT_TRUE(me.client.expose_tags);
    EXPECT_FALSE(me.client.compress);
    EXPECT_EQ(me.identity.header, "X-User");
    ASSERT_EQ(me.limits.size(), 2U);
    EXPECT_EQ(me.limits[0].by, LimitPolicy::By::header);
    EXPECT_EQ(me.limits[0].by_name, "x-api-key");
    EXPECT_TRUE(me.limits[0].dry_run);
    EXPECT_EQ(me.limits[1].by, LimitPolicy::By::cookie);
    EXPECT_EQ(me.limits[1].by_name, "sid");

    EXPECT_THAT(config.routes[2].invalidates, ElementsAre("posts"));
}

TEST(ConfigLoad, UnknownKeysNameTheNearest) {
    EXPECT_THAT(bad("[[route]]\nmatch = \"GET /posts\"\ncache = { ttl = \"60s\", stale_while_revaldate = \"30s\" }\n"),
                ElementsAre("etage.toml:3:24: unknown key \"stale_while_revaldate\" in [[route]].cache; did you mean "
                            "\"stale_while_revalidate\"?"));
    EXPECT_THAT(bad("[server]\nlisten = \"127.0.0.1:1\"\n  thread = 2\n"),
                ElementsAre("etage.toml:3:3: unknown key \"thread\" in [server]; did you mean \"threads\"?"));
    EXPECT_THAT(bad("[sever]\nthreads = 2\n"),
                ElementsAre(HasSubstr("unknown section \"sever\"; did you mean \"server\"?")));
    EXPECT_THAT(bad("[[route]]\nmacth = \"GET /\"\n"),
                ElementsAre(HasSubstr("unknown key \"macth\" in [[route]]; did you mean \"match\"?")));
    EXPECT_THAT(
        bad("[[route]]\nmatch = \"GET /\"\nlimits = [{ name = \"a\", rat = \"1/s\" }]\n"),
        ElementsAre(HasSubstr("etage.toml:3:25: unknown key \"rat\" in [[route]].limits; did you mean \"rate\"?")));
    EXPECT_THAT(bad("[log]\nzzzzzzzzzz = 1\n"), ElementsAre(HasSubstr("; there is level, format and access")));
}

TEST(ConfigLoad, WrongTypesAndValuesPointAtThem) {
    const std::pair<const char*, const char*> cases[] = {
        {"[server]\nthreads = \"8\"",
         "etage.toml:2:11: [server].threads: expected a whole number, not the string \"8\""},
        {"[server]\nthreads = -1", "etage.toml:2:11: [server].threads: -1 is not between 0 and 1024"},
        {"[server]\nthreads = 5000", "5000 is not between 0 and 1024"},
        {"[server]\nthreads = 1.5", "expected a whole number, not a number with a fraction"},
        {"[server]\nlisten = 8080", "expected a list of strings, not the number 8080"},
        {"[server]\nlisten = []", "needs at least one address"},
        {"[server]\nlisten = [\"127.0.0.1:8080\", 1]",
         "etage.toml:2:29: [server].listen: expected a string, not the number 1"},
        {"[server]\nlisten = [\"127.0.0.1:8080\",\n\"127.0.0.1:8080\"]",
         "etage.toml:3:1: [server].listen: 127.0.0.1:8080 is listed twice"},
        {"[server]\nlisten = \"nonsense\"", "etage.toml:2:10: [server].listen: \"nonsense\": "},
        {"[server]\ntrusted_proxies = [\"10.0.0.1/8\"]", "has bits set behind its prefix"},
        {"[server]\ngrace = 10", "[server].grace: \"10\" has no unit; write \"10s\" for seconds"},
        {"[server]\ngrace = true", "expected a duration like \"60s\", not true"},
        {"[server]\nheader_timeout = \"0s\"", "is too short; the least is \"10ms\""},
        {"[server]\nhead_bytes_max = \"12\"", "is too small; the least is 1024 bytes"},
        {"[server]\nhead_bytes_max = \"1GiB\"", "is too large; the most is 1048576 bytes"},
        {"[memory]\nlimit = \"256MB \\u0000\"", "is not a size"},
        {"[memory]\nlimit = [1]", "expected a size like \"256MiB\", not a list"},
        {"[memory]\nlimit = 1979-05-27", "not a date"},
        {"[memory]\nlimit = \"4MiB\"\nentry_max = \"8MiB\"",
         "etage.toml:3:13: [memory].entry_max: is larger than memory.limit"},
        {"[log]\nlevel = \"warning\"", "unknown word \"warning\"; there is debug, info, warn, error and off"},
        {"[log]\naccess = true", "expected a string, not true"},
        {"[origin]\nurls = [\"ftp://x\"]", "etage.toml:2:9: [origin].urls: \"ftp://x\": "},
        {"[origin]\ncost_per_call = -0.1", "is too small"},
        {"[origin]\ncurrency = \"euro\"", "is no currency"},
        {"[[origin]]\nurls = [\"http://a\"]", "expected a table, not a list"},
        {"[admin]\ntoken = \"two words\"", "a token is visible ASCII without spaces"},
        {"server = 1", "expected a table, not the number 1"},
        {"[route]\nmatch = \"GET /\"", "routes are a list; write [[route]] with two brackets"},
        {"[[route]]\ncache = { ttl = \"1s\" }", "etage.toml:1:1: [[route]]: a route needs a pattern"},
        {"[[route]]\nmatch = \"GET /\"\ncache = \"60s\"", "expected a table, not the string \"60s\""},
        {"[[route]]\nmatch = \"GET /\"\ncache = { pass = true, ttl = \"1s\" }", "pass = true stores nothing"},
        {"[[route]]\nmatch = \"GET /\"\ncache = { tags = [\"a\", 2] }",
         "etage.toml:3:24: [[route]].cache.tags: expected a string"},
        {"[[route]]\nmatch = \"GET /\"\ncache = { per = \"session\" }", "unknown word \"session\""},
        {"[[route]]\nmatch = \"GET /\"\nkey = { query = [\"a\"], query_ignore = [\"b\"] }", "exclude each other"},
        {"[[route]]\nmatch = \"GET /\"\nkey = { query_ignore = [\"b\"], query = [\"a\"] }", "exclude each other"},
        {"[[route]]\nmatch = \"GET /\"\nkey = { headers = [\"no colon: x\"] }", "cannot be the name of a header field"},
        {"[[route]]\nmatch = \"GET /\"\nclient = { cache_control = \"a\\nSet-Cookie: b\" }",
         "holds characters that no header field may hold"},
        {"[[route]]\nmatch = \"GET /\"\nlimits = { name = \"a\" }", "expected a list of tables"},
        {"[[route]]\nmatch = \"GET /\"\norigin = \"serach\"\n[origins.search]\nurls = [\"http://a\"]",
         "no origin is named \"serach\"; did you mean \"search\"?"},
        {"[origins.search]\nconnect_timeout = \"1s\"", "[origins].search needs urls"},
        {"[origins.default]\nurls = [\"http://a\"]", "the default origin is written [origin]"},
    };
    for (const auto& [text, expected] : cases) EXPECT_THAT(bad(text), ElementsAre(HasSubstr(expected))) << text;
}

TEST(ConfigLoad, PatternsAndTemplatesAreCompiled) {
    EXPECT_THAT(bad("[[route]]\nmatch = \"GET posts\"\n"), ElementsAre(HasSubstr("etage.toml:2:9: [[route]].match: ")));
    EXPECT_THAT(bad("[[route]]\nmatch = \"GET /posts/{id}\"\ncache = { tags = [\"post:{path.di}\"] }\n"),
                ElementsAre(HasSubstr("etage.toml:2:9: [[route]].match: ")));
}

TEST(ConfigLoad, EveryProblemIsReported) {
    EXPECT_THAT(bad("[server]\nthreads = \"x\"\ngrace = 5\n[memroy]\n[[route]]\nmatch = 7\nclient = 8\n"),
                ElementsAre(HasSubstr(":2:11:"), HasSubstr(":3:9:"), HasSubstr("memroy"), HasSubstr(":6:9:"),
                            HasSubstr(":7:10:")));
}

TEST(ConfigLoad, SyntaxErrorsHaveAPlace) {
    EXPECT_THAT(bad("[server]\nthreads = = 2\n"), ElementsAre(testing::StartsWith("etage.toml:2:11: ")));
    EXPECT_THAT(bad("[server]\nthreads = 1\nthreads = 2\n"), ElementsAre(testing::StartsWith("etage.toml:3:")));
    EXPECT_THAT(bad("\xff\xfe"), ElementsAre(testing::StartsWith("etage.toml:1:")));
}

TEST(ConfigLoad, TheSharedTier) {
    const auto config = good(file(R"(
[redis]
url = "rediss+sentinel://app:s%40cret@10.0.0.1,10.0.0.2:26380/main/3"
namespace = "shop"
budget = "20ms"
required = true
entry_max = "2MiB"
secret = "the same everywhere"
tls_ca = "/etc/ca.pem"
[coherence]
mode = "strict"
lease = "2s"
blind_max = "5s"
settle = "1s"
)"));
    ASSERT_TRUE(config.redis.url);
    EXPECT_EQ(config.redis.url->arrangement, redis::Arrangement::sentinel);
    EXPECT_EQ(config.redis.url->password, "s@cret");
    EXPECT_EQ(config.redis.url->addresses.size(), 2U);
    EXPECT_EQ(config.redis.name_space, "shop");
    EXPECT_EQ(config.redis.budget, 20ms);
    EXPECT_TRUE(config.redis.required);
    EXPECT_EQ(config.redis.entry_max, 2U << 20U);
    EXPECT_EQ(config.redis.secret, "the same everywhere");
    EXPECT_EQ(config.redis.tls_ca, "/etc/ca.pem");
    EXPECT_EQ(config.coherence.mode, CoherenceConfig::Mode::strict);
    EXPECT_EQ(config.coherence.lease, 2s);
    EXPECT_EQ(config.coherence.blind_max, 5s);
    EXPECT_EQ(config.coherence.settle, 1s);
    EXPECT_FALSE(good(file("")).redis.url) << "without a URL there is none";
}

TEST(ConfigLoad, TheSharedTierIsWrongInPlainWords) {
    EXPECT_THAT(bad("[redis]\nurl = \"http://127.0.0.1\"\n"), ElementsAre(HasSubstr("etage.toml:2:7: [redis].url: ")));
    EXPECT_THAT(bad(Sources{{}, {}, {"ETAGE_REDIS_URL=reddis://u:pass@x"}, {}}),
                ElementsAre(testing::AllOf(HasSubstr("environment: ETAGE_REDIS_URL: "), HasSubstr("redis"),
                                           testing::Not(HasSubstr("pass@")))));
    EXPECT_THAT(bad("[redis]\nnamespace = \"a{b}\"\n"), ElementsAre(HasSubstr("without braces")));
    EXPECT_THAT(bad("[redis]\nsecret = \"short\"\n"), ElementsAre(HasSubstr("at least 16 characters")));
    EXPECT_THAT(bad("[coherence]\nmode = \"stict\"\n"), ElementsAre(HasSubstr("did you mean \"strict\"?")));
    EXPECT_THAT(bad("[redis]\nurll = \"redis://x\"\n"), ElementsAre(HasSubstr("did you mean \"url\"?")));
}

TEST(ConfigLoad, FlagBeatsEnvironmentBeatsDotenvBeatsFile) {
    Sources sources =
        file("[memory]\nlimit = \"10MiB\"\nentry_max = \"1KiB\"\n[server]\nthreads = 1\ngrace = \"1s\"\n");
    sources.dotenv = SourceText{".env", "ETAGE_SERVER_THREADS=2\nETAGE_MEMORY_LIMIT=20MiB\nETAGE_SERVER_GRACE=2s\n"};
    sources.environment = {"ETAGE_SERVER_THREADS=3", "ETAGE_MEMORY_LIMIT=30MiB"};
    sources.flags = {{"--threads", "server.threads", {"4"}}};
    const Config config = good(sources);
    EXPECT_EQ(config.server.threads, 4U);
    EXPECT_EQ(config.memory.limit, 30U << 20);
    EXPECT_EQ(config.server.grace, Duration(2s));
    EXPECT_EQ(config.memory.entry_max, 1024U);
}

TEST(ConfigLoad, VariablesCarryEveryType) {
    const Config config =
        good({{},
              {},
              {"ETAGE_SERVER_LISTEN=127.0.0.1:1, 127.0.0.1:2", "ETAGE_ORIGIN_URLS=http://a,http://b:81",
               "ETAGE_SERVER_THREADS= 7 ", "ETAGE_LOG_LEVEL=off", "ETAGE_ORIGIN_COST_PER_CALL=0.5",
               "ETAGE_ORIGIN_CURRENCY=USD", "ETAGE_ADMIN_TOKEN=s3cret", "HOME=/root",
               "ETAGE_MEMORY_ENTRY_MAX=", "ETAGE_CONFIG=elsewhere.toml"},
              {}});
    ASSERT_EQ(config.server.listen.size(), 2U);
    EXPECT_EQ(config.server.listen[1].text(), "127.0.0.1:2");
    ASSERT_EQ(config.origins.front().urls.size(), 2U);
    EXPECT_EQ(config.origins.front().urls[1].port, "81");
    EXPECT_EQ(config.server.threads, 7U);
    EXPECT_EQ(config.log.level, base::LogLevel::off);
    EXPECT_DOUBLE_EQ(config.origins.front().calls.cost_per_call, 0.5);
    EXPECT_EQ(config.admin.token, "s3cret");
}

TEST(ConfigLoad, WrongVariablesAreNamed) {
    const auto environment = [](const char* text) { return bad(Sources{{}, {}, {text}, {}}); };
    EXPECT_THAT(
        environment("ETAGE_SERVER_THREAD=2"),
        ElementsAre("environment: unknown variable ETAGE_SERVER_THREAD; did you mean \"ETAGE_SERVER_THREADS\"?"));
    EXPECT_THAT(environment("ETAGE_QUUX_FROBNICATION_LEVEL_9=2"), ElementsAre(HasSubstr("`etage check --list`")));
    EXPECT_THAT(environment("ETAGE_SERVER_THREADS=many"),
                ElementsAre("environment: ETAGE_SERVER_THREADS: expected a whole number, not the string \"many\""));
    EXPECT_THAT(bad(Sources{{}, SourceText{".env", "# mine\n\nETAGE_MEMORY_LIMT=1MiB\n"}, {}, {}}),
                ElementsAre(".env:3: unknown variable ETAGE_MEMORY_LIMT; did you mean \"ETAGE_MEMORY_LIMIT\"?"));
    EXPECT_THAT(bad(Sources{{}, {}, {}, {{"--threads", "server.threads", {"x"}}}}),
                ElementsAre("command line: --threads: expected a whole number, not the string \"x\""));
}

TEST(ConfigLoad, RepeatedFlagsMakeAList) {
    const Config config = good(
        {{},
         {},
         {},
         {{"--listen", "server.listen", {"127.0.0.1:1", "127.0.0.1:2"}}, {"--origin", "origin.urls", {"http://a"}}}});
    EXPECT_EQ(config.server.listen.size(), 2U);
    EXPECT_EQ(config.origins.front().urls.size(), 1U);
}

TEST(ConfigLoad, AnAdminAddressOthersCanReachNeedsAToken) {
    EXPECT_THAT(bad("[admin]\nlisten = \"0.0.0.0:8081\"\n"),
                ElementsAre("etage.toml:2:10: [admin].listen: 0.0.0.0:8081 can be reached from other machines; set "
                            "[admin] token, or listen on 127.0.0.1"));
    EXPECT_THAT(bad(Sources{{}, {}, {}, {{"--admin", "admin.listen", {"[::]:8081"}}}}),
                ElementsAre(HasSubstr("command line: --admin: ")));
    good(file("[admin]\nlisten = \"0.0.0.0:8081\"\ntoken = \"s3cret\"\n"));
    good(file("[admin]\nlisten = \"127.8.8.8:8081\"\n"));
    good(file("[admin]\nlisten = \"[::1]:8081\"\n"));
}

TEST(ConfigLoad, ClientsAndAdministrationNeedTwoAddresses) {
    EXPECT_THAT(bad("[server]\nlisten = \"127.0.0.1:8081\"\n"),
                ElementsAre(HasSubstr("etage.toml:2:10: [server].listen: 127.0.0.1:8081 is the address of both")));
    good(file("[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n"));
}

TEST(ConfigLoad, ASmallMemoryLimitLowersTheEntryMax) {
    EXPECT_EQ(good(file("[memory]\nlimit = \"4MiB\"\n")).memory.entry_max, 4U << 20);
}

TEST(ConfigLoad, TheDefaultTtlIsForRoutesThatMayCacheAndNameNone) {
    const Config config = good(file(R"(
[default]
ttl = "60s"
[[route]]
match = "GET /a"
[[route]]
match = "GET /b"
cache = { ttl = "5s" }
[[route]]
match = "GET /c"
cache = { pass = true }
[[route]]
match = "POST /d"
[[route]]
match = "/e/**"
)"));
    ASSERT_EQ(config.routes.size(), 5U);
    EXPECT_EQ(config.routes[0].cache.ttl, Duration(60s));
    EXPECT_EQ(config.routes[1].cache.ttl, Duration(5s));
    EXPECT_FALSE(config.routes[2].cache.ttl);
    EXPECT_FALSE(config.routes[3].cache.ttl);
    EXPECT_EQ(config.routes[4].cache.ttl, Duration(60s));
    EXPECT_EQ(good({{}, {}, {"ETAGE_DEFAULT_TTL=30s"}, {}}).default_ttl, Duration(30s));
}

TEST(ConfigLoad, QueryWords) {
    const auto mode = [](const std::string& key) {
        return good(file("[[route]]\nmatch = \"GET /\"\nkey = { " + key + " }\n")).routes.at(0).key;
    };
    EXPECT_EQ(mode("query = \"all\"").query_mode, KeyPolicy::Query::all);
    EXPECT_EQ(mode("query = \"none\"").query_mode, KeyPolicy::Query::allow);
    EXPECT_THAT(mode("query = \"none\"").query, IsEmpty());
    EXPECT_EQ(mode("query = []").query_mode, KeyPolicy::Query::allow);
}

TEST(ConfigLoad, NamedOriginsComeInFileOrder) {
    const Config config =
        good(file("[origins.search]\nurls = [\"http://s\"]\n[origin]\nurls = [\"http://d\"]\n[origins.auth]\nurls = "
                  "[\"http://a\"]\n"
                  "[[route]]\nmatch = \"GET /s\"\norigin = \"search\"\n"));
    EXPECT_THAT(config.origin_names(), ElementsAre("default", "search", "auth"));
    EXPECT_EQ(config.routes.at(0).origin, "search");
}

TEST(ConfigLoad, RunningNeedsAnOrigin) {
    EXPECT_THAT(check_runnable(Config{}).lines(), ElementsAre(HasSubstr("no origin: say --origin")));
    Config config = good({{}, {}, {"ETAGE_ORIGIN_URLS=http://a", "ETAGE_DEFAULT_TTL=1m"}, {}});
    EXPECT_THAT(check_runnable(config).lines(), ElementsAre(HasSubstr("default.ttl is the ttl of routes")));
    config.default_ttl.reset();
    EXPECT_TRUE(check_runnable(config).empty());
}

/// A directory of its own, gone afterwards.
class ConfigFiles : public testing::Test {
protected:
    ConfigFiles() {
        std::string pattern = testing::TempDir() + "etage-config-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~ConfigFiles() override { std::filesystem::remove_all(directory_); }
    std::string write(const std::string& name, const std::string& text) {
        const std::string path = directory_ + "/" + name;
        std::ofstream(path) << text;
        return path;
    }
    std::expected<Sources, Problems> gather(std::optional<std::string> config,
                                            std::vector<std::string> environment = {}) {
        return gather_sources(config, {}, std::move(environment), directory_);
    }

    std::string directory_;
};

TEST_F(ConfigFiles, TheFlagNamesTheFileElseTheVariable) {
    const std::string a = write("a.toml", "[server]\nthreads = 1\n");
    const std::string b = write("b.toml", "");
    EXPECT_EQ(gather(a, {"ETAGE_CONFIG=" + b})->file->name, a);
    EXPECT_EQ(gather({}, {"ETAGE_CONFIG=" + b})->file->text, "");
    EXPECT_FALSE(gather({})->file);
    write(".env", "ETAGE_CONFIG=" + a + "\n");
    EXPECT_EQ(gather({})->file->name, a);
    EXPECT_EQ(gather({}, {"ETAGE_CONFIG=" + b})->file->name, b);
    EXPECT_EQ(good(*gather({})).server.threads, 1U);
}

TEST_F(ConfigFiles, WhatCannotBeReadIsSaid) {
    for (const std::string& path : {directory_ + "/missing.toml", directory_}) {
        const auto sources = gather(path);
        ASSERT_FALSE(sources);
        EXPECT_THAT(sources.error().lines(),
                    ElementsAre(path + ": cannot be read; does the file exist, and may we read it?"));
    }
}

TEST(ConfigLoad, AnyBytesAreAnswered) {
    rc::check("a file of anything is accepted or complained about", [](const std::string& text) {
        const auto config = load_config(file(text));
        RC_ASSERT(config.has_value() || !config.error().empty());
    });
}

}  // namespace
}  // namespace etage::gateway
