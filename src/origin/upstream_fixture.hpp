#pragma once
// For tests: an upstream before a scripted origin, on virtual time. Nothing sleeps: what does not depend on time runs
// until it is done, and time passes only when a test says so.

#include "net/virtual_time.hpp"
#include "origin/scripted_origin.hpp"
#include "origin/upstream.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace etage::origin {

using namespace std::chrono_literals;

/// A client's content in given pieces; then its end or an error.
class PieceSource final : public net::BodySource {
public:
    explicit PieceSource(std::vector<std::string> pieces, std::optional<Error> error = {})
        : pieces_(std::move(pieces)), error_(std::move(error)) {}

    asio::awaitable<Result<std::string_view>> read() override {
        if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
        if (error_) co_return std::unexpected(*error_);
        co_return std::string_view{};
    }
    std::size_t taken() const { return next_; }

private:
    std::vector<std::string> pieces_;
    std::optional<Error> error_;
    std::size_t next_ = 0;
};

inline flow::OriginRequest request(http::Method method = http::Method::get, std::string target = "/") {
    flow::OriginRequest r;
    r.method = method;
    r.method_text = http::method_name(method);
    r.target = std::move(target);
    r.authority = "api.example";
    return r;
}

/// What a test sees of an answer, read to its end.
struct Seen {
    int status = 0;
    std::string content;
    std::optional<Error> error;  // of the fetch or of the content
    std::optional<std::uint64_t> content_length;
    http::Fields fields;
    bool streamed = false;
};

class UpstreamFixture : public testing::Test {
protected:
    base::VirtualClock clock{Now{Instant(1h), WallTime(std::chrono::seconds(1'700'000'000))}};
    asio::io_context io;
    ScriptedOrigin origin{io};
    base::Metrics metrics;
    UpstreamOptions options;
    std::unique_ptr<Upstream> upstream;

    ~UpstreamFixture() override { upstream.reset(); }

    Upstream& up() {
        if (!upstream) open({origin.url()});
        return *upstream;
    }
    void open(const std::vector<std::string>& urls) {
        auto made = Upstream::make(urls, options, metrics);
        ASSERT_TRUE(made) << made.error().what;
        upstream = std::move(*made);
    }

    /// Runs until `done`. What would take longer than this has gone wrong.
    template <class F>
    bool until(F&& done) {
        while (!done()) {
            io.restart();
            if (io.run_one_for(20s) == 0) return false;
        }
        return true;
    }
    void pass(Duration time) { net::advance(io, clock, time); }

    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result;
        asio::co_spawn(io, std::move(work), [&result](const std::exception_ptr& e, T value) {
            EXPECT_FALSE(e);
            result.emplace(std::move(value));
        });
        EXPECT_TRUE(until([&] { return result.has_value(); }));
        return std::move(result.value());
    }

    Result<flow::OriginResponse> fetch(flow::OriginRequest r = request()) { return run(up().fetch(std::move(r))); }

    static asio::awaitable<Seen> see(Upstream& upstream, flow::OriginRequest r) {
        Seen seen;
        auto answer = co_await upstream.fetch(std::move(r));
        if (!answer) {
            seen.error = answer.error();
            co_return seen;
        }
        seen.status = answer->status;
        seen.content = answer->content;
        seen.content_length = answer->content_length;
        seen.fields = answer->fields;
        seen.streamed = answer->body != nullptr;
        while (answer->body) {
            const auto piece = co_await answer->body->read();
            if (!piece) seen.error = piece.error();
            if (!piece || piece->empty()) break;
            seen.content += *piece;
        }
        co_return seen;
    }

    /// Fetches and reads everything.
    Seen get(flow::OriginRequest r = request()) { return run(see(up(), std::move(r))); }

    /// Begins to fetch; the answer appears in the result while the test moves the clock.
    std::shared_ptr<std::optional<Seen>> begin(flow::OriginRequest r = request()) {
        auto result = std::make_shared<std::optional<Seen>>();
        asio::co_spawn(io, see(up(), std::move(r)),
                       [result](const std::exception_ptr&, Seen seen) { *result = std::move(seen); });
        return result;
    }

    std::uint64_t retries() const { return metrics.sum(base::Counter::origin_retries); }
};

/// Each failure of an origin is the origin's, names it, and says the fault.
inline void expect_failure(const Seen& seen, Fault fault, std::string_view url, std::string_view words = {}) {
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(fault_name(seen.error->fault), fault_name(fault)) << seen.error->what;
    EXPECT_EQ(seen.error->blame, Blame::origin);
    EXPECT_TRUE(seen.error->what.starts_with(url)) << seen.error->what;
    EXPECT_NE(seen.error->what.find(words), std::string::npos) << seen.error->what;
}

}  // namespace etage::origin
