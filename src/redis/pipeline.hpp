#pragma once
// A multiplexed connection over one stream: commands are written together, replies are handed out in order.
//
// Concurrency · One executor, one thread at a time; also the destruction of callers that wait.
// Lifetime · The read that is under way keeps the pipeline; a pipeline that is closed keeps nobody. A caller's Exchange
// lives in its coroutine's frame, and the handler that resumes the coroutine in the Exchange: whoever takes it off the
// line resumes or destroys it.
// Interleavings that bite · (1) A caller is resumed from inside the reading of a batch, and may ask again, close the
// pipeline or let go of it: after every resumption the pipeline looks whether it is still open. (2) close() may be
// called from a destructor or from a signal's handler: it resumes nobody itself, it posts. (3) A caller that is
// destroyed while it waits is owed a reply that nobody would take: the pipeline is closed.

#include "redis/connection.hpp"
#include "redis/resp.hpp"

#include "net/deadline.hpp"
#include "net/stream.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace etage::redis {

/// What the pipeline takes from the options.
struct PipelineLimits {
    std::size_t pending_max = Options{}.pending_max;
    std::size_t pending_bytes_max = Options{}.pending_bytes_max;
    std::size_t reply_bytes_max = Options{}.reply_bytes_max;
};

/// One caller's commands, and where their replies go: as many. Borrows both. Filled once wait() has returned without an
/// error. Not reused.
class Exchange;

class Pipeline final : public Connection, public std::enable_shared_from_this<Pipeline> {
public:
    /// `name`: "Redis at 127.0.0.1:6379", in every error.
    static std::shared_ptr<Pipeline> start(std::unique_ptr<net::Stream> stream, const asio::any_io_executor& executor,
                                           std::string name, const PipelineLimits& limits);

    ~Pipeline() override;

    asio::awaitable<Result<std::vector<Reply>>> exchange(std::vector<Command> commands, Instant deadline) override;
    bool is_open() const noexcept override { return !ended_; }
    void close() noexcept override;
    const Identity& identity() const noexcept override { return identity_; }

    void introduce(Identity identity) { identity_ = std::move(identity); }
    /// It ended because of the server or the way to it, not because we wanted it.
    bool was_lost() const noexcept { return ended_ && lost_; }
    bool has_answered() const noexcept { return understood_; }
    /// Closes; everybody who waits gets `why`.
    void close(std::string_view why) noexcept;

private:
    friend class Exchange;
    class Reading;

    Pipeline(std::unique_ptr<net::Stream> stream, const asio::any_io_executor& executor, std::string name,
             const PipelineLimits& limits);

    std::optional<Error> refusal(const Exchange& exchange) const;
    void enter(Exchange& exchange);
    void forsaken(Exchange& exchange) noexcept;

    void watch(Instant deadline);
    void expire();

    void flush_soon();
    void flush();
    void wrote(const asio::error_code& ec);

    void read();
    void on_read(const asio::error_code& ec, std::size_t size);
    bool take(Reply&& reply);
    std::string last_words() const;
    Error stranger(std::string_view bytes) const;

    void end(Error why) noexcept;
    std::vector<std::move_only_function<void()>> everybody() noexcept;
    void orphaned() noexcept;
    Error error(std::string_view what) const;

    // Every read is answered by one write, and every write may wake the server: the more in one read, the fewer of
    // both.
    static constexpr std::size_t read_bytes = std::size_t{256} << 10;
    static constexpr std::size_t kept_bytes = std::size_t{1} << 20;  // of an output buffer that was larger once

    const asio::any_io_executor executor_;
    const std::string name_;
    const PipelineLimits limits_;
    std::unique_ptr<net::Stream> stream_;
    net::Watchdog watchdog_;
    ReplyReader reader_;
    Identity identity_;
    std::optional<Error> ended_;
    bool lost_ = true;

    // The line of those who wait; the first one gets the next reply.
    Exchange* first_ = nullptr;
    Exchange* last_ = nullptr;
    std::size_t pending_ = 0;           // commands without a reply
    Instant watched_ = Instant::max();  // no deadline of the line is before it

    std::string out_;      // to be written
    std::string sending_;  // being written
    bool writing_ = false;
    bool flush_posted_ = false;
    bool reading_ = false;     // a batch of replies is being handed out; flush() comes behind it
    bool understood_ = false;  // a reply came: it is Redis
    std::unique_ptr<char[]> in_;
};

class Exchange {
public:
    Exchange(std::span<const Command> commands, std::span<Reply> replies, Instant deadline) noexcept
        : commands_(commands), replies_(replies), deadline_(deadline) {}
    ~Exchange() {
        if (pipeline_ != nullptr) pipeline_->forsaken(*this);
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    /// Sends the commands through `pipeline` and waits. Once.
    asio::awaitable<void> wait(Pipeline& pipeline);

    std::optional<Error>& error() noexcept { return error_; }
    /// The error is that no reply came in time.
    bool timed_out() const noexcept { return timed_out_; }

private:
    friend class Pipeline;

    std::span<const Command> commands_;
    std::span<Reply> replies_;
    Instant deadline_;
    std::size_t filled_ = 0;
    std::optional<Error> error_;
    bool timed_out_ = false;
    Pipeline* pipeline_ = nullptr;  // while on its line
    Exchange* next_ = nullptr;
    std::move_only_function<void()> resume_;
};

}  // namespace etage::redis
