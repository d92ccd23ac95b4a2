#pragma once
// For tests: as much of Redis as the log needs, on virtual time, and an instance that reads it. The scripts are played
// by hand here; that they do the same in Lua is for log_redis_test.cpp to show.

#include "redis/log.hpp"
#include "redis/resp.hpp"

#include "coherence/tag.hpp"
#include "net/virtual_time.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etage::redis::testing {

using namespace std::chrono_literals;
using coherence::StreamId;
using Words = std::vector<std::string>;

inline Reply text_reply(std::string text, Reply::Kind kind = Reply::Kind::bulk) {
    return {kind, 0, std::move(text), {}};
}
inline Reply error_reply(std::string text) { return text_reply(std::move(text), Reply::Kind::error); }
inline Reply array_reply(std::vector<Reply> elements) { return {Reply::Kind::array, 0, {}, std::move(elements)}; }
inline Reply number_reply(std::int64_t n) { return {Reply::Kind::integer, n, {}, {}}; }

/// A server and all that is on it. Everything is public: a test is the nemesis.
class LogServer {
public:
    std::string identity = "run1:repl1";
    std::string role = "master";
    std::int64_t clock_ms = 1'790'000'000'000;  // at virtual time 0
    std::string generation;
    std::string kind = "none";
    std::map<StreamId, Words> records;
    StreamId last;
    std::map<std::string, std::pair<Sequence, std::int64_t>> live;
    std::optional<std::int64_t> live_since;

    bool is_down = false;                     // nobody can connect, nor call
    bool is_mute = false;                     // calls are heard, and answered never
    std::string refusal;                      // of everything that writes: "OOM …"
    std::size_t reply_records_max = 100'000;  // a batch with more is a reply that is too long
    int connections = 0;
    std::vector<Words> heard;  // every command but those of iterations
    net::Event appended;

    std::int64_t now_ms() const {
        const auto passed = base::read_clock().mono.time_since_epoch();
        return clock_ms + std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
    }

    Reply add(Words fields, std::optional<StreamId> id = std::nullopt) {
        if (!refusal.empty()) return error_reply(refusal);
        const auto ms = static_cast<std::uint64_t>(now_ms());
        if (!id) id = ms > last.ms ? StreamId{ms, 0} : StreamId{last.ms, last.n + 1};
        if (*id <= last)
            return error_reply("ERR The ID specified in XADD is equal or smaller than the target stream top item");
        kind = "stream";
        last = *id;
        records[*id] = std::move(fields);
        appended.notify_all();
        return text_reply(id->text());
    }
    /// Whatever came behind it: an instance that attaches may have written a step.
    bool has_recorded(const std::string& tag) const {
        return std::ranges::any_of(
            records, [&](const auto& each) { return std::ranges::find(each.second, tag) != each.second.end(); });
    }
    void remove_log() {
        kind = "none";
        records.clear();
        last = {};
    }
    void flush_all() {
        remove_log();
        generation.clear();
        remove_live();
    }
    void remove_live() {
        live.clear();
        live_since.reset();
    }
    /// Another process with the same data; what `lose` says was not replicated.
    void restart(std::string who, std::size_t lose = 0) {
        identity = std::move(who);
        for (; lose > 0 && !records.empty(); --lose) records.erase(std::prev(records.end()));
        last = records.empty() ? StreamId{} : records.rbegin()->first;
    }

    Reply obey(const Words& words);
    Reply play(std::string_view source, std::span<const std::string> a);

private:
    Reply look(const std::string& read) const;
    Reply begin(std::span<const std::string> a);
    Reply census();
};

class LogConnection final : public Connection, public std::enable_shared_from_this<LogConnection> {
public:
    explicit LogConnection(LogServer& server) : server_(server) {}
    asio::awaitable<Result<std::vector<Reply>>> exchange(std::vector<Command> commands, Instant deadline) override;
    bool is_open() const noexcept override { return open_; }
    void close() noexcept override {
        open_ = false;
        server_.appended.notify_all();
    }
    const Identity& identity() const noexcept override { return identity_; }

private:
    asio::awaitable<Reply> read(Words words);
    LogServer& server_;
    bool open_ = true;
    Identity identity_;
};

class LogClient final : public Client {
public:
    explicit LogClient(LogServer& at) : server(&at) {}
    LogServer* server;  // where connect() and calls lead
    std::weak_ptr<LogConnection> connection;
    /// Does so much for calls, and says it failed.
    bool loses_replies = false;
    /// So long after having done it.
    Duration answers_after{};

    asio::awaitable<Result<Reply>> call(Command command, Instant deadline) override;
    asio::awaitable<Result<std::vector<Reply>>> call(std::vector<Command> commands, Instant deadline) override;
    asio::awaitable<Result<Reply>> run(const Script& script, std::span<const std::string> keys,
                                       std::span<const std::string> arguments, Instant deadline) override;
    asio::awaitable<Result<std::shared_ptr<Connection>>> connect(std::string_view key, Instant deadline) override;
    bool away(std::string_view) const noexcept override { return server->is_down; }
    std::string trouble() const override { return {}; }
    void let_go() noexcept override {}
    void cut() {
        if (const auto open = connection.lock()) open->close();
    }

private:
    asio::awaitable<Result<Reply>> answer(Reply reply, Instant deadline);
};

/// One instance, with its log, and the time that it lives in.
class LogFixture : public ::testing::Test {
protected:
    base::VirtualClock clock{Now{Instant(1h), WallTime(std::chrono::seconds(1'700'000'000))}};
    base::Metrics metrics;
    base::Log quiet{{.level = base::LogLevel::off, .format = base::LogFormat::text, .file = {}}};
    LogServer server;
    asio::io_context io;
    LogClient client{server};
    coherence::Engine engine;
    LogOptions options;
    std::vector<Sequence> examined;
    bool is_fine = true;
    std::optional<RedisLog> made;
    bool ended = false;

    ~LogFixture() override { stop(); }

    RedisLog& log() {
        if (!made)
            made.emplace(
                client, engine, metrics, quiet, [](const flow::Invalidation& what) { return tags(what); },
                [this](Sequence position, std::span<const TagHash>) {
                    examined.push_back(position);
                    return is_fine;
                },
                options);
        return *made;
    }
    void start() {
        asio::co_spawn(io, log().work(), [this](const std::exception_ptr& failed) {
            EXPECT_FALSE(failed);
            ended = true;
        });
        pass(10ms);
    }
    void stop() {
        if (!made) return;
        made->end();
        for (int i = 0; i < 30 && !ended; ++i) pass(100ms);
        EXPECT_TRUE(ended);
    }

    static TagHash tag(std::string_view text) { return coherence::tag_hash(coherence::TagKind::surrogate, text); }
    static std::vector<TagHash> tags(const flow::Invalidation& what) {
        std::vector<TagHash> out;
        for (const auto& target : what.targets)
            out.push_back(target.kind == flow::Target::Kind::everything
                              ? coherence::tag_hash(coherence::TagKind::everything, "")
                              : tag(target.text));
        return out;
    }
    static flow::Invalidation hard(std::string text) {
        return {{{flow::Target::Kind::tag, std::move(text)}}, coherence::Softness::hard};
    }

    coherence::Validity judge(Sequence fence, std::string_view text) const {
        return engine.judge(fence, std::vector{tag(text), coherence::tag_hash(coherence::TagKind::everything, "")});
    }
    coherence::Sight sight() const { return engine.sight(clock.now().mono); }
    Instant in(Duration d) const { return clock.now().mono + d; }

    void settle() {
        io.restart();
        io.poll();
    }
    void pass(Duration time) {
        for (; time > Duration::zero(); time -= 10ms) net::advance(io, clock, std::min<Duration>(time, 10ms));
    }

    template <class T>
    std::shared_ptr<std::optional<T>> begin(asio::awaitable<T> work) {
        auto result = std::make_shared<std::optional<T>>();
        asio::co_spawn(io, std::move(work), [result](const std::exception_ptr& failed, T value) {
            EXPECT_FALSE(failed);
            result->emplace(std::move(value));
        });
        settle();
        return result;
    }
    Result<Sequence> invalidate(std::string text, Duration patience = 100ms) {
        const auto result = begin(log().invalidate(hard(std::move(text)), in(patience)));
        for (int i = 0; i < 100 && !*result; ++i) pass(10ms);
        return **result;
    }
    std::uint64_t sum(base::Counter counter) const { return metrics.sum(counter); }
};

}  // namespace etage::redis::testing
