#include "serve/request_body.hpp"

#include "base/clock.hpp"
#include "net/timer.hpp"
#include "serve/worker.hpp"

namespace etage::serve {

RequestBody::RequestBody(std::shared_ptr<Connection> connection, const http::RequestHead& request)
    : connection_(std::move(connection)),
      decoder_(request.body, request.content_length),
      length_(request.content_length),
      expects_continue_(request.expects_continue),
      patience_(connection_->worker_.limits().body_stall_max, connection_->worker_.limits().body_rate_min) {}

namespace {

std::unexpected<Error> too_large() {
    return failure(Blame::client, Fault::payload_too_large, "the content is larger than is taken here");
}

}  // namespace

bool RequestBody::announces_too_much() const noexcept {
    const std::size_t most = connection_->worker_.limits().body_bytes_max;
    return most != 0 && length_ > most;
}

Result<void> RequestBody::check() const {
    if (announces_too_much()) return too_large();
    const auto why = http::why_malformed(decoder_, connection_->unread());
    if (!why.empty()) return failure(Blame::client, Fault::bad_request, std::string(why));
    return {};
}

asio::awaitable<Result<std::string_view>> RequestBody::read() {
    asked_ = true;
    const std::size_t most = connection_->worker_.limits().body_bytes_max;
    if (announces_too_much()) co_return too_large();
    for (;;) {
        if (abandoned_) co_return failure(Blame::client, Fault::cancelled, "the request is over");
        if (decoder_.finished()) co_return std::string_view{};
        const auto step = decoder_.step(connection_->unread());
        connection_->begin_ += step.consumed;
        if (step.failed) co_return failure(Blame::client, Fault::bad_request, std::string(step.why));
        if (!step.content.empty()) {
            bytes_ += step.content.size();
            if (most != 0 && bytes_ > most) co_return too_large();
            co_return step.content;
        }
        if (step.finished || step.consumed > 0) continue;
        if (auto received = co_await receive(); !received) co_return std::unexpected(std::move(received.error()));
    }
}

asio::awaitable<Result<void>> RequestBody::receive() {
    Connection& c = *connection_;
    receiving_ = true;
    if (expects_continue_) {  // RFC 9110 §10.1.1: now the content is wanted
        expects_continue_ = false;
        c.say_early("HTTP/1.1 100 Continue\r\n\r\n");
    }
    const bool told = co_await c.flush_early();
    if (!told) {
        receiving_ = false;
        co_return failure(Blame::client, Fault::cancelled, "the client has gone");
    }
    const Instant began = base::read_clock().mono;
    c.enter(Connection::Phase::content, began);
    c.deadline_ = began + patience_.left();
    const auto [error, bytes] = co_await c.socket_.async_read_some(c.free_space(), net::quietly);
    receiving_ = false;
    if (error && c.content_late_)
        co_return failure(Blame::client, Fault::request_timeout, "the request's content took too long");
    if (error) co_return failure(Blame::client, Fault::cancelled, "the client left before its request was complete");
    c.end_ += bytes;
    const Instant now = base::read_clock().mono;
    patience_.spend(now - began, bytes);
    c.enter(Connection::Phase::answering, now);
    co_return Result<void>{};
}

void RequestBody::cancel() noexcept {
    if (!receiving_) return;
    asio::error_code ignored;
    connection_->socket_.cancel(ignored);
}

bool RequestBody::nearly_read() noexcept {
    if (receiving_) return false;
    for (;;) {
        const auto step = decoder_.step(connection_->unread());
        connection_->begin_ += step.consumed;
        bytes_ += step.content.size();
        if (step.failed) return false;
        if (step.finished || step.consumed == 0) break;
    }
    if (finished()) return true;
    if (expects_continue_) return false;
    return decoder_.kind() == http::BodyKind::chunked ||
           length_ - bytes_ <= connection_->worker_.limits().drain_bytes_max;
}

}  // namespace etage::serve
