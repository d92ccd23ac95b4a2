#include "base/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

namespace etage::base {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class LogTest : public testing::Test {
protected:
    LogTest() {
        std::string name = (std::filesystem::temp_directory_path() / "etage-log-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        dir_ = name;
    }
    ~LogTest() override { std::filesystem::remove_all(dir_); }

    LogOptions options(LogFormat format = LogFormat::text, LogLevel level = LogLevel::info) const {
        return {.level = level, .format = format, .file = file()};
    }
    std::string file() const { return (dir_ / "log").string(); }
    std::vector<std::string> lines() const {
        std::ifstream in(file());
        std::vector<std::string> out;
        for (std::string line; std::getline(in, line);) out.push_back(line);
        return out;
    }

    std::filesystem::path dir_;
};

constexpr auto time_regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z";

TEST_F(LogTest, TextReadsWell) {
    Log log(options());
    log.info("listening", {{"address", "127.0.0.1:8080"}, {"threads", std::int64_t{4}}});
    log.warn("origin failed", {{"why", "no route"}, {"seconds", 0.25}, {"retried", true}});
    log.error("stopped");
    log.flush();
    const auto got = lines();
    ASSERT_EQ(got.size(), 3U);
    EXPECT_THAT(got[0], MatchesRegex(std::string(time_regex) + " INFO  listening address=127.0.0.1:8080 threads=4"));
    EXPECT_THAT(got[1], MatchesRegex(std::string(time_regex) +
                                     " WARN  origin failed why=\"no route\" seconds=0.25 retried=true"));
    EXPECT_THAT(got[2], MatchesRegex(std::string(time_regex) + " ERROR stopped"));
}

TEST_F(LogTest, JsonIsOneObjectPerLine) {
    Log log(options(LogFormat::json, LogLevel::debug));
    log.debug("origin failed", {{"why", "said \"no\"\n"},
                                {"status", std::int64_t{-1}},
                                {"seconds", 1.5},
                                {"endless", std::numeric_limits<double>::infinity()},
                                {"retried", false}});
    log.info("listening");
    log.flush();
    const auto got = lines();
    ASSERT_EQ(got.size(), 2U);
    EXPECT_THAT(got[0], MatchesRegex(R"(\{"time":")" + std::string(time_regex) + R"(","level":"debug",.*)"));
    EXPECT_THAT(got[0], HasSubstr(R"("event":"origin failed","why":"said \"no\"\n","status":-1,"seconds":1.5,)"
                                  R"("endless":null,"retried":false})"));
    EXPECT_THAT(got[1], HasSubstr(R"("level":"info","event":"listening"})"));
}

TEST_F(LogTest, LevelsBelowAreNotWritten) {
    Log log(options(LogFormat::text, LogLevel::warn));
    EXPECT_FALSE(log.enabled(LogLevel::debug));
    EXPECT_FALSE(log.enabled(LogLevel::info));
    EXPECT_TRUE(log.enabled(LogLevel::warn));
    EXPECT_TRUE(log.enabled(LogLevel::error));
    EXPECT_FALSE(log.enabled(LogLevel::off));
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.write(LogLevel::off, "d");
    log.flush();
    const auto got = lines();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_THAT(got[0], HasSubstr("WARN  c"));
}

TEST_F(LogTest, OffIsSilent) {
    Log log(options(LogFormat::text, LogLevel::off));
    EXPECT_FALSE(log.enabled(LogLevel::error));
    log.error("a");
    log.flush();
    EXPECT_TRUE(lines().empty());
}

TEST_F(LogTest, AClientCannotForgeALineOrSteerATerminal) {
    for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
        Log log(options(format));
        log.info("request", {{"target", "/a\n2026-11-25T02:00:00.000Z ERROR forged\x1b[2J\u009b2J"}});
        log.flush();
    }
    const auto got = lines();
    ASSERT_EQ(got.size(), 2U);
    for (const std::string& line : got) {
        EXPECT_THAT(line, Not(HasSubstr("\x1b")));
        EXPECT_THAT(line, Not(HasSubstr("\u009b")));
        EXPECT_THAT(line, HasSubstr(R"(/a\n2026)"));
        EXPECT_THAT(line, HasSubstr(R"(\u001b[2J\u009b2J)"));
    }
}

TEST_F(LogTest, ALongValueIsCutBetweenCharacters) {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "é";
    text.insert(text.begin(), 'x');  // so that byte 2048 is the middle of an é
    Log log(options(LogFormat::json));
    log.info("request", {{"target", text}});
    log.flush();
    const auto got = lines();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_LT(got[0].size(), 2200U);
    EXPECT_THAT(got[0], HasSubstr("éé…\"}"));
    EXPECT_THAT(got[0], Not(HasSubstr("\\ufffd")));
}

TEST_F(LogTest, LeavingFlushes) {
    {
        Log log(options());
        for (int i = 0; i < 100; ++i) log.info("line");
    }
    EXPECT_EQ(lines().size(), 100U);
}

TEST_F(LogTest, ANewLogAppends) {
    {
        Log(options()).info("first");
    }
    {
        Log(options()).info("second");
    }
    EXPECT_EQ(lines().size(), 2U);
}

TEST_F(LogTest, ManyThreadsWriteWholeLines) {
    Log log(options());
    {
        std::vector<std::jthread> threads;
        for (std::int64_t t = 0; t < 4; ++t)
            threads.emplace_back([&log, t] {
                for (std::int64_t i = 0; i < 200; ++i) log.info("line", {{"thread", t}, {"i", i}});
                log.flush();
            });
    }
    EXPECT_EQ(log.dropped(), 0U);
    const auto got = lines();
    EXPECT_EQ(got.size(), 800U);
    for (const std::string& line : got)
        ASSERT_THAT(line, MatchesRegex(std::string(time_regex) + " INFO  line thread=[0-3] i=[0-9]+"));
}

// The reader of a pipe that does not read: the background thread stands still, the workers must not.
TEST_F(LogTest, AFullQueueDropsTheOldestAndCounts) {
    ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
    const int reader = ::open(file().c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(reader, 0);
    constexpr std::int64_t written = 20'000;
    std::uint64_t dropped = 0;
    std::string got;
    std::jthread drain;
    {
        Log log(options());
        for (std::int64_t i = 1; i <= written; ++i) log.info("line", {{"i", i}});
        dropped = log.dropped();
        EXPECT_GT(dropped, 0U);
        drain = std::jthread([&] {
            char buffer[4096];
            while (!got.ends_with("line i=20000\n")) {
                const ssize_t n = ::read(reader, buffer, sizeof buffer);
                if (n <= 0) return;
                got.append(buffer, static_cast<std::size_t>(n));
            }
        });
        log.flush();
        EXPECT_EQ(log.dropped(), dropped);
    }
    drain.join();
    ::close(reader);
    const auto arrived = static_cast<std::uint64_t>(std::ranges::count(got, '\n'));
    EXPECT_EQ(arrived + dropped, static_cast<std::uint64_t>(written));
    EXPECT_TRUE(got.ends_with("line i=20000\n"));  // the newest survived
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsSaidOnStderr) {
    testing::internal::CaptureStderr();
    {
        Log log({.file = (dir_ / "missing" / "log").string()});
        log.info("listening");
    }
    const std::string err = testing::internal::GetCapturedStderr();
    EXPECT_THAT(err, HasSubstr("ERROR log file cannot be opened, logging to stderr file="));
    EXPECT_THAT(err, HasSubstr("No such file or directory"));
    EXPECT_THAT(err, HasSubstr("INFO  listening"));
}

TEST_F(LogTest, LinesTheSystemDoesNotTakeAreCounted) {
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
    Log log({.file = "/dev/full"});
    log.info("a");
    log.info("b");
    log.flush();
    EXPECT_EQ(log.dropped(), 2U);
}

TEST_F(LogTest, TwoLogsDoNotKnowEachOther) {
    Log a(options());
    {
        Log b({.file = (dir_ / "other").string()});
        b.info("b");
    }
    a.info("a");
    a.flush();
    EXPECT_EQ(lines().size(), 1U);
}

}  // namespace
}  // namespace etage::base
