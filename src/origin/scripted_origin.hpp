#pragma once
// For tests: a real TCP server in the test's own io_context that says exactly what a play tells it to.

#include "http/h1_parser.hpp"
#include "net/timer.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etage::origin {

/// One accepted connection, as its play sees it.
class Conversation {
public:
    Conversation(asio::ip::tcp::socket socket, std::vector<std::string>& log) : socket_(std::move(socket)), log_(log) {}

    /// The next request, head and content as the octets came; "" when the client has ended.
    asio::awaitable<std::string> request() {
        const std::string head = co_await take_head();
        if (head.empty()) co_return "";
        std::string whole = head + co_await take_content(head);
        log_.push_back(whole);
        co_return whole;
    }

    /// Only its head; the content stays unread.
    asio::awaitable<std::string> take_head() {
        std::size_t end;
        while ((end = in_.find("\r\n\r\n")) == std::string::npos)
            if (!co_await more()) co_return "";
        co_return take(end + 4);
    }

    asio::awaitable<void> send(std::string bytes) {
        co_await asio::async_write(socket_, asio::buffer(bytes), net::quietly);
    }

    /// One byte per segment.
    asio::awaitable<void> drip(std::string bytes) {
        for (const char byte : bytes) {
            co_await asio::async_write(socket_, asio::buffer(&byte, 1), net::quietly);
            co_await asio::post(net::quietly);
        }
    }

    /// Waits until the client closes; true when it did so without sending anything more.
    asio::awaitable<bool> closed() {
        const bool anything = co_await more();
        co_return !anything;
    }

    void close() { socket_.close(); }
    void reset() {
        socket_.set_option(asio::socket_base::linger(true, 0));
        socket_.close();
    }
    asio::ip::tcp::socket& socket() { return socket_; }

private:
    asio::awaitable<bool> more() {
        char bytes[4096];
        const auto [ec, n] = co_await socket_.async_read_some(asio::buffer(bytes), net::quietly);
        in_.append(bytes, n);
        co_return !ec;
    }

    std::string take(std::size_t n) {
        std::string taken = in_.substr(0, n);
        in_.erase(0, n);
        return taken;
    }

    asio::awaitable<std::string> take_content(const std::string& head) {
        http::HeadParser parser;
        http::FieldSlots slots;
        http::RequestHead parsed;
        if (parser.parse_request(head, slots, parsed).state != http::ParseState::complete) co_return "";
        http::BodyDecoder decoder(parsed.body, parsed.content_length);
        std::string content;
        while (parsed.has_body()) {
            const auto step = decoder.step(in_);
            content += take(step.consumed);
            if (step.finished || step.failed) break;
            if (step.consumed > 0) continue;
            const bool came = co_await more();
            if (!came) break;
        }
        co_return content;
    }

    asio::ip::tcp::socket socket_;
    std::vector<std::string>& log_;
    std::string in_;
};

class ScriptedOrigin {
public:
    using Play = std::function<asio::awaitable<void>(Conversation&)>;

    explicit ScriptedOrigin(asio::io_context& io)
        : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), 0}), port_(acceptor_.local_endpoint().port()) {
        acceptor_.async_accept(
            [this](const asio::error_code& ec, asio::ip::tcp::socket s) { accepted(ec, std::move(s)); });
    }

    /// The n-th connection is given the n-th play, further ones the last.
    void play(Play play) { plays_.push_back(std::move(play)); }

    /// A play that answers every request with the next of `answers`, then closes.
    void answer(std::vector<std::string> answers) {
        play([answers = std::move(answers)](Conversation& c) -> asio::awaitable<void> {
            for (const std::string& bytes : answers) {
                if ((co_await c.request()).empty()) co_return;
                co_await c.send(bytes);
            }
        });
    }

    void stop() { acceptor_.close(); }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
    int connections() const { return connections_; }
    const std::vector<std::string>& requests() const { return requests_; }

private:
    void accepted(const asio::error_code& ec, asio::ip::tcp::socket socket) {
        if (ec || plays_.empty()) return;
        const auto index = std::min(static_cast<std::size_t>(connections_++), plays_.size() - 1);
        socket.set_option(asio::ip::tcp::no_delay(true));
        asio::co_spawn(io_, perform(std::move(socket), plays_[index], requests_), asio::detached);
        acceptor_.async_accept(
            [this](const asio::error_code& e, asio::ip::tcp::socket s) { accepted(e, std::move(s)); });
    }

    static asio::awaitable<void> perform(asio::ip::tcp::socket socket, const Play& play,
                                         std::vector<std::string>& log) {
        Conversation conversation(std::move(socket), log);
        co_await play(conversation);
    }

    asio::io_context& io_;
    asio::ip::tcp::acceptor acceptor_;
    const std::uint16_t port_;
    std::deque<Play> plays_;  // references into it stay valid
    std::vector<std::string> requests_;
    int connections_ = 0;
};

}  // namespace etage::origin
