// The floor: an epoll loop that answers every packet with the same prebuilt bytes and knows no HTTP. A cache hit cannot
// cost less than the system calls that carry it; the bench states everything as a ratio to this.
//
//   bench_echo PORT BODY_BYTES

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int listen_on(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 1024) != 0) {
        std::perror("bench_echo");
        std::exit(1);
    }
    return fd;
}

void watch(int poller, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::fputs("usage: bench_echo PORT BODY_BYTES\n", stderr), 2;
    const auto body = static_cast<std::size_t>(std::atoi(argv[2]));
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body) + "\r\n\r\n" +
        std::string(body, 'x');
    const int listener = listen_on(std::atoi(argv[1]));
    const int poller = epoll_create1(0);
    watch(poller, listener);
    std::array<epoll_event, 128> events;
    std::array<char, 8192> in;
    for (;;) {
        const int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < ready; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
                const int on = 1;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                watch(poller, client);
            } else if (recv(fd, in.data(), in.size(), 0) <= 0) {
                close(fd);
            } else {
                send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
            }
        }
    }
}
