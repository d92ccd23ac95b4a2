#include "net/stream.hpp"

#include "net/tls_fixture.hpp"
#include "net/virtual_time.hpp"

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/ssl.hpp>
#include <asio/write.hpp>

#include <unistd.h>
#include <filesystem>
#include <optional>
#include <string>

namespace etage::net {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

template <class T>
T run(asio::io_context& io, asio::awaitable<T> work) {
    std::optional<T> result;
    asio::co_spawn(io, std::move(work), [&result](const std::exception_ptr& e, T value) {
        if (e) std::rethrow_exception(e);
        result.emplace(std::move(value));
    });
    io.restart();
    while (!result) io.run_one();
    return std::move(*result);
}

Instant soon() { return base::TimerClock::now() + 5s; }

/// Sends `text`, and reads until as much has come back.
std::string echoed(asio::io_context& io, Stream& stream, const std::string& text) {
    asio::error_code ec;
    std::size_t written = stream.write_now(asio::buffer(text), ec);
    EXPECT_FALSE(ec);
    bool sent = written == text.size();
    if (!sent) stream.write(asio::buffer(text) + written, [&](const asio::error_code& e, std::size_t) { sent = !e; });
    std::string back;
    std::vector<char> buffer(70'000);
    bool ended = false;
    std::function<void()> read = [&] {
        stream.read_some(asio::buffer(buffer), [&](const asio::error_code& e, std::size_t n) {
            back.append(buffer.data(), n);
            ended = static_cast<bool>(e);
            if (!e && back.size() < text.size()) read();
        });
    };
    read();
    io.restart();
    while (!ended && (!sent || back.size() < text.size())) io.run_one();
    return back;
}

template <class Socket>
asio::awaitable<void> echo(Socket socket) {
    std::vector<char> buffer(10'000);
    for (;;) {
        const auto [ec, n] = co_await socket.async_read_some(asio::buffer(buffer), quietly);
        if (ec) co_return;
        co_await asio::async_write(socket, asio::buffer(buffer.data(), n), quietly);
    }
}

std::string large() {
    std::string text(3'000'000, ' ');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
}

TEST(Stream, Tcp) {
    asio::io_context io;
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    acceptor.async_accept(
        [&](const asio::error_code&, tcp::socket s) { asio::co_spawn(io, echo(std::move(s)), asio::detached); });
    Resolver resolver("127.0.0.1", std::to_string(acceptor.local_endpoint().port()));
    auto opened = run(io, open_tcp(resolver, nullptr, "127.0.0.1", soon()));
    ASSERT_TRUE(opened);
    EXPECT_EQ(echoed(io, **opened, "hello"), "hello");
    EXPECT_EQ(echoed(io, **opened, large()), large());
}

TEST(Stream, TcpRefused) {
    asio::io_context io;
    std::uint16_t port = 0;
    {
        tcp::acceptor gone(io, {asio::ip::address_v4::loopback(), 0});
        port = gone.local_endpoint().port();
    }
    Resolver resolver("127.0.0.1", std::to_string(port));
    const auto opened = run(io, open_tcp(resolver, nullptr, "127.0.0.1", soon()));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, asio::error::connection_refused);
    EXPECT_EQ(opened.error().what, "Connection refused");
}

TEST(Stream, UnixSocket) {
    asio::io_context io;
    const std::string path = "/tmp/etage-stream-" + std::to_string(::getpid());
    std::filesystem::remove(path);
    {
        asio::local::stream_protocol::acceptor acceptor(io, asio::local::stream_protocol::endpoint(path));
        acceptor.async_accept([&](const asio::error_code&, asio::local::stream_protocol::socket s) {
            asio::co_spawn(io, echo(std::move(s)), asio::detached);
        });
        auto opened = run(io, open_unix(path, soon()));
        ASSERT_TRUE(opened);
        EXPECT_EQ(echoed(io, **opened, large()), large());
    }
    const auto refused = run(io, open_unix(path, soon()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, "Connection refused");
    std::filesystem::remove(path);
    EXPECT_EQ(run(io, open_unix(path, soon())).error().what, "No such file or directory");
}

TEST(Stream, CloseEndsWhatIsUnderWay) {
    asio::io_context io;
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    Resolver resolver("127.0.0.1", std::to_string(acceptor.local_endpoint().port()));
    auto opened = run(io, open_tcp(resolver, nullptr, "127.0.0.1", soon()));
    ASSERT_TRUE(opened);
    char byte = 0;
    std::optional<asio::error_code> outcome;
    (*opened)->read_some(asio::buffer(&byte, 1), [&](const asio::error_code& ec, std::size_t) { outcome = ec; });
    (*opened)->close();
    EXPECT_FALSE(outcome);
    io.restart();
    io.run();
    EXPECT_EQ(outcome, asio::error::operation_aborted);
}

/// A server with certificates of an authority of its own.
class TlsTest : public testing::Test {
protected:
    asio::io_context io;
    Authority authority;
    asio::ssl::context server{asio::ssl::context::tls_server};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    std::string server_name;  // as the client asked for it (SNI)
    std::string client;       // of the certificate that it showed

    void serve(const std::string& name, bool ask_for_certificate = false) {
        server.use_certificate_chain_file(authority.certificate(name));
        server.use_private_key_file(authority.key(name), asio::ssl::context::pem);
        server.load_verify_file(authority.ca());
        if (ask_for_certificate)
            server.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        accept();
    }
    void accept() {
        acceptor.async_accept([this](const asio::error_code& ec, tcp::socket s) {
            if (ec) return;
            asio::co_spawn(io, shake(std::move(s)), asio::detached);
            accept();
        });
    }
    asio::awaitable<void> shake(tcp::socket s) {
        asio::ssl::stream<tcp::socket> stream(std::move(s), server);
        const auto [ec] = co_await stream.async_handshake(asio::ssl::stream_base::server, quietly);
        if (ec) co_return;
        const char* const asked = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
        server_name = asked == nullptr ? "" : asked;
        if (X509* const shown = SSL_get1_peer_certificate(stream.native_handle())) {
            char text[64] = {};
            X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text, sizeof text);
            client = text;
            X509_free(shown);
        }
        co_await echo(std::move(stream));
    }

    OpenedStream open(const std::string& host, TlsFiles files) {
        auto context = TlsContext::make(files);
        EXPECT_TRUE(context) << context.error();
        Resolver resolver("127.0.0.1", std::to_string(acceptor.local_endpoint().port()));
        return run(io, open_tcp(resolver, *context, host, soon()));
    }
    TlsFiles trusting() const { return {.ca = authority.ca(), .certificate = {}, .key = {}}; }
};

TEST_F(TlsTest, BytesBothWays) {
    authority.issue("server", "DNS:redis.example");
    serve("server");
    auto opened = open("redis.example", trusting());
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(echoed(io, **opened, "hello"), "hello");
    EXPECT_EQ(echoed(io, **opened, large()), large());
    EXPECT_EQ(server_name, "redis.example");
    EXPECT_EQ(client, "");
}

TEST_F(TlsTest, AddressesAreVerifiedAndNeverNamed) {  // RFC 6066 §3
    authority.issue("server", "IP:127.0.0.1");
    serve("server");
    auto opened = open("127.0.0.1", trusting());
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(echoed(io, **opened, "hello"), "hello");
    EXPECT_EQ(server_name, "");
}

TEST_F(TlsTest, AClientMayShowACertificate) {
    authority.issue("server", "DNS:redis.example");
    authority.issue("gateway", "DNS:gateway.example");
    serve("server", true);
    auto opened =
        open("redis.example",
             {.ca = authority.ca(), .certificate = authority.certificate("gateway"), .key = authority.key("gateway")});
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(echoed(io, **opened, "hello"), "hello");
    EXPECT_EQ(client, "gateway");
}

TEST_F(TlsTest, AnotherNameIsRefused) {
    authority.issue("server", "DNS:redis.example,IP:10.0.0.1");
    serve("server");
    const auto by_name = open("other.example", trusting());
    ASSERT_FALSE(by_name);
    EXPECT_EQ(by_name.error().what, "certificate: hostname mismatch");
    const auto by_address = open("127.0.0.1", trusting());
    ASSERT_FALSE(by_address);
    EXPECT_EQ(by_address.error().what, "certificate: IP address mismatch");
}

TEST_F(TlsTest, AnotherAuthorityIsRefused) {
    authority.issue("server", "DNS:redis.example");
    serve("server");
    const Authority stranger("stranger");
    const auto opened = open("redis.example", {.ca = stranger.ca(), .certificate = {}, .key = {}});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().what, "certificate: self-signed certificate in certificate chain");
    EXPECT_FALSE(open("redis.example", {})) << "the system does not know it either";
}

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
    authority.issue("server", "DNS:redis.example", true);
    serve("server");
    const auto opened = open("redis.example", trusting());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().what, "certificate: certificate has expired");
}

TEST_F(TlsTest, APlainServerIsSaid) {
    acceptor.async_accept([&](const asio::error_code&, tcp::socket s) {
        asio::co_spawn(
            io,
            [](tcp::socket socket) -> asio::awaitable<void> {
                std::string refusal = "-ERR unknown command\r\n";
                co_await asio::async_write(socket, asio::buffer(refusal), quietly);
                co_await echo(std::move(socket));
            }(std::move(s)),
            asio::detached);
    });
    const auto opened = open("redis.example", trusting());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().what.find("wrong version number"), std::string::npos) << opened.error().what;
}

TEST_F(TlsTest, ASilentServerCostsTheDeadline) {
    base::VirtualClock clock({Instant(1h), {}});
    auto context = TlsContext::make(trusting());
    Resolver resolver("127.0.0.1", std::to_string(acceptor.local_endpoint().port()));
    std::optional<OpenedStream> outcome;
    asio::co_spawn(io, open_tcp(resolver, *context, "redis.example", clock.now().mono + 300ms),
                   [&](const std::exception_ptr&, OpenedStream opened) { outcome.emplace(std::move(opened)); });
    while (io.run_one_for(10ms) > 0) {
    }
    advance(io, clock, 299ms);
    EXPECT_FALSE(outcome);
    advance(io, clock, 1ms);
    ASSERT_TRUE(outcome);
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().code, asio::error::timed_out);
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
    authority.issue("a", "DNS:a");
    authority.issue("b", "DNS:b");
    const auto complaint = [](const TlsFiles& files) {
        const auto made = TlsContext::make(files);
        return made ? "" : made.error();
    };
    EXPECT_EQ(
        complaint({.ca = "/nowhere.pem", .certificate = {}, .key = {}}).find("the CA certificates /nowhere.pem: "), 0U);
    EXPECT_EQ(complaint({.ca = authority.key("a"), .certificate = {}, .key = {}}).find("the CA certificates "), 0U);
    EXPECT_EQ(complaint({.ca = {}, .certificate = authority.certificate("a"), .key = {}}),
              "a certificate of this client needs its key, and a key its certificate");
    EXPECT_EQ(complaint({.ca = {}, .certificate = "/nowhere.pem", .key = "/nowhere.key"})
                  .find("the certificate /nowhere.pem: "),
              0U);
    EXPECT_EQ(
        complaint({.ca = {}, .certificate = authority.certificate("a"), .key = authority.key("b")}).find("the key "),
        0U);
    EXPECT_EQ(complaint({.ca = authority.ca(), .certificate = authority.certificate("a"), .key = authority.key("a")}),
              "");
}

}  // namespace
}  // namespace etage::net
