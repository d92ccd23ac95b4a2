#include "admin_client.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace etage::cli {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;

constexpr Duration patience = std::chrono::seconds(10);

/// Accepts one connection, reads up to `until`, sends `answer`, closes.
class OneAnswer {
public:
    OneAnswer(std::string until, std::string answer)
        : thread_([this, until = std::move(until), answer = std::move(answer)] {
              tcp::socket socket(io_);
              asio::error_code error;
              acceptor_.accept(socket, error);
              if (error) return;
              asio::read_until(socket, asio::dynamic_buffer(received_), until, error);
              asio::write(socket, asio::buffer(answer), error);
          }) {}
    ~OneAnswer() {
        if (thread_.joinable()) thread_.join();
    }
    AdminAddress address() const { return {"127.0.0.1", std::to_string(acceptor_.local_endpoint().port()), {}}; }
    std::string received() {
        thread_.join();
        return received_;
    }

private:
    asio::io_context io_;
    tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    std::string received_;
    std::thread thread_;
};

TEST(AdminClient, SendsOneRequestAndReadsTheAnswer) {
    OneAnswer server("{}", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    AdminAddress address = server.address();
    address.token = "s3cret";
    const auto reply = ask(address, "POST", "/purge", "{}", patience);
    ASSERT_TRUE(reply) << reply.error();
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->content, "hello");
    EXPECT_EQ(server.received(), "POST /purge HTTP/1.1\r\nHost: " + address.text() +
                                     "\r\nConnection: close\r\nAuthorization: Bearer s3cret\r\nContent-Type: "
                                     "application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(AdminClient, AnswersThatAreNotWholeAreNotShown) {
    for (const char* answer :
         {"", "nonsense", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Le"}) {
        OneAnswer server("\r\n\r\n", answer);
        const auto reply = ask(server.address(), "GET", "/", "", patience);
        ASSERT_FALSE(reply) << answer;
        EXPECT_THAT(reply.error(), HasSubstr("is this the admin address?"));
    }
}

TEST(AdminClient, NobodyThereIsAnError) {
    asio::io_context io;
    std::string port;
    {
        const tcp::acceptor closed_again(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        port = std::to_string(closed_again.local_endpoint().port());
    }
    const auto reply = ask({"127.0.0.1", port, {}}, "GET", "/", "", patience);
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error(), HasSubstr("127.0.0.1:" + port));
}

TEST(AdminClient, SilenceEndsAtTheTimeout) {
    asio::io_context io;
    const tcp::acceptor silent(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const AdminAddress address{"127.0.0.1", std::to_string(silent.local_endpoint().port()), {}};
    const auto reply = ask(address, "GET", "/", "", std::chrono::milliseconds(20));
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error(), HasSubstr("no answer in time"));
}

TEST(AdminClient, Addresses) {
    EXPECT_EQ(parse_admin_address("127.0.0.1:8081")->text(), "127.0.0.1:8081");
    EXPECT_EQ(parse_admin_address("http://admin.internal:81/")->text(), "admin.internal:81");
    EXPECT_EQ(parse_admin_address("[::1]:8081")->text(), "[::1]:8081");
    EXPECT_FALSE(parse_admin_address(""));
    EXPECT_FALSE(parse_admin_address("ftp://x"));
    EXPECT_FALSE(parse_admin_address("host:port"));
}

}  // namespace
}  // namespace etage::cli
