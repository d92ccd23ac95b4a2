#include "serve/connection.hpp"

#include "base/clock.hpp"
#include "serve/timing.hpp"
#include "serve/worker.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace etage::serve {

namespace {

constexpr std::size_t read_buffer_bytes = 8 * 1024;       // of an idle connection; grows up to a whole head
constexpr std::size_t batch_bytes_max = 64 * 1024;        // answers to pipelined requests sent together
constexpr std::size_t copied_body_bytes_max = 32 * 1024;  // larger bodies are sent from where they are

/// Of a request that may be malformed: what its sender must think.
bool asks_for_head(std::string_view bytes) noexcept {
    bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
    return bytes.starts_with("HEAD ");
}

}  // namespace

Connection::Connection(Worker& worker, Listener& listener, asio::ip::tcp::socket socket, Peer peer)
    : worker_(worker),
      entrance_(listener.entrance()),
      socket_(std::move(socket)),
      protocol_(listener.protocol()),
      door_(listener.door()),
      peer_(std::move(peer)),
      awaits_header_(peer_.is_trusted() && door_ == Door::clients &&
                     worker.limits().proxy_protocol != ProxyProtocol::off),
      reader_(worker.limits().write_stall_max, worker.limits().write_rate_min),
      parser_(worker.limits().head) {
    entrance_.refresh(service_);
}

Connection::~Connection() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void Connection::start() {
    enter(Phase::head, base::read_clock().mono);  // a connection that never speaks is worth no more than a slow head
    take_back();
}

/// From Asio to the poller.
void Connection::take_back() {
    asio::error_code error;
    const int descriptor = socket_.release(error);
    if (error) return close();
    descriptor_ = descriptor;
    if (!worker_.poller().add(descriptor_, *this)) close();
}

/// From the poller to Asio.
void Connection::lend() {
    if (descriptor_ < 0) return;
    worker_.poller().remove(descriptor_, *this);
    asio::error_code error;
    socket_.assign(protocol_, descriptor_, error);
    if (error) return;  // the next operation fails and says why
    descriptor_ = -1;
    socket_.non_blocking(true, error);
}

asio::mutable_buffer Connection::free_space() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == in_.size()) {
        if (begin_ > 0) {
            in_.erase(0, begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        in_.resize(std::max(read_buffer_bytes, end_ * 2));
    }
    return asio::buffer(in_.data() + end_, in_.size() - end_);
}

void Connection::on_readable() {
    const asio::mutable_buffer space = free_space();
    const auto received = ::recv(descriptor_, space.data(), space.size(), MSG_DONTWAIT);
    if (received <= 0) {
        if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
        return close();
    }
    if (phase_ == Phase::lingering) return;  // swallowed: see linger()
    end_ += static_cast<std::size_t>(received);
    worker_.metrics().add(base::Counter::bytes_received, static_cast<std::size_t>(received));
    resume();
}

/// Precondition: the poller watches the socket. May close this connection; nothing of it is touched afterwards.
void Connection::resume() {
    std::string& out = worker_.out();
    out.clear();
    std::unique_ptr<Slow> slow;
    const Next next = answer_ready(base::read_clock(), out, slow);
    const std::size_t sent = send_now(out);
    if (sent == out.size() && next == Next::read) return;
    if (sent == out.size() && next == Next::close) return linger();
    lend();
    asio::co_spawn(socket_.get_executor(), go_on(out.substr(sent), next, std::move(slow)), asio::detached);
}

Connection::Next Connection::answer_ready(Now now, std::string& out, std::unique_ptr<Slow>& slow) {
    if (awaits_header_) {
        if (const auto next = meet()) return *next;
    }
    for (;;) {
        if (draining_ && begin_ == end_) return Next::close;
        if (begin_ == end_) {
            enter(Phase::idle, now.mono);
            return Next::read;
        }
        http::RequestHead request;
        const auto outcome = parser_.parse_request(unread(), worker_.slots(), request);
        if (outcome.state == http::ParseState::incomplete) {
            if (phase_ != Phase::head) enter(Phase::head, now.mono);
            return Next::read;
        }
        if (outcome.state == http::ParseState::failed) return refuse(outcome, out);
        parser_.reset();
        const Next next = answer_one(request, now, out, slow);
        if (next != Next::read) return next;
        if (out.size() >= batch_bytes_max) return Next::go_slow;  // send first, then go on
    }
}

Connection::Next Connection::answer_one(const http::RequestHead& request, Now now, std::string& out,
                                        std::unique_ptr<Slow>& slow) {
    entrance_.refresh(service_);
    flow::Answer answer;
    flow::Visit visit{request, client_of(request), worker_.scheme(), now, worker_.key()};
    // A request with content is never a hit, and reading it moves the buffer its head borrows from.
    const bool look = !request.has_body() && !request.expects_continue;
    const bool hit = look && service_->answer_now(visit, answer);
    if (hit) say_timing(answer, now);
    if (hit && answer.body.size() <= copied_body_bytes_max) {
        begin_ += request.head_bytes;
        const bool keep = keeps(answer, request);
        append_head(out, answer, request, keep, false);
        out += answer.body;
        if (worker_.logs_access(answer)) note_access(answer, request, now);
        return keep ? Next::read : Next::close;
    }
    slow = std::make_unique<Slow>();
    slow->service = service_;
    slow->asked = std::make_unique<flow::Asked>(request, worker_.scheme());
    slow->notes = std::move(visit.notes);
    slow->key = worker_.key();
    slow->now = now;
    slow->looked_up = look;
    slow->answered = hit;
    if (hit) slow->answer = std::move(answer);
    begin_ += request.head_bytes;
    return Next::go_slow;
}

void Connection::append_head(std::string& out, const flow::Answer& answer, const http::RequestHead& request, bool keep,
                             bool chunked) {
    out += answer.status_line;
    out += answer.head;
    out += answer.tail.view();
    if (chunked) out += "Transfer-Encoding: chunked\r\n";
    if (!keep)
        out += "Connection: close\r\n";
    else if (request.minor == 0)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
}

void Connection::say_timing(flow::Answer& answer, Now began) const noexcept {
    if (worker_.limits().server_timing)
        append_server_timing(answer.tail, answer.verdict, base::read_clock().mono - began.mono);
}

Connection::Next Connection::refuse(const http::ParseOutcome& outcome, std::string& out) {
    flow::Answer answer;
    say_refusal(outcome.fault, outcome.why, asks_for_head(unread()), answer);
    append_head(out, answer, http::RequestHead{}, false, false);
    out += answer.body;
    return Next::close;
}

/// RFC 9110 §9.3.2: an answer to HEAD has no content, a refusal neither.
void Connection::say_refusal(Fault fault, std::string_view why, bool head_only, flow::Answer& out) {
    service_->refuse(fault, why, out);
    if (head_only) out.body = {};
}

bool Connection::keeps(const flow::Answer& answer, const http::RequestHead& request) const noexcept {
    return request.keep_alive && !answer.close && !draining_;
}

std::size_t Connection::send_now(std::string_view bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto taken = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken <= 0) break;  // full, or gone: the slow way finds out
        sent += static_cast<std::size_t>(taken);
    }
    worker_.metrics().add(base::Counter::bytes_sent, sent);
    return sent;
}

/// Closing with unread bytes would reset the connection and could destroy the answer on its way: say that nothing more
/// comes, and swallow what still does for a moment.
void Connection::linger() {
    if (::shutdown(descriptor_, SHUT_WR) != 0) return close();
    begin_ = end_ = 0;
    enter(Phase::lingering, base::read_clock().mono);
}

void Connection::close() {
    if (descriptor_ >= 0) {
        worker_.poller().remove(descriptor_, *this);
        ::close(descriptor_);
        descriptor_ = -1;
    }
    asio::error_code ignored;
    socket_.close(ignored);
    worker_.forget(*this);
}

void Connection::enter(Phase phase, Instant now) {
    phase_ = phase;
    const ServeLimits& limits = worker_.limits();
    switch (phase) {
        case Phase::idle: deadline_ = now + limits.idle_time_max; break;
        case Phase::head: deadline_ = now + limits.head_time_max; break;
        case Phase::content: break;                                // RequestBody sets it
        case Phase::answering: deadline_ = Instant::max(); break;  // the origin has its own; write() sets ours
        case Phase::tunnel: deadline_ = now + limits.tunnel_idle_max; break;
        case Phase::lingering: deadline_ = now + limits.linger_max; break;
    }
}

void Connection::let_go_of_old_service() {
    if (phase_ == Phase::idle || phase_ == Phase::head) entrance_.refresh(service_);
}

void Connection::check_deadline(Instant now) {
    if (now < deadline_) return;
    if (phase_ != Phase::lingering && phase_ != Phase::idle) worker_.metrics().add(base::Counter::deadlines_hit);
    if (phase_ == Phase::head && begin_ != end_ && !awaits_header_) {
        std::string out;
        refuse({http::ParseState::failed, Fault::request_timeout, "the request head took too long"}, out);
        send_now(out);
    }
    if (phase_ == Phase::content) {  // whoever waits for it answers: 408
        content_late_ = true;
        enter(Phase::answering, now);
        asio::error_code ignored;
        socket_.cancel(ignored);
        return;
    }
    close();
}

void Connection::drain() {
    draining_ = true;
    if (begin_ == end_ && (phase_ == Phase::idle || phase_ == Phase::head)) close();
}

void Connection::end_tunnel() {
    if (phase_ == Phase::tunnel) close();
}

}  // namespace etage::serve
