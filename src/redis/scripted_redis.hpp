#pragma once
// For tests: a Redis in the test's own io_context that greets as one and says for the rest what the test tells it to.

#include "redis/resp.hpp"

#include "net/timer.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etage::redis {

using Words = std::vector<std::string>;

inline std::string bulk(std::string_view text) {
    std::string out;
    append_word(out, text);
    return out;
}

class ScriptedRedis {
public:
    explicit ScriptedRedis(asio::io_context& io, std::uint16_t port = 0)
        : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), port}), port_(acceptor_.local_endpoint().port()) {
        accept();
    }
    ~ScriptedRedis() { stop(); }

    // What it says of itself.
    std::string version = "7.0.15";
    std::string role = "master";
    std::string user = "default";
    std::string password;  // empty: none is asked for
    std::optional<std::string> ping_answer;

    /// Bytes for a command that is no greeting; empty: no answer. GET answers its key when there is no script.
    std::function<std::string(const Words&)> script;
    /// Answers are kept back while true; say() sends what was kept and ends it, say_kept() goes on keeping.
    bool silent = false;
    /// Connections are accepted, and nothing is ever read from them.
    bool frozen = false;

    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }
    std::size_t open() const {
        std::size_t count = 0;
        for (const auto& peer : peers_) count += peer->socket.is_open() ? 1 : 0;
        return count;
    }
    const std::vector<Words>& commands() const { return commands_; }  // without greetings
    std::size_t count(std::string_view name) const {
        std::size_t count = 0;
        for (const Words& words : commands_) count += words.front() == name ? 1 : 0;
        return count;
    }

    void say() {
        silent = false;
        say_kept();
    }
    void say_kept() {
        for (const auto& peer : peers_) send(peer);
    }
    /// These bytes, to every connection, whether they were asked for or not.
    void blurt(const std::string& bytes) {
        for (const auto& peer : peers_) peer->out += bytes;
        for (const auto& peer : peers_) send(peer);
    }
    void cut() {
        for (const auto& peer : peers_) {
            asio::error_code ignored;
            peer->socket.close(ignored);
        }
    }
    /// Cuts all, and refuses from now on.
    void stop() {
        asio::error_code ignored;
        acceptor_.close(ignored);
        cut();
    }
    void listen_again() {
        acceptor_ = asio::ip::tcp::acceptor(io_, {asio::ip::address_v4::loopback(), port_});
        accept();
    }

private:
    struct Peer {
        explicit Peer(asio::ip::tcp::socket s) : socket(std::move(s)) {}
        asio::ip::tcp::socket socket;
        std::string out;
        bool authenticated = false;
    };

    void accept() {
        acceptor_.async_accept([this](const asio::error_code& ec, asio::ip::tcp::socket socket) {
            if (ec) return;
            ++connections_;
            socket.set_option(asio::ip::tcp::no_delay(true));
            peers_.push_back(std::make_shared<Peer>(std::move(socket)));
            if (!frozen) asio::co_spawn(io_, serve(peers_.back()), asio::detached);
            accept();
        });
    }

    asio::awaitable<void> serve(std::shared_ptr<Peer> peer) {
        ReplyReader reader(std::size_t{1} << 30);
        std::vector<char> bytes(1 << 16);
        for (;;) {
            const auto [ec, n] = co_await peer->socket.async_read_some(asio::buffer(bytes), net::quietly);
            if (ec) co_return peer->socket.close();
            const bool well = reader.read({bytes.data(), n}, [&](Reply&& command) {
                Words words;
                for (Reply& word : command.elements) words.push_back(std::move(word.text));
                if (!words.empty()) peer->out += answer(*peer, words);
                return true;
            });
            if (!well) co_return peer->socket.close();
            if (!silent) send(peer);
        }
    }

    std::string answer(Peer& peer, const Words& words) {
        const std::string& name = words.front();
        if (name == "AUTH") {
            const std::string who = words.size() > 2 ? words[1] : "default";
            peer.authenticated = !password.empty() && who == user && words.back() == password;
            return peer.authenticated ? "+OK\r\n"
                                      : "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
        }
        if (!password.empty() && !peer.authenticated) return "-NOAUTH Authentication required.\r\n";
        if (name == "CLIENT" || name == "SELECT") return "+OK\r\n";
        if (name == "INFO" && words.back() == "server")
            return bulk("# Server\r\nredis_version:" + version + "\r\nrun_id:4c2f\r\n");
        if (name == "INFO")
            return bulk("# Replication\r\nrole:" + role +
                        "\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_replid:99aa\r\n");
        if (name == "PING") return ping_answer.value_or("+PONG\r\n");
        commands_.push_back(words);
        if (script) return script(words);
        return name == "GET" ? bulk(words.at(1)) : "+OK\r\n";
    }

    static void send(const std::shared_ptr<Peer>& peer) {
        const auto bytes = std::make_shared<std::string>(std::exchange(peer->out, {}));
        if (bytes->empty() || !peer->socket.is_open()) return;
        asio::async_write(peer->socket, asio::buffer(*bytes), [bytes, peer](const asio::error_code&, std::size_t) {});
    }

    asio::io_context& io_;
    asio::ip::tcp::acceptor acceptor_;
    const std::uint16_t port_;
    std::vector<std::shared_ptr<Peer>> peers_;
    std::vector<Words> commands_;
    int connections_ = 0;
};

}  // namespace etage::redis
