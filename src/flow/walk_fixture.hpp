#pragma once
// A whole walk on virtual time with an origin that a test scripts. For tests only.

#include "base/clock.hpp"
#include "flow/local_log.hpp"
#include "flow/walk.hpp"
#include "http/h1_parser.hpp"
#include "net/timer.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace etage::flow::testing {

using namespace std::chrono_literals;

/// One request as the origin saw it.
struct Seen {
    std::string method;
    std::string target;
    http::Fields fields;
    std::string body;
};

/// What the origin says next; set `after` to let it take (virtual) time.
struct Say {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> fields{};
    std::string body = "hello";
    Duration after{};
    std::vector<std::string> tags{};
    std::vector<std::string> invalidates{};
    bool stream = false;            // content of unknown length, a piece every millisecond
    std::size_t piece_bytes = 5;    // … of this size
    bool sized = false;             // … and says how long it is
    bool cut = false;               // … that ends in an error
    Fault fault = Fault::internal;  // not internal: no answer at all
    Duration retry_after{};         // … before then
};

class ScriptedOrigin : public Origin {
public:
    std::function<Say(const Seen&)> script = [](const Seen&) { return Say{}; };
    std::vector<Seen> seen;
    std::size_t under_way = 0;
    std::size_t most_under_way = 0;

    asio::awaitable<Result<OriginResponse>> fetch(OriginRequest request) override;
    bool can_upgrade() const noexcept override { return true; }

private:
    class Pieces;
};

/// An answer, taken apart.
struct Client final : Presence {
    bool has_left() noexcept override { return left; }
    bool left = false;
};

struct Reply {
    Client client;
    bool done = false;
    int status = 0;
    std::map<std::string, std::string> fields;  // lower-case names; repeated ones joined
    std::string body;
    bool body_failed = false;
    Verdict verdict;

    std::string operator[](const std::string& name) const {
        const auto it = fields.find(name);
        return it == fields.end() ? std::string() : it->second;
    }
};

/// Text that is worth a coding.
inline std::string lines(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "line " + std::to_string(i * 7) + " of a text\n";
    return text;
}

class TestHouse {
public:
    explicit TestHouse(std::vector<RoutePolicy> routes = {}, bool handlers_only = false,
                       store::RemoteStore* remote = nullptr, InvalidationLog* log = nullptr,
                       limit::RemoteQuotas* quotas = nullptr);
    ~TestHouse() { compressors_.join(); }
    TestHouse(const TestHouse&) = delete;
    TestHouse& operator=(const TestHouse&) = delete;

    /// Starts a request ("GET /x", more head lines, content); the reply fills in as time is let run.
    std::shared_ptr<Reply> ask(const std::string& line, std::vector<std::string> fields = {}, std::string body = {});
    /// Starts it and lets time run until it is answered.
    Reply get(const std::string& line, std::vector<std::string> fields = {}, std::string body = {});

    /// Runs what can run now.
    void settle();
    /// Waits until the compressor thread has done what it was given.
    void finish_compressing();
    /// Lets virtual time pass, millisecond by millisecond.
    void pass(Duration time);
    /// In one step: when nothing is under way that would look at the clock between.
    void skip(Duration time);

    ScriptedOrigin origin;
    base::VirtualClock clock{{Instant(1h), WallTime(std::chrono::seconds(1'790'000'000))}};
    base::Metrics metrics;
    coherence::Engine engine;
    store::MemoryStore store{{}};
    FlightTable flights;
    std::atomic<std::size_t> fills{0};
    LocalLog invalidations{engine, metrics,
                           [this](const Invalidation& names) { return tags_of(walk->rooms(), names); }};

private:
    class Content;
    asio::awaitable<void> walk_through(std::string text, std::string body, std::shared_ptr<Reply> reply);

    base::Log log_{{base::LogLevel::off, base::LogFormat::text, {}}};
    policy::Router router_;
    std::unique_ptr<Gate> gate_;
    asio::thread_pool compressors_{1};

public:
    std::unique_ptr<Walk> walk;

private:
    asio::io_context io_{1};  // goes first: with it goes what is still under way
};

}  // namespace etage::flow::testing
