// The load: N keep-alive connections, one request each under way, for so many seconds; as cheap as it can be, so that
// it is never the bottleneck. Counts whole answers by their Content-Length and checks each status.
//
//   bench_load PORT CONNECTIONS SECONDS STATUS REQUEST…      (REQUEST: the head's lines, joined with CRLF)
//   prints: requests wrong bytes

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Client {
    int fd = -1;
    std::string in;
};

int connect_to(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        std::perror("bench_load");
        std::exit(1);
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/// Length of the whole answer at the front of `in`, or 0 when it is not whole yet.
std::size_t whole_answer(std::string_view in, bool no_body) {
    const auto end = in.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    if (no_body) return end + 4;
    const char* found = strcasestr(in.data(), "\r\ncontent-length:");
    const std::size_t length = found != nullptr && found < in.data() + end ? std::strtoul(found + 17, nullptr, 10) : 0;
    return in.size() >= end + 4 + length ? end + 4 + length : 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) return std::fputs("usage: bench_load PORT CONNECTIONS SECONDS STATUS LINE...\n", stderr), 2;
    const std::string status = std::string("HTTP/1.1 ") + argv[4];
    const bool no_body = std::strcmp(argv[4], "304") == 0 || std::strncmp(argv[5], "HEAD ", 5) == 0;
    std::string request;
    for (int i = 5; i < argc; ++i) request += std::string(argv[i]) + "\r\n";
    request += "\r\n";

    const int poller = epoll_create1(0);
    std::vector<Client> clients(static_cast<std::size_t>(std::atoi(argv[2])));
    for (std::size_t i = 0; i < clients.size(); ++i) {
        clients[i].fd = connect_to(std::atoi(argv[1]));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].fd, &event);
        send(clients[i].fd, request.data(), request.size(), MSG_NOSIGNAL);
    }

    const auto stop = std::chrono::steady_clock::now() + std::chrono::duration<double>(std::atof(argv[3]));
    unsigned long done = 0;
    unsigned long wrong = 0;
    unsigned long bytes = 0;
    std::array<epoll_event, 128> events;
    std::array<char, 64 * 1024> buffer;
    while (std::chrono::steady_clock::now() < stop) {
        const int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), 100);
        for (int i = 0; i < ready; ++i) {
            Client& client = clients[events[static_cast<std::size_t>(i)].data.u64];
            const auto got = recv(client.fd, buffer.data(), buffer.size(), 0);
            if (got <= 0) return std::fprintf(stderr, "bench_load: a connection was closed\n"), 1;
            client.in.append(buffer.data(), static_cast<std::size_t>(got));
            if (const auto size = whole_answer(client.in, no_body)) {
                ++done;
                bytes += size;
                if (!client.in.starts_with(status)) ++wrong;
                client.in.clear();
                send(client.fd, request.data(), request.size(), MSG_NOSIGNAL);
            }
        }
    }
    std::printf("%lu %lu %lu\n", done, wrong, bytes);
}
