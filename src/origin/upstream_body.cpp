#include "origin/upstream_body.hpp"

#include "base/clock.hpp"
#include "origin/words.hpp"

#include <algorithm>
#include <utility>

namespace etage::origin {

UpstreamBody::UpstreamBody(Lease lease, http::BodyDecoder decoder, Duration pause_max, std::size_t rate_min,
                           bool reusable)
    : lease_(std::move(lease)),
      decoder_(decoder),
      pause_max_(pause_max),
      patience_(pause_max, rate_min),
      reusable_(reusable) {}

UpstreamBody::~UpstreamBody() {
    if (ended_) release();  // the last piece may have been read without asking for the empty one behind it
}

asio::awaitable<Result<std::string_view>> UpstreamBody::read() {
    for (;;) {
        if (failed_) co_return std::unexpected(*failed_);
        if (ended_) {
            release();  // not earlier: the last piece borrowed from the connection's buffer
            co_return std::string_view{};
        }
        UpstreamConnection& connection = lease_->connection();
        const auto step = decoder_.step(connection.buffered());
        connection.consume(step.consumed);
        if (step.failed) co_return fail(Fault::origin_protocol, std::string(step.why));
        ended_ = step.finished;
        received_ += step.content.size();
        if (!step.content.empty()) co_return step.content;
        if (step.consumed > 0 || ended_) continue;

        const auto filled = co_await receive();
        if (!filled) co_return cut_short(filled.error());
        if (*filled > 0) continue;
        // RFC 9112 §8: without other framing the close is the end; otherwise the message is incomplete.
        if (decoder_.kind() != http::BodyKind::until_close) co_return cut_short(asio::error::eof);
        ended_ = true;
        reusable_ = false;
    }
}

asio::awaitable<std::expected<std::size_t, asio::error_code>> UpstreamBody::receive() {
    UpstreamConnection& connection = lease_->connection();
    if (decoder_.kind() != http::BodyKind::length) co_return co_await connection.fill(pause_max_);
    const Instant began = base::TimerClock::now();
    const auto filled = co_await connection.fill(patience_.left());
    if (!filled) co_return filled;
    patience_.spend(base::TimerClock::now() - began, *filled);
    co_return filled;
}

void UpstreamBody::cancel() noexcept {
    if (!lease_) return;
    reusable_ = false;
    asio::error_code ignored;
    lease_->connection().socket().close(ignored);
}

void UpstreamBody::release() {
    if (!lease_) return;
    if (reusable_ && lease_->connection().buffered().empty()) lease_->give_back();
    lease_.reset();
}

std::unexpected<Error> UpstreamBody::fail(Fault fault, std::string what) {
    failed_ = Error{Blame::origin, fault, false, lease_->endpoint().name() + ": " + std::move(what)};
    lease_.reset();
    return std::unexpected(*failed_);
}

std::unexpected<Error> UpstreamBody::cut_short(const asio::error_code& ec) {
    const auto so_far = " after " + std::to_string(received_) + " bytes of content";
    if (ec == asio::error::timed_out)
        return fail(
            Fault::origin_timeout,
            (patience_.is_whole() ? "nothing more came within " + in_words(pause_max_) : "too little came") + so_far);
    const auto how = ec == asio::error::eof ? std::string("the connection ended") : ec.message();
    return fail(Fault::origin_incomplete, how + so_far);
}

}  // namespace etage::origin
