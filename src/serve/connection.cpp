#include "serve/connection.hpp"

#include "base/clock.hpp"
#include "net/timer.hpp"
#include "serve/peer.hpp"
#include "serve/request_body.hpp"
#include "serve/worker.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace etage::serve {

namespace {

constexpr std::size_t read_buffer_bytes = 8 * 1024;       // of an idle connection; grows up to a whole head
constexpr std::size_t batch_bytes_max = 64 * 1024;        // answers to pipelined requests sent together
constexpr std::size_t copied_body_bytes_max = 32 * 1024;  // larger bodies are sent from where they are

void append_head(std::string& out, const flow::Answer& answer, const http::RequestHead& request, bool keep,
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

}  // namespace

Connection::Connection(Worker& worker, flow::Service& service, asio::ip::tcp::socket socket,
                       const asio::ip::tcp::endpoint& peer)
    : worker_(worker),
      service_(service),
      socket_(std::move(socket)),
      protocol_(peer.protocol()),
      peer_(unmapped(peer.address()).to_string()),
      trusted_(is_trusted(worker.limits().trusted_proxies, unmapped(peer.address()))),
      parser_(worker.limits().head) {}

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
    flow::Answer answer;
    flow::Visit visit{request, client_of(request), worker_.scheme(), now, worker_.key()};
    // A request with content is never a hit, and reading it moves the buffer its head borrows from.
    const bool look = !request.has_body() && !request.expects_continue;
    const bool hit = look && service_.answer_now(visit, answer);
    if (hit && answer.body.size() <= copied_body_bytes_max) {
        begin_ += request.head_bytes;
        const bool keep = keeps(answer, request);
        append_head(out, answer, request, keep, false);
        out += answer.body;
        if (worker_.logs_access(answer)) note_access(answer, request, now);
        return keep ? Next::read : Next::close;
    }
    slow = std::make_unique<Slow>();
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

Connection::Next Connection::refuse(const http::ParseOutcome& outcome, std::string& out) {
    flow::Answer answer;
    service_.refuse(outcome.fault, outcome.why, answer);
    append_head(out, answer, http::RequestHead{}, false, false);
    out += answer.body;
    return Next::close;
}

std::string_view Connection::client_of(const http::RequestHead& request) const {
    return trusted_ ? client_behind(worker_.limits().trusted_proxies, request.fields, peer_) : peer_;
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

asio::awaitable<void> Connection::go_on(std::string unsent, Next next, std::unique_ptr<Slow> slow) {
    const auto self = shared_from_this();
    bool open = true;
    bool keep = next != Next::close;
    if (!unsent.empty()) {
        enter(Phase::answering, base::read_clock().mono);
        std::array one{asio::const_buffer(asio::buffer(unsent))};
        open = co_await write(one);
    }
    if (open && slow) keep = co_await answer_slowly(*slow);
    if (!open || !socket_.is_open()) co_return close();
    take_back();
    if (descriptor_ < 0) co_return;
    if (!keep) co_return linger();
    resume();  // requests may be waiting in the buffer already
}

/// False: the connection must not go on.
asio::awaitable<bool> Connection::answer_slowly(Slow& slow) {
    enter(Phase::answering, slow.now.mono);
    const http::RequestHead& request = slow.asked->head();
    flow::Visit visit{request, client_of(request), worker_.scheme(), slow.now, slow.key, std::move(slow.notes)};
    std::shared_ptr<RequestBody> body;
    if (request.has_body()) body = std::make_shared<RequestBody>(shared_from_this(), request);
    if (!slow.answered && !slow.looked_up) slow.answered = service_.answer_now(visit, slow.answer);
    if (!slow.answered) co_await service_.answer(visit, body, slow.answer);

    bool whole = true;
    if (body) {
        whole = co_await drain_content(*body);
        body->abandon();
    }
    const bool keep = whole && keeps(slow.answer, request);
    const bool sent = co_await send(slow.answer, request, keep);
    if (worker_.logs_access(slow.answer)) note_access(slow.answer, request, slow.now);
    co_return sent&& keep;
}

/// Swallows a short rest of a request's content rather than lose the connection. True: it was read to its end.
asio::awaitable<bool> Connection::drain_content(RequestBody& body) {
    if (body.reading() || body.withheld()) co_return body.finished();
    std::size_t swallowed = 0;
    while (!body.finished() && swallowed <= worker_.limits().drain_bytes_max) {
        const auto piece = co_await body.read();
        if (!piece) break;
        swallowed += piece->size();
    }
    co_return body.finished();
}

asio::awaitable<bool> Connection::send(const flow::Answer& answer, const http::RequestHead& request, bool keep) {
    const bool unbounded = answer.stream && !answer.head_only && !answer.stream_length;
    const bool chunked = unbounded && request.minor > 0;
    if (unbounded && !chunked) keep = false;
    std::string head;
    append_head(head, answer, request, keep, chunked);
    std::array both{asio::const_buffer(asio::buffer(head)), asio::const_buffer(asio::buffer(answer.body))};
    if (!co_await write(both)) co_return false;
    if (answer.stream && !answer.head_only) {
        const bool whole = co_await send_stream(answer, chunked);
        if (!whole) {  // an incomplete message must look incomplete: no last chunk, no orderly end
            asio::error_code ignored;
            socket_.close(ignored);
            co_return false;
        }
    }
    co_return !unbounded || chunked;
}

asio::awaitable<bool> Connection::send_stream(const flow::Answer& answer, bool chunked) {
    std::array<char, 20> size_line;
    for (;;) {
        enter(Phase::answering, base::read_clock().mono);
        const auto piece = co_await answer.stream->read();
        if (!piece) co_return false;
        if (piece->empty()) break;
        if (chunked) {
            std::array framed{asio::const_buffer(asio::buffer(http::chunk_head(size_line, piece->size()))),
                              asio::const_buffer(asio::buffer(*piece)),
                              asio::const_buffer(asio::buffer(std::string_view("\r\n")))};
            if (!co_await write(framed)) co_return false;
        } else {
            std::array plain{asio::const_buffer(asio::buffer(*piece))};
            if (!co_await write(plain)) co_return false;
        }
    }
    if (!chunked) co_return true;  // not `!chunked || co_await …`: GCC 12 evaluates both sides
    std::array last{asio::const_buffer(asio::buffer(http::last_chunk))};
    co_return co_await write(last);
}

/// The deadline is renewed with every piece the client takes: slow is allowed, standing still is not.
asio::awaitable<bool> Connection::write(std::span<asio::const_buffer> buffers) {
    while (!buffers.empty()) {
        if (buffers.front().size() == 0) {
            buffers = buffers.subspan(1);
            continue;
        }
        deadline_ = base::read_clock().mono + worker_.limits().write_stall_max;
        auto [error, bytes] = co_await socket_.async_write_some(buffers, net::quietly);
        if (error) co_return false;
        worker_.metrics().add(base::Counter::bytes_sent, bytes);
        for (auto& buffer : buffers) {
            const std::size_t taken = std::min(bytes, buffer.size());
            buffer += taken;
            bytes -= taken;
        }
    }
    deadline_ = Instant::max();
    co_return true;
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
        case Phase::content: deadline_ = now + limits.body_stall_max; break;
        case Phase::answering: deadline_ = Instant::max(); break;  // the origin has its own; write() sets ours
        case Phase::lingering: deadline_ = now + limits.linger_max; break;
    }
}

void Connection::check_deadline(Instant now) {
    if (now < deadline_) return;
    if (phase_ != Phase::lingering && phase_ != Phase::idle) worker_.metrics().add(base::Counter::deadlines_hit);
    if (phase_ == Phase::head && begin_ != end_) {
        std::string out;
        refuse({http::ParseState::failed, Fault::request_timeout, "the request head took too long"}, out);
        send_now(out);
    }
    close();
}

void Connection::drain() {
    draining_ = true;
    if (begin_ == end_ && (phase_ == Phase::idle || phase_ == Phase::head)) close();
}

void Connection::note_access(const flow::Answer& answer, const http::RequestHead& request, Now began) {
    const Verdict& v = answer.verdict;
    const auto took = std::chrono::duration<double, std::milli>(base::read_clock().mono - began.mono).count();
    worker_.log().info("request", {{"client", client_of(request)},
                                   {"method", request.method_text},
                                   {"host", request.authority},
                                   {"target", request.target},
                                   {"status", std::int64_t{answer.status}},
                                   {"cache", v.hit ? std::string_view("hit") : forward_name(v.forward)},
                                   {"detail", detail_name(v.detail)},
                                   {"ms", took}});
}

}  // namespace etage::serve
