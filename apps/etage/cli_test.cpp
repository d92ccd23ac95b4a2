#include "cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etage::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CliTest : public testing::Test {
protected:
    /// Parses with what is printed caught in `out_` and `err_`.
    std::expected<Command, int> parse_words(std::vector<const char*> words) {
        words.insert(words.begin(), "etage");
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        auto command = parse(static_cast<int>(words.size()), words.data());
        out_ = testing::internal::GetCapturedStdout();
        err_ = testing::internal::GetCapturedStderr();
        return command;
    }
    Command good(std::vector<const char*> words) {
        auto command = parse_words(std::move(words));
        EXPECT_TRUE(command) << err_;
        return command ? std::move(*command) : Command{};
    }
    int code(std::vector<const char*> words) {
        const auto command = parse_words(std::move(words));
        return command ? -1 : command.error();
    }

    std::string out_;
    std::string err_;
};

TEST_F(CliTest, RunTakesTheFlagsFixedFromTheFirstDay) {
    const Command command = good({"run", "--origin", "http://a", "--origin", "http://b", "--listen", "127.0.0.1:1",
                                  "--listen", "127.0.0.1:2", "--admin", "127.0.0.1:3", "--redis", "redis://r",
                                  "--config", "etage.toml", "--threads", "4"});
    EXPECT_EQ(command.verb, Verb::run);
    EXPECT_EQ(command.config, "etage.toml");
    ASSERT_EQ(command.settings.size(), 5U);
    EXPECT_EQ(command.settings[0].setting, "origin.urls");
    EXPECT_THAT(command.settings[0].values, ElementsAre("http://a", "http://b"));
    EXPECT_EQ(command.settings[1].name, "--listen");
    EXPECT_THAT(command.settings[1].values, ElementsAre("127.0.0.1:1", "127.0.0.1:2"));
    EXPECT_EQ(command.settings[2].setting, "admin.listen");
    EXPECT_EQ(command.settings[3].setting, "redis.url");
    EXPECT_EQ(command.settings[4].setting, "server.threads");
}

TEST_F(CliTest, RunAloneLeavesEverythingToTheOtherSources) {
    const Command command = good({"run"});
    EXPECT_THAT(command.settings, IsEmpty());
    EXPECT_FALSE(command.config);
}

TEST_F(CliTest, DemoTakesTheFlagsFixedFromTheFirstDay) {
    const Command command = good({"demo", "--listen", "127.0.0.1:1", "--admin", "127.0.0.1:2", "--db", "posts.db",
                                  "--redis", "redis://r", "--config", "e.toml", "--threads", "2", "--slow-ms", "300"});
    EXPECT_EQ(command.verb, Verb::demo);
    EXPECT_EQ(command.db, "posts.db");
    EXPECT_EQ(command.slow_ms, 300U);
    EXPECT_EQ(command.config, "e.toml");
    EXPECT_EQ(command.settings.size(), 4U);
}

TEST_F(CliTest, EverySettingFlagStandsForASettingThatExists) {
    const Command command =
        good({"run", "--origin", "http://a", "--listen", "127.0.0.1:1", "--admin", "127.0.0.1:3", "--threads", "4"});
    const auto config = gateway::load_config({{}, {}, {}, command.settings});
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->server.threads, 4U);
    EXPECT_EQ(config->admin.listen.text(), "127.0.0.1:3");
}

TEST_F(CliTest, AWrongRedisIsSaidInPlainWords) {
    const auto config = gateway::load_config({{}, {}, {}, good({"run", "--redis", "redis:/r"}).settings});
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().text(), HasSubstr("command line: --redis: "));
}

TEST_F(CliTest, Explain) {
    const Command command =
        good({"explain", "/posts?limit=1", "-H", "Accept-Encoding: br", "--header", "X: y", "--admin", "127.0.0.1:9"});
    EXPECT_EQ(command.verb, Verb::explain);
    EXPECT_EQ(command.url, "/posts?limit=1");
    EXPECT_THAT(command.headers, ElementsAre("Accept-Encoding: br", "X: y"));
    EXPECT_EQ(command.admin.address, "127.0.0.1:9");
    EXPECT_EQ(good({"explain", "-H", "A: b", "/x"}).url, "/x");
    EXPECT_EQ(code({"explain"}), 2);
}

TEST_F(CliTest, Purge) {
    const Command command = good({"purge", "--tag", "a", "--tag", "b,c", "--url", "/u", "--prefix", "/p", "--key", "k",
                                  "--host", "h", "--soft", "--wait", "all", "--token", "t"});
    EXPECT_THAT(command.purge.tags, ElementsAre("a", "b,c"));
    EXPECT_THAT(command.purge.urls, ElementsAre("/u"));
    EXPECT_THAT(command.purge.prefixes, ElementsAre("/p"));
    EXPECT_THAT(command.purge.keys, ElementsAre("k"));
    EXPECT_THAT(command.purge.hosts, ElementsAre("h"));
    EXPECT_TRUE(command.purge.soft);
    EXPECT_FALSE(command.purge.all);
    EXPECT_EQ(command.purge.wait, "all");
    EXPECT_EQ(command.admin.token, "t");
    EXPECT_EQ(code({"purge", "--wait", "some"}), 2);
}

TEST_F(CliTest, StatsAndCheck) {
    EXPECT_EQ(good({"stats"}).verb, Verb::stats);
    EXPECT_EQ(good({"check", "--config", "x"}).verb, Verb::check);
    EXPECT_TRUE(good({"check", "--list"}).check.list);
}

TEST_F(CliTest, CheckTakesAFileOrAUrl) {
    const Command command =
        good({"check", "--url", "http://a/", "--header", "A: 1", "-H", "B: 2", "--strict", "--json"});
    EXPECT_EQ(command.url, "http://a/");
    EXPECT_THAT(command.headers, ElementsAre("A: 1", "B: 2"));
    EXPECT_TRUE(command.check.strict && command.check.json);
    EXPECT_TRUE(good({"check", "--rules"}).check.rules);
    EXPECT_EQ(code({"check", "--url", "http://a/", "--config", "x"}), 2);
    EXPECT_EQ(code({"check", "--url", ""}), 2);
    EXPECT_EQ(code({"check", "--header", "A: 1"}), 2) << "a header of which request?";
    EXPECT_EQ(code({"check", "--rules", "--list"}), 2);
}

TEST_F(CliTest, HelpAndVersionAreNoErrors) {
    EXPECT_EQ(code({"--help"}), 0);
    EXPECT_THAT(out_, HasSubstr("Subcommands:"));
    EXPECT_EQ(code({"--version"}), 0);
    EXPECT_THAT(out_, testing::StartsWith("etage "));
    for (const char* verb : {"run", "demo", "check", "explain", "purge", "stats"}) {
        EXPECT_EQ(code({verb, "--help"}), 0) << verb;
        EXPECT_THAT(out_, HasSubstr("  etage " + std::string(verb))) << "an example";
    }
}

TEST_F(CliTest, BadUsageIsTwo) {
    const std::vector<std::vector<const char*>> cases = {
        {}, {"nope"}, {"run", "--orgin", "x"}, {"run", "--listen"}, {"run", "extra"}, {"demo", "--slow-ms", "fast"}};
    for (const auto& words : cases) {
        EXPECT_EQ(code(words), 2);
        EXPECT_NE(err_, "");
        EXPECT_EQ(out_, "");
    }
}

}  // namespace
}  // namespace etage::cli
