#include "redis/link.hpp"

#include "redis/hello.hpp"
#include "redis/words.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace etage::redis {

namespace {

asio::awaitable<net::OpenedStream> open_stream(Node& node, Instant deadline) {
    const Common& common = node.common();
    std::string path = common.options.url.socket_path;
    if (!node.address()) co_return co_await net::open_unix(std::move(path), deadline);
    std::string host = node.address()->host;
    auto tls = common.tls;
    co_return co_await net::open_tcp(node.resolver(), std::move(tls), std::move(host), deadline);
}

/// A server that expects TLS hangs up on the first plain word.
Error not_greeted(const Node& node, const Pipeline& pipeline, Error error, Instant deadline) {
    const bool hung_up = pipeline.was_lost() && !pipeline.has_answered() && base::TimerClock::now() < deadline;
    if (hung_up && !node.common().tls && node.address())
        error.what += "; if it expects TLS, the URL begins with rediss://";
    return error;
}

Error not_opened(const Node& node, const net::StreamError& error) {
    const std::string what = node.name() + ": " + error.what;
    // A plain server's answer to a handshake is no record of TLS.
    if (error.what.find("wrong version number") != std::string::npos)
        return store_error(what + "; it does not speak TLS: the URL begins with redis://", false);
    // Redis takes a handshake for the beginning of a long command, and waits for the rest.
    if (error.code == asio::error::timed_out && error.what.starts_with("TLS"))
        return store_error(what + "; if it does not speak TLS, the URL begins with redis://");
    return store_error(what);
}

}  // namespace

asio::awaitable<Result<std::shared_ptr<Pipeline>>> open_pipeline(std::shared_ptr<Node> node, Instant deadline) {
    const Common& common = node->common();
    const Options& options = common.options;
    auto stream = co_await open_stream(*node, deadline);
    if (!stream) co_return std::unexpected(not_opened(*node, stream.error()));
    const auto executor = co_await asio::this_coro::executor;
    const auto pipeline = Pipeline::start(std::move(*stream), executor, node->name(),
                                          {options.pending_max, options.pending_bytes_max, options.reply_bytes_max});
    common.metrics.add(base::Counter::redis_connects);

    auto greeting = hello(options, node->wanted());
    const auto replies = co_await pipeline->exchange(std::move(greeting), deadline);
    auto identity = replies
                        ? judge_hello(options, node->wanted(), node->name(), *replies)
                        : Result<Identity>(std::unexpected(not_greeted(*node, *pipeline, replies.error(), deadline)));
    if (!identity) {
        pipeline->close();
        co_return std::unexpected(std::move(identity.error()));
    }
    pipeline->introduce(std::move(*identity));
    co_return pipeline;
}

Link::Link(std::shared_ptr<Node> node, const asio::any_io_executor& executor)
    : node_(std::move(node)), executor_(executor), probe_timer_(executor) {}

std::shared_ptr<Pipeline> Link::ready() const noexcept {
    return pipeline_ && pipeline_->is_open() && !node_->breaker().is_open() ? pipeline_ : nullptr;
}

Error Link::away() const {
    const std::string trouble = node_->trouble();
    return store_error(trouble.empty() ? node_->name() + ": away" : trouble);
}

asio::awaitable<Result<std::shared_ptr<Pipeline>>> Link::usable(Instant deadline) {
    if (node_->breaker().is_open()) {
        probe_later();
        co_return std::unexpected(away());
    }
    if (auto pipeline = ready()) co_return pipeline;
    co_return co_await connected(deadline);
}

asio::awaitable<Result<void>> Link::ask(std::span<const Command> commands, std::span<Reply> replies, Instant deadline) {
    const auto self = shared_from_this();
    const auto pipeline = co_await usable(deadline);
    if (!pipeline) co_return std::unexpected(pipeline.error());
    Exchange exchange(commands, replies, deadline);
    co_await exchange.wait(**pipeline);
    co_return conclude(*pipeline, exchange);
}

Result<void> Link::conclude(const std::shared_ptr<Pipeline>& pipeline, Exchange& exchange) {
    if (!exchange.error()) {
        node_->breaker().succeeded();
        return {};
    }
    if (exchange.timed_out()) node_->common().metrics.add(base::Counter::redis_timeouts);
    // One failure for one loss, however many waited. What we ended ourselves is none of the server's.
    if (pipeline == pipeline_ && !pipeline->is_open()) {
        pipeline_.reset();
        if (pipeline->was_lost()) failed(exchange.error()->what);
    }
    return std::unexpected(std::move(*exchange.error()));
}

void Link::drop(std::string_view why) {
    if (const auto pipeline = std::exchange(pipeline_, nullptr)) pipeline->close(why);
}

void Link::close() noexcept {
    closed_ = true;
    drop("closed");
    probe_timer_.cancel();
}

void Link::failed(std::string what) {
    node_->failed(base::TimerClock::now(), std::move(what), executor_);
    if (node_->breaker().is_open()) probe_later();
}

// ---- connecting

/// Callers share one attempt, and none waits for it longer than it would for a reply.
asio::awaitable<Result<std::shared_ptr<Pipeline>>> Link::connected(Instant deadline) {
    const auto self = shared_from_this();
    if (closed_) co_return std::unexpected(store_error(node_->name() + ": let go"));
    if (!std::exchange(connecting_, true)) {
        auto kept = self;
        asio::co_spawn(executor_, connect(std::move(kept)), asio::detached);
    }
    const bool ended = co_await attempt_ended_.wait_until(
        deadline, [this, before = attempts_ended_] { return attempts_ended_ > before; });
    if (!ended) {
        auto error = store_error(node_->name() + ": no connection in time");
        failed(error.what);
        co_return std::unexpected(std::move(error));
    }
    if (pipeline_ && pipeline_->is_open()) co_return pipeline_;
    co_return std::unexpected(last_error_);
}

asio::awaitable<void> Link::connect(std::shared_ptr<Link> self) {
    const Instant deadline = base::TimerClock::now() + self->node_->common().options.connect_timeout;
    auto node = self->node_;
    Result<std::shared_ptr<Pipeline>> opened;
    try {
        opened = co_await open_pipeline(std::move(node), deadline);
    } catch (const std::exception& e) {  // no memory, no threads: whoever waits must learn it
        opened = std::unexpected(store_error(self->node_->name() + ": " + e.what()));
    }
    self->connected_or_not(std::move(opened));
}

void Link::connected_or_not(Result<std::shared_ptr<Pipeline>> opened) {
    connecting_ = false;
    ++attempts_ended_;
    if (closed_) {
        if (opened) (*opened)->close();
        last_error_ = store_error(node_->name() + ": let go");
    } else if (opened) {
        pipeline_ = std::move(*opened);
        if (!node_->breaker().is_open()) node_->set_trouble({});
    } else {
        last_error_ = std::move(opened.error());
        failed(last_error_.what);
    }
    attempt_ended_.notify_all();
}

// ---- probing

void Link::probe_later() {
    if (closed_ || std::exchange(probe_pending_, true)) return;
    probe_timer_.expires_at(node_->breaker().probe_due());
    probe_timer_.async_wait([weak = weak_from_this()](const asio::error_code&) {
        auto self = weak.lock();
        if (!self || self->closed_) return;
        const auto executor = self->executor_;
        asio::co_spawn(executor, probe(std::move(self)), asio::detached);
    });
}

asio::awaitable<void> Link::probe(std::shared_ptr<Link> self) {
    Node& node = *self->node_;
    Breaker& breaker = node.breaker();
    if (breaker.begin_probe(base::TimerClock::now())) {
        Result<void> answered;
        try {
            answered = co_await self->try_it();
        } catch (const std::exception& e) {
            answered = std::unexpected(store_error(node.name() + ": " + e.what()));
        }
        if (answered) node.set_trouble({});
        breaker.end_probe(answered.has_value(), base::TimerClock::now());
        if (answered) node.common().log.info("redis back", {{"node", node.name()}});
    }
    self->probe_pending_ = false;
    if (breaker.is_open()) self->probe_later();  // it failed, or another io_context probes: until one has succeeded
}

/// As a request would: within the time that a request has.
asio::awaitable<Result<void>> Link::try_it() {
    const Options& options = node_->common().options;
    auto pipeline = pipeline_ && pipeline_->is_open() ? pipeline_ : nullptr;
    if (!pipeline) {
        auto made = co_await connected(base::TimerClock::now() + options.connect_timeout);
        if (!made) co_return std::unexpected(std::move(made.error()));
        pipeline = std::move(*made);
    }
    const Command ping("", {"PING"});
    Reply pong;
    Exchange exchange({&ping, 1}, {&pong, 1}, base::TimerClock::now() + options.answer_timeout);
    co_await exchange.wait(*pipeline);
    if (!exchange.error() && !pong.is(Reply::Kind::error)) co_return Result<void>{};
    if (!exchange.error()) {
        drop(pong.text);
        exchange.error() = store_error(node_->name() + ": " + pong.text);
    }
    auto error = *exchange.error();
    if (!pipeline->is_open()) {
        pipeline_.reset();
        failed(error.what);
    }
    co_return std::unexpected(std::move(error));
}

}  // namespace etage::redis
