#include "redis/options.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace etage::redis {
namespace {

Url url(std::string_view text) {
    const auto parsed = parse_url(text);
    EXPECT_TRUE(parsed) << text << ": " << parsed.error();
    return parsed.value_or(Url{});
}

std::string complaint(std::string_view text) {
    const auto parsed = parse_url(text);
    EXPECT_FALSE(parsed) << text;
    return parsed ? "" : parsed.error();
}

using Addresses = std::vector<Address>;

TEST(Url, OneServer) {
    const Url plain = url("redis://cache.example");
    EXPECT_EQ(plain.arrangement, Arrangement::standalone);
    EXPECT_FALSE(plain.tls);
    EXPECT_EQ(plain.addresses, (Addresses{{"cache.example", 6379}}));
    EXPECT_EQ(plain.user + plain.password + plain.socket_path + plain.primary, "");
    EXPECT_EQ(plain.database, 0U);

    EXPECT_EQ(url("redis://127.0.0.1:6380").addresses, (Addresses{{"127.0.0.1", 6380}}));
    EXPECT_EQ(url("redis://127.0.0.1:6380/").database, 0U);
    EXPECT_EQ(url("redis://127.0.0.1:6380/7").database, 7U);
    EXPECT_EQ(url("redis://[::1]:6380/7").addresses, (Addresses{{"::1", 6380}}));
    EXPECT_EQ(url("redis://[fe80::1]").addresses, (Addresses{{"fe80::1", 6379}}));
    EXPECT_EQ(url("redis://my_host-1.local").addresses, (Addresses{{"my_host-1.local", 6379}}));
    EXPECT_TRUE(url("rediss://cache.example").tls);
}

TEST(Url, Credentials) {
    const Url acl = url("redis://etage:s3cret@h:1/2");
    EXPECT_EQ(acl.user, "etage");
    EXPECT_EQ(acl.password, "s3cret");
    EXPECT_EQ(acl.addresses, (Addresses{{"h", 1}}));
    EXPECT_EQ(url("redis://:s3cret@h").user, "");
    EXPECT_EQ(url("redis://:s3cret@h").password, "s3cret");
    EXPECT_EQ(url("redis://a%40b:%2F%3A%25%23@h").user, "a@b");
    EXPECT_EQ(url("redis://a%40b:%2F%3A%25%23@h").password, "/:%#");
    EXPECT_EQ(url("redis://u:with@at:colon@h").password, "with@at:colon");  // the last @ ends it
}

TEST(Url, Socket) {
    const Url socket = url("unix:///run/redis/redis.sock");
    EXPECT_EQ(socket.socket_path, "/run/redis/redis.sock");
    EXPECT_TRUE(socket.addresses.empty());
    EXPECT_EQ(url("unix:///run/redis.sock?db=3").database, 3U);
    EXPECT_EQ(url("unix:///run/a%20b").socket_path, "/run/a b");
    const Url acl = url("unix://etage:s3cret@/run/redis.sock");
    EXPECT_EQ(acl.user + " " + acl.password + " " + acl.socket_path, "etage s3cret /run/redis.sock");
}

TEST(Url, Sentinels) {
    const Url sentinel = url("redis+sentinel://:pw@a,b:26380,[::1]/my%20master/3");
    EXPECT_EQ(sentinel.arrangement, Arrangement::sentinel);
    EXPECT_EQ(sentinel.addresses, (Addresses{{"a", 26379}, {"b", 26380}, {"::1", 26379}}));
    EXPECT_EQ(sentinel.primary, "my master");
    EXPECT_EQ(sentinel.database, 3U);
    EXPECT_EQ(sentinel.password, "pw");
    EXPECT_EQ(url("redis+sentinel://a/m").database, 0U);
    EXPECT_TRUE(url("rediss+sentinel://a/m").tls);
}

TEST(Url, Cluster) {
    const Url cluster = url("redis+cluster://a:7000,b:7001");
    EXPECT_EQ(cluster.arrangement, Arrangement::cluster);
    EXPECT_EQ(cluster.addresses, (Addresses{{"a", 7000}, {"b", 7001}}));
    EXPECT_EQ(url("redis+cluster://a/0").database, 0U);
    EXPECT_EQ(url("rediss+cluster://a/").addresses, (Addresses{{"a", 6379}}));
    EXPECT_TRUE(url("rediss+cluster://a").tls);
}

TEST(Url, TextIsReadBackAndKeepsThePasswordToItself) {
    for (const char* text :
         {"redis://h:6379", "rediss://h:6380/2", "unix:///run/redis.sock", "unix:///run/redis.sock?db=2",
          "redis+sentinel://a:26379,[::1]:26380/my%20master/3", "rediss+cluster://a:7000,b:7001"})
        EXPECT_EQ(url(text).text(), text);
    EXPECT_EQ(url("rediss://etage:s3cret@h/2").text(), "rediss://etage@h:6379/2");
    EXPECT_EQ(url("redis://:s3cret@h").text(), "redis://h:6379");
    EXPECT_EQ(url("unix://a:s3cret@/s").text(), "unix://a@/s");
}

TEST(Url, UnknownSchemesGetTheNearest) {
    EXPECT_EQ(complaint("reddis://h"), "\"reddis://\" is no scheme of Redis; did you mean redis://?");
    EXPECT_EQ(complaint("Redis://h"), "\"Redis://\" is no scheme of Redis; did you mean redis://?");
    EXPECT_EQ(complaint("redis+sentinal://h"),
              "\"redis+sentinal://\" is no scheme of Redis; did you mean redis+sentinel://?");
    EXPECT_EQ(complaint("http://h"),
              "\"http://\" is no scheme of Redis; there are redis://, rediss://, unix://, "
              "redis+sentinel:// and redis+cluster://");
}

TEST(Url, EveryMistakeIsNamed) {
    const std::vector<std::pair<const char*, const char*>> mistakes = {
        {"", "it is empty"},
        {"localhost:6379", "it has no scheme; write redis://host:6379"},
        {"redis:/h", "it has no scheme"},
        {"redis:///0", "there is no host"},
        {"redis://", "there is no host"},
        {"redis://:pw@", "there is no host"},
        {"redis://:6379", "an address has no host"},
        {"redis://h:", "a port is no number between 1 and 65535"},
        {"redis://h:0", "a port is no number between 1 and 65535"},
        {"redis://h:65536", "a port is no number between 1 and 65535"},
        {"redis://h:63a", "a port is no number between 1 and 65535"},
        {"redis://h:-1", "a port is no number between 1 and 65535"},
        {"redis://::1", "more than one ':'"},
        {"redis://[::1", "an IPv6 address is written like [::1]"},
        {"redis://[h]", "an IPv6 address is written like [::1]"},
        {"redis://[::1]6379", "behind ] comes the port"},
        {"redis://h h", "a character that no host has"},
        {"redis://h/x", "the database is no number"},
        {"redis://h/-1", "the database is no number"},
        {"redis://h/0/1", "the database is no number"},
        {"redis://h/9999999", "the database is no number"},
        {"redis://h?db=0", "something behind the address that does not belong there"},
        {"redis://h#x", "something behind the address that does not belong there"},
        {"redis://user@h", "a user without a password"},
        {"redis://user:@h", "a user without a password"},
        {"redis://user:%zz@h", "a % is written %25"},
        {"redis://a,b", "several addresses are for redis+sentinel:// or redis+cluster://"},
        {"redis+cluster://a,,b", "an address has no host"},
        {"redis+cluster://a,a:6379", "an address is listed twice"},
        {"redis+cluster://a/1", "a cluster has no databases but 0"},
        {"redis+sentinel://a", "the name that the Sentinels know the primary by is missing"},
        {"redis+sentinel://a//0", "the name that the Sentinels know the primary by is missing"},
        {"redis+sentinel://a/m/x", "the database is no number"},
        {"unix://run/redis.sock", "three slashes"},
        {"unix://", "an absolute path"},
        {"unix:///", "the path of the socket"},
        {"unix:///%00x", "the path of the socket"},
        {"unix:///s?user=x", "only db is known behind the ?"},
        {"unix:///s?db=x", "the database is no number"},
        {"unix://u@/s", "a user without a password"},
    };
    for (const auto& [text, words] : mistakes)
        EXPECT_NE(complaint(text).find(words), std::string::npos) << text << ": " << complaint(text);
}

TEST(Url, PasswordsStayOutOfMessages) {
    // However they were misplaced.
    for (const char* text :
         {"redis://:hunter2",     "redis://user:hunter2",  "redis://user:hunter2/0", "redis://:pw/hunter2@h",
          "redis://u:hunter2@",   "redis://u:hunter2@h:x", "redis://u:hunter2@h/x",  "redis://u:hunter%2@h",
          "redis://hunter2@h",    "u:hunter2@h:6379",      "redis://u:a#hunter2@h",  "redis://u:a?hunter2@h",
          "unix://u:hunter2/s",   "redis://u:hun ter2@",   "u:hunter2@redis://h",    "redis+sentinel://u:hunter2@h",
          "reddis://u:hunter2@h", "redis://u:p:hunter2",   "redis://[hunter2]",      "redis://h/hunter2"})
        EXPECT_EQ(complaint(text).find("hunter2"), std::string::npos) << text << ": " << complaint(text);
}

TEST(Url, AnythingIsJudged) {
    rc::check("no text falls over", [](const std::string& text) {
        (void)parse_url(text);
        (void)parse_url("redis://" + text);
        (void)parse_url("redis+sentinel://" + text);
        (void)parse_url("unix://" + text);
    });
}

}  // namespace
}  // namespace etage::redis
