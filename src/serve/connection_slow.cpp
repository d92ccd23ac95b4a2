// What leaves the loop: answers that wait for somebody, streams, requests with content, interim responses.

#include "base/clock.hpp"
#include "net/timer.hpp"
#include "serve/connection.hpp"
#include "serve/interims.hpp"
#include "serve/request_body.hpp"
#include "serve/worker.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace etage::serve {

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
    if (const auto fine = body ? body->check() : Result<void>{}; !fine) {
        say_refusal(fine.error().fault, fine.error().what, request.method == http::Method::head, slow.answer);
        slow.answered = true;
    }
    const bool sent_only = slow.answered;
    if (!slow.answered && !slow.looked_up) slow.answered = slow.service->answer_now(visit, slow.answer);
    if (!slow.answered) {
        std::shared_ptr<Interims> interims;  // RFC 9110 §15.2: none for HTTP/1.0
        if (request.minor > 0) interims = std::make_shared<Interims>(*this);
        visit.interim = interims;
        visit.presence = this;
        co_await slow.service->answer(visit, body, slow.answer);
        if (interims) interims->close();
    }
    if (!sent_only) say_timing(slow.answer, slow.now);
    if (slow.answer.tunnel) {
        if (worker_.logs_access(slow.answer)) note_access(slow.answer, request, slow.now);
        co_await switch_protocols(slow.answer, request);
        co_return false;
    }

    // Who is refused here is not read any further.
    const Verdict& verdict = slow.answer.verdict;
    const bool refused = slow.answer.status >= 400 && verdict.forward == Forward::none && !verdict.hit;
    const bool unread = body && body->untouched();
    const bool keep = keeps(slow.answer, request) && !(refused && unread) && (!body || body->nearly_read());
    bool open = co_await send(slow.answer, request, keep);
    if (worker_.logs_access(slow.answer)) note_access(slow.answer, request, slow.now);
    if (body) {
        if (open && keep) open = co_await drain_content(*body);
        body->abandon();
    }
    co_return open&& keep;
}

/// Swallows a short rest of a request's content rather than lose the connection; behind the answer, for the client may
/// be slow. True: it was read to its end.
asio::awaitable<bool> Connection::drain_content(RequestBody& body) {
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
    std::string head = std::exchange(early_, {});
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
    if (!answer.stream_length) watch_client(answer.stream);
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

/// Slow is allowed; standing still is not, nor a drip.
asio::awaitable<bool> Connection::write(std::span<asio::const_buffer> buffers) {
    while (!buffers.empty()) {
        if (buffers.front().size() == 0) {
            buffers = buffers.subspan(1);
            continue;
        }
        const Instant began = base::read_clock().mono;
        deadline_ = began + reader_.left();
        auto [error, bytes] = co_await socket_.async_write_some(buffers, net::quietly);
        if (error) co_return false;
        reader_.spend(base::read_clock().mono - began, bytes);
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

/// Interim responses never wait for the client: what its socket does not take goes before the final answer.
void Connection::say_early(std::string_view interim_response) {
    early_ += interim_response;
    push_early();
}

void Connection::push_early() {
    while (!early_.empty()) {
        asio::error_code error;
        const std::size_t bytes = socket_.write_some(asio::buffer(early_), error);
        if (error == asio::error::would_block) return;
        if (error) return early_.clear();  // who writes next finds out
        worker_.metrics().add(base::Counter::bytes_sent, bytes);
        early_.erase(0, bytes);
    }
}

asio::awaitable<bool> Connection::flush_early() {
    while (!early_.empty()) {
        deadline_ = base::read_clock().mono + worker_.limits().write_stall_max;
        const auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, net::quietly);
        if (error) co_return false;
        push_early();
    }
    co_return true;
}

/// A stream may be silent for long: a client that leaves it is noticed, and the origin let go. One that only ends its
/// sending looks the same; it is taken for one that leaves, as others do.
void Connection::watch_client(const std::shared_ptr<net::BodySource>& stream) {
    socket_.async_wait(asio::ip::tcp::socket::wait_read,
                       [self = shared_from_this(), watched = std::weak_ptr(stream)](const asio::error_code& cancelled) {
                           const auto still_there = watched.lock();
                           if (cancelled || !still_there) return;
                           if (self->has_left()) still_there->cancel();
                       });
}

/// Bytes: its next request waits; what follows that cannot be seen.
bool Connection::has_left() noexcept {
    char byte = 0;
    asio::error_code ended;
    socket_.receive(asio::buffer(&byte, 1), asio::ip::tcp::socket::message_peek, ended);
    return ended && ended != asio::error::would_block;
}

void Connection::note_access(const flow::Answer& answer, const http::RequestHead& request, Now began) {
    const Verdict& v = answer.verdict;
    const auto took = std::chrono::duration<double, std::milli>(base::read_clock().mono - began.mono).count();
    worker_.log().info("request", {{"client", client_of(request)},
                                   {"method", request.method_text},
                                   {"host", request.authority},
                                   // What administration is asked may hold credentials (/explain).
                                   {"target", door_ == Door::administration ? request.path : request.target},
                                   {"status", std::int64_t{answer.status}},
                                   {"cache", v.hit ? std::string_view("hit") : forward_name(v.forward)},
                                   {"detail", detail_name(v.detail)},
                                   {"ms", took}});
}

}  // namespace etage::serve
