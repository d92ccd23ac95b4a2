#include "redis/pipeline.hpp"

#include "base/escape.hpp"
#include "redis/words.hpp"

#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace etage::redis {

/// The read under way. Destroyed instead of called, its io_context is going, and nobody will be resumed any more.
class Pipeline::Reading {
public:
    explicit Reading(std::shared_ptr<Pipeline> pipeline) noexcept : pipeline_(std::move(pipeline)) {}
    Reading(Reading&&) noexcept = default;
    Reading& operator=(Reading&&) = delete;
    ~Reading() {
        if (pipeline_) pipeline_->orphaned();
    }
    void operator()(const asio::error_code& ec, std::size_t size) {
        const auto pipeline = std::move(pipeline_);
        pipeline->on_read(ec, size);
    }

private:
    std::shared_ptr<Pipeline> pipeline_;
};

std::shared_ptr<Pipeline> Pipeline::start(std::unique_ptr<net::Stream> stream, const asio::any_io_executor& executor,
                                          std::string name, const PipelineLimits& limits) {
    const std::shared_ptr<Pipeline> pipeline(new Pipeline(std::move(stream), executor, std::move(name), limits));
    pipeline->read();
    return pipeline;
}

Pipeline::Pipeline(std::unique_ptr<net::Stream> stream, const asio::any_io_executor& executor, std::string name,
                   const PipelineLimits& limits)
    : executor_(executor),
      name_(std::move(name)),
      limits_(limits),
      stream_(std::move(stream)),
      watchdog_(executor, [this] { expire(); }),
      reader_(limits.reply_bytes_max),
      in_(std::make_unique_for_overwrite<char[]>(read_bytes)) {}

Pipeline::~Pipeline() { orphaned(); }

Error Pipeline::error(std::string_view what) const { return store_error(name_ + ": " + std::string(what)); }

// ---- callers

asio::awaitable<Result<std::vector<Reply>>> Pipeline::exchange(std::vector<Command> commands, Instant deadline) {
    std::vector<Reply> replies(commands.size());
    if (commands.empty()) co_return replies;
    Exchange exchange(commands, replies, deadline);
    co_await exchange.wait(*this);
    if (exchange.error()) co_return std::unexpected(std::move(*exchange.error()));
    co_return replies;
}

asio::awaitable<void> Exchange::wait(Pipeline& pipeline) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [this, &pipeline](auto&& handler) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            resume_ = std::forward<decltype(handler)>(handler);
            error_ = pipeline.refusal(*this);
            if (error_) return asio::post(pipeline.executor_, std::move(resume_));
            if (slot.is_connected())
                slot.assign([this](asio::cancellation_type) {
                    if (pipeline_ != nullptr) pipeline_->forsaken(*this);
                });
            pipeline.enter(*this);
        },
        asio::use_awaitable);
}

std::optional<Error> Pipeline::refusal(const Exchange& exchange) const {
    if (ended_) return ended_;
    if (exchange.deadline_ <= base::TimerClock::now()) return error("no time left to ask");
    if (pending_ + exchange.commands_.size() > limits_.pending_max)
        return error("more than " + std::to_string(limits_.pending_max) + " commands wait for a reply");
    std::size_t bytes = out_.size() + sending_.size();
    for (const Command& command : exchange.commands_) bytes += command.bytes().size();
    if (bytes > limits_.pending_bytes_max)
        return error("more than " + std::to_string(limits_.pending_bytes_max) + " bytes wait to be sent");
    return std::nullopt;
}

void Pipeline::enter(Exchange& exchange) {
    for (const Command& command : exchange.commands_) out_ += command.bytes();
    pending_ += exchange.commands_.size();
    exchange.pipeline_ = this;
    (first_ == nullptr ? first_ : last_->next_) = &exchange;
    last_ = &exchange;
    if (exchange.deadline_ < watched_) watch(exchange.deadline_);
    flush_soon();
}

void Pipeline::forsaken(Exchange& exchange) noexcept {
    lost_ = false;
    exchange.error_ = Error{Blame::client, Fault::cancelled, false, name_ + ": the caller went away"};
    end(error("closed, because a caller went away"));
}

// ---- time

void Pipeline::watch(Instant deadline) {
    watched_ = deadline;
    if (deadline != Instant::max()) watchdog_.arm(deadline);
}

/// A deadline that was the earliest has passed; mostly its reply has come long ago.
void Pipeline::expire() {
    const Instant now = base::TimerClock::now();
    Instant earliest = Instant::max();
    for (const Exchange* e = first_; e != nullptr; e = e->next_) earliest = std::min(earliest, e->deadline_);
    if (earliest > now) return watch(earliest);
    for (Exchange* e = first_; e != nullptr; e = e->next_) {
        if (e->deadline_ > now) continue;
        e->timed_out_ = true;
        e->error_ = error("no reply in time");
    }
    end(error("closed, because another command got no reply in time"));
}

// ---- writing

void Pipeline::flush_soon() {
    if (flush_posted_ || reading_ || writing_) return;
    flush_posted_ = true;
    asio::post(executor_, [self = shared_from_this()] {
        self->flush_posted_ = false;
        self->flush();
    });
}

void Pipeline::flush() {
    if (ended_ || writing_ || out_.empty()) return;
    asio::error_code ec;
    const std::size_t written = stream_->write_now(asio::buffer(out_), ec);
    if (ec) return end(error(ec.message()));
    if (written == out_.size()) {
        out_.clear();
        if (out_.capacity() > kept_bytes) out_ = {};
        return;
    }
    writing_ = true;
    sending_.swap(out_);
    stream_->write(asio::buffer(sending_) + written,
                   [self = shared_from_this()](const asio::error_code& failed, std::size_t) { self->wrote(failed); });
}

void Pipeline::wrote(const asio::error_code& ec) {
    writing_ = false;
    sending_.clear();
    if (sending_.capacity() > kept_bytes) sending_ = {};
    if (ended_) return;
    if (ec) return end(error(ec.message()));
    flush();
}

// ---- reading

void Pipeline::read() { stream_->read_some(asio::buffer(in_.get(), read_bytes), Reading(shared_from_this())); }

void Pipeline::on_read(const asio::error_code& ec, std::size_t size) {
    if (ended_) return;
    if (ec) return end(error(ec == asio::error::eof ? last_words() : ec.message()));
    const std::string_view bytes(in_.get(), size);
    reading_ = true;
    const bool well = reader_.read(bytes, [this](Reply&& reply) { return take(std::move(reply)); });
    reading_ = false;
    if (!well && !ended_) end(!understood_ ? stranger(bytes) : error("an answer that is no RESP: " + reader_.error()));
    if (ended_) return;
    flush();
    if (!ended_) read();
}

/// A server that hangs up may have said why: "ERR max number of clients reached".
std::string Pipeline::last_words() const {
    const bool explained = first_ != nullptr && first_->filled_ > 0 && first_->replies_[0].is(Reply::Kind::error);
    return "closed by the server" + (explained ? ": " + first_->replies_[0].text : "");
}

/// Whoever listens there, it is no Redis.
Error Pipeline::stranger(std::string_view bytes) const {
    constexpr std::size_t shown_bytes = 40;
    std::string said;
    base::append_text_escaped(said, bytes.substr(0, std::min(bytes.find_first_of("\r\n"), shown_bytes)));
    const bool alert = bytes.starts_with('\x15');  // RFC 8446 §5.1
    return error(alert ? "it speaks TLS: the URL begins with rediss://"
                       : "it does not speak Redis; it says \"" + said + "\"");
}

/// The reply belongs to the first of the line, who goes on at once when it was the last of its replies.
bool Pipeline::take(Reply&& reply) {
    if (first_ == nullptr) {
        end(error("it said something that nobody had asked: " + reply.text));
        return false;
    }
    Exchange& exchange = *first_;
    understood_ = true;
    exchange.replies_[exchange.filled_++] = std::move(reply);
    --pending_;
    if (exchange.filled_ < exchange.replies_.size()) return true;
    first_ = exchange.next_;
    exchange.pipeline_ = nullptr;
    auto resume = std::move(exchange.resume_);
    std::move(resume)();
    return !ended_;
}

// ---- the end

void Pipeline::close() noexcept { close("closed"); }

void Pipeline::close(std::string_view why) noexcept {
    if (ended_) return;
    lost_ = false;
    end(error(why));
}

void Pipeline::end(Error why) noexcept {
    if (ended_) return;
    for (Exchange* e = first_; e != nullptr; e = e->next_)
        if (!e->error_) e->error_ = why;
    ended_ = std::move(why);
    watchdog_.disarm();
    stream_->close();
    auto waiting = everybody();
    if (waiting.empty()) return;
    asio::post(executor_, [waiting = std::move(waiting)]() mutable {
        for (auto& resume : waiting) std::move(resume)();
    });
}

/// Takes all off the line.
std::vector<std::move_only_function<void()>> Pipeline::everybody() noexcept {
    std::vector<std::move_only_function<void()>> waiting;
    for (Exchange* e = std::exchange(first_, nullptr); e != nullptr;) {
        Exchange* const next = e->next_;
        e->pipeline_ = nullptr;
        waiting.push_back(std::move(e->resume_));
        e = next;
    }
    pending_ = 0;
    return waiting;
}

void Pipeline::orphaned() noexcept {
    if (!ended_) ended_ = error("its event loop has ended");
    stream_->close();
    everybody().clear();
}

}  // namespace etage::redis
