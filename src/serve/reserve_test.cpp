#include "serve/reserve.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace etage::serve {
namespace {

using asio::ip::tcp;

/// Takes every descriptor that this process may have. Sanitizers look at memory through a pipe of their own: in its
/// scope there is nothing with a virtual table.
class Nothing {
public:
    Nothing() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 64;
        ::setrlimit(RLIMIT_NOFILE, &few);
        for (int taken = ::dup(0); taken >= 0; taken = ::dup(0)) taken_.push_back(taken);
    }
    ~Nothing() {
        for (const int each : taken_) ::close(each);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }
    Nothing(const Nothing&) = delete;
    Nothing& operator=(const Nothing&) = delete;

private:
    rlimit before_{};
    std::vector<int> taken_;
};

TEST(Reserve, HangsUpOnWhoWaitsWhenThereIsNoDescriptor) {
    asio::io_context io;
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    acceptor.non_blocking(true);
    tcp::socket first(io);
    tcp::socket second(io);
    first.connect(acceptor.local_endpoint());
    second.connect(acceptor.local_endpoint());
    Reserve reserve;

    int refused = 0;
    bool turned_away[3];
    {
        const Nothing nothing;
        refused = ::accept(acceptor.native_handle(), nullptr, nullptr) < 0 ? errno : 0;
        for (bool& each : turned_away) each = reserve.hang_up_on_one(acceptor.native_handle());
    }
    EXPECT_EQ(refused, EMFILE);
    EXPECT_TRUE(turned_away[0]);
    EXPECT_TRUE(turned_away[1]) << "and the reserve is a reserve again";
    EXPECT_FALSE(turned_away[2]) << "nobody waits any more";
    char byte = 0;
    asio::error_code error;
    EXPECT_EQ(first.read_some(asio::buffer(&byte, 1), error), 0U);
    EXPECT_EQ(error, asio::error::eof);
}

TEST(Reserve, IsKeptWhenThereIsSomethingToKeep) {
    const int one = ::dup(0);
    bool kept[2];
    {
        const Nothing nothing;
        Reserve late;
        kept[0] = late.keep();
        ::close(one);
        kept[1] = late.keep();
    }
    EXPECT_FALSE(kept[0]);
    EXPECT_TRUE(kept[1]);
}

}  // namespace
}  // namespace etage::serve
