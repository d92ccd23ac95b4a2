#pragma once
// One client connection, HTTP/1.1: bytes in, answers out.
//
// The loop · Hits are answered in a plain loop: every whole request that has come is answered into one buffer, which is
// sent with one system call. What is no hit is handed to one coroutine, which ends by falling back into the loop.
// Rooms · connection (the loop) → connection_slow (that coroutine: answers that wait, streams, interim responses)
// → tunnel (after 101).
// The socket · In the loop it is watched by the worker's poller as a bare descriptor; the coroutine lends it to Asio
// and takes it back at the end. Concurrency · A connection lives on its worker's thread; nothing here is locked.
// Lifetime · The worker owns it until close(); a coroutine holds it, too. A closed connection is destroyed only after
// the batch of events in which it closed. Framing · It goes on only when the request was read to its end; else it is
// closed, lingering (THREATS §3: an unread body is never taken for a request).

#include "flow/asked.hpp"
#include "flow/entrance.hpp"
#include "http/h1_parser.hpp"
#include "limit/seats.hpp"
#include "net/patience.hpp"
#include "serve/limits.hpp"
#include "serve/listener.hpp"
#include "serve/peer.hpp"
#include "serve/poller.hpp"

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace etage::serve {

class Worker;
class RequestBody;

class Connection final : public std::enable_shared_from_this<Connection>,
                         private Poller::Watcher,
                         private flow::Presence {
public:
    /// Takes the socket over; borrows the listener's entrance.
    Connection(Worker& worker, Listener& listener, asio::ip::tcp::socket socket, Peer peer);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start();
    /// Its client is counted for as long as it lives.
    void hold(limit::Seat seat) noexcept { seat_ = std::move(seat); }

    /// From the worker's sweep: a connection between two requests does not keep what was replaced.
    void let_go_of_old_service();
    /// From the worker's sweep: closes when the deadline of the present phase has passed.
    void check_deadline(Instant now);
    /// Finish what is under way, begin nothing else.
    void drain();
    /// The grace is over: a tunnel has no end of its own.
    void end_tunnel();

private:
    friend class RequestBody;
    friend class Interims;

    enum class Phase : std::uint8_t { idle, head, content, answering, tunnel, lingering };
    enum class Next : std::uint8_t { read, go_slow, close };

    /// A request that leaves the loop.
    struct Slow {
        std::shared_ptr<flow::Service> service;  // first, and so last to go: the notes and the answer borrow from it
        std::unique_ptr<flow::Asked> asked;
        flow::Notes notes;
        std::string key;
        Now now;
        flow::Answer answer;
        bool looked_up = false;  // answer_now() was asked already
        bool answered = false;   // and it answered: only the sending is slow
    };

    void on_readable() override;
    void resume();
    Next answer_ready(Now now, std::string& out, std::unique_ptr<Slow>& slow);
    Next answer_one(const http::RequestHead& request, Now now, std::string& out, std::unique_ptr<Slow>& slow);
    static void append_head(std::string& out, const flow::Answer& answer, const http::RequestHead& request, bool keep,
                            bool chunked);
    void say_timing(flow::Answer& answer, Now began) const noexcept;
    Next refuse(const http::ParseOutcome& outcome, std::string& out);
    void say_refusal(Fault fault, std::string_view why, bool head_only, flow::Answer& out);
    std::size_t send_now(std::string_view bytes);

    // connection_peer.cpp
    std::optional<Next> meet();
    std::string_view client_of(const http::RequestHead& request) const;

    // connection_slow.cpp
    asio::awaitable<void> go_on(std::string unsent, Next next, std::unique_ptr<Slow> slow);
    asio::awaitable<bool> answer_slowly(Slow& slow);
    asio::awaitable<bool> drain_content(RequestBody& body);
    asio::awaitable<bool> send(const flow::Answer& answer, const http::RequestHead& request, bool keep);
    asio::awaitable<bool> send_stream(const flow::Answer& answer, bool chunked);
    asio::awaitable<bool> write(std::span<asio::const_buffer> buffers);
    void say_early(std::string_view interim_response);
    void push_early();
    asio::awaitable<bool> flush_early();
    void watch_client(const std::shared_ptr<net::BodySource>& stream);
    bool has_left() noexcept override;
    void note_access(const flow::Answer& answer, const http::RequestHead& request, Now began);

    // tunnel.cpp
    asio::awaitable<void> switch_protocols(const flow::Answer& answer, const http::RequestHead& request);
    asio::awaitable<void> pump_up(net::Tunnel& far);
    asio::awaitable<void> pump_down(net::Tunnel& far);
    void break_tunnel(net::Tunnel& far);

    bool keeps(const flow::Answer& answer, const http::RequestHead& request) const noexcept;
    void lend();
    void take_back();
    void linger();
    void close();
    void enter(Phase phase, Instant now);
    std::string_view unread() const noexcept { return std::string_view(in_).substr(begin_, end_ - begin_); }
    asio::mutable_buffer free_space();

    Worker& worker_;
    const flow::Entrance& entrance_;
    std::shared_ptr<flow::Service> service_;  // that of the request under way, or of the last one
    int descriptor_ = -1;                     // while the poller watches it
    asio::ip::tcp::socket socket_;            // while it is lent
    asio::ip::tcp protocol_;
    Door door_;
    Peer peer_;
    bool awaits_header_;  // of the PROXY protocol, before anything else
    limit::Seat seat_;
    std::string in_;  // [begin_, end_) has come and is not dealt with
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::string early_;     // of interim responses: what the socket has not taken yet; goes before everything else
    net::Patience reader_;  // with the client, while it takes an answer
    http::HeadParser parser_;
    Phase phase_ = Phase::idle;
    Instant deadline_ = Instant::max();
    bool content_late_ = false;  // the deadline of a request's content has passed
    bool draining_ = false;
};

}  // namespace etage::serve
