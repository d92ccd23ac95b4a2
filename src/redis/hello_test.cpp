#include "redis/hello.hpp"

#include <gtest/gtest.h>

namespace etage::redis {
namespace {

constexpr const char* name = "Redis at h:1";

Reply bulk(std::string text) {
    return {.kind = Reply::Kind::bulk, .integer = 0, .text = std::move(text), .elements = {}};
}
Reply ok() { return {.kind = Reply::Kind::status, .integer = 0, .text = "OK", .elements = {}}; }
Reply wrong(std::string text) {
    return {.kind = Reply::Kind::error, .integer = 0, .text = std::move(text), .elements = {}};
}

const Reply server = bulk("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:ab12\r\n");
const Reply primary =
    bulk("# Replication\r\nrole:master\r\nconnected_slaves:0\r\nmaster_replid:cd34\r\nmaster_replid2:0\r\n");
const Reply replica =
    bulk("# Replication\r\nrole:slave\r\nmaster_host:10.0.0.7\r\nmaster_port:6380\r\nmaster_replid:cd34\r\n");

Options options(std::string_view url) {
    Options o;
    o.url = *parse_url(url);
    return o;
}

std::string words(const std::vector<Command>& commands) {
    std::string out;
    for (const Command& command : commands) out += command.bytes();
    return out;
}

TEST(Hello, SaysOnlyWhatIsNeeded) {
    EXPECT_EQ(words(hello(options("redis://h"), Wanted::primary)),
              Command("", {"CLIENT", "SETNAME", "etage"}).bytes() + Command("", {"INFO", "server"}).bytes() +
                  Command("", {"INFO", "replication"}).bytes() + Command("", {"PING"}).bytes());
    const std::string all = words(hello(options("redis://u:p@h/2"), Wanted::primary));
    EXPECT_TRUE(all.starts_with(Command("", {"AUTH", "u", "p"}).bytes()));
    EXPECT_NE(all.find(Command("", {"SELECT", "2"}).bytes()), std::string::npos);
    EXPECT_TRUE(words(hello(options("redis://:p@h"), Wanted::primary)).starts_with(Command("", {"AUTH", "p"}).bytes()));
    const std::string sentinel = words(hello(options("redis+sentinel://:p@h/m/2"), Wanted::sentinel));
    EXPECT_EQ(sentinel.find("AUTH"), std::string::npos);
    EXPECT_EQ(sentinel.find("SELECT"), std::string::npos);
}

TEST(Hello, ReadsWhoTheServerIs) {
    const std::vector<Reply> replies = {ok(), server, primary, ok()};
    const auto identity = judge_hello(options("redis://h"), Wanted::primary, name, replies);
    ASSERT_TRUE(identity);
    EXPECT_EQ(*identity, (Identity{"ab12", "cd34", "7.0.15", true}));
    const std::vector<Reply> other = {ok(), server, replica, ok()};
    EXPECT_FALSE(judge_hello(options("redis+cluster://h"), Wanted::any_node, name, other)->is_primary);
    const std::vector<Reply> sentinel = {wrong("ERR unknown command"), server, ok()};
    EXPECT_EQ(judge_hello(options("redis+sentinel://h/m"), Wanted::sentinel, name, sentinel)->version, "7.0.15");
}

struct Refusal {
    const char* url;
    std::vector<Reply> replies;
    const char* what;
    bool retryable;
};

TEST(Hello, EachRefusalIsOneLine) {
    const Reply noauth = wrong("NOAUTH Authentication required.");
    const std::vector<Refusal> refusals = {
        {"redis://u:p@h",
         {wrong("WRONGPASS no"), noauth, noauth, noauth, noauth},
         "Redis at h:1 refuses user and password: WRONGPASS no",
         false},
        {"redis://h",
         {noauth, noauth, noauth, noauth},
         "Redis at h:1 asks for a password: the URL has none (redis://user:password@host)",
         false},
        {"redis://h",
         {ok(), wrong("NOPERM this user has no permissions to run the 'info' command"), primary, ok()},
         "Redis at h:1 does not let this user ask INFO and PING: NOPERM this user has no permissions to run the 'info' "
         "command",
         false},
        {"redis://h/99",
         {ok(), wrong("ERR DB index is out of range"), server, primary, ok()},
         "Redis at h:1 has no database 99: ERR DB index is out of range",
         false},
        {"redis://h",
         {ok(), bulk("redis_version:5.0.3\r\n"), primary, ok()},
         "Redis 5.0.3 at h:1 is too old: 6.2 or newer is needed",
         false},
        {"redis://h",
         {ok(), bulk("something else\r\n"), primary, ok()},
         "Redis at h:1 does not say which version it has: is it Redis?",
         false},
        {"redis://h", {ok(), server, replica, ok()}, "Redis at h:1 is a read-only replica of 10.0.0.7:6380", true},
        {"redis://h",
         {ok(), server, primary, wrong("LOADING Redis is loading the dataset in memory")},
         "Redis at h:1: LOADING Redis is loading the dataset in memory",
         true},
        {"redis://h", {ok(), ok(), ok(), ok()}, "Redis at h:1: an unexpected answer to the greeting", true},
        {"redis://h", {ok()}, "Redis at h:1: an unexpected answer to the greeting", true},
    };
    for (const Refusal& refusal : refusals) {
        const auto judged = judge_hello(options(refusal.url), Wanted::primary, name, refusal.replies);
        ASSERT_FALSE(judged) << refusal.what;
        EXPECT_EQ(judged.error().what, refusal.what);
        EXPECT_EQ(judged.error().retryable, refusal.retryable) << refusal.what;
        EXPECT_EQ(judged.error().blame, Blame::remote_store);
    }
}

TEST(Hello, Versions) {
    for (const char* fine : {"6.2.0", "6.2", "6.10.1", "7.0.15", "8.0.0-rc1", "10.0"})
        EXPECT_TRUE(is_new_enough(fine)) << fine;
    for (const char* old : {"6.1.99", "6.0.16", "5.0.3", "2.8", "6", "", "x", "-7"})
        EXPECT_FALSE(is_new_enough(old)) << old;
}

}  // namespace
}  // namespace etage::redis
