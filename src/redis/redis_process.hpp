#pragma once
// For tests: a real Redis.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace etage::redis {

/// A process of its own, with nothing on disk.
class RedisServer {
public:
    static bool is_installed() { return std::system("redis-server --version > /dev/null 2>&1") == 0; }

    RedisServer() {
        std::array<char, 32> place{"/tmp/etage-redis-XXXXXX"};
        folder_ = ::mkdtemp(place.data());
        start();
    }
    ~RedisServer() {
        stop(SIGKILL);
        std::filesystem::remove_all(folder_);
    }
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    std::string socket() const { return folder_ + "/s"; }
    void start() {
        process_ = ::fork();
        if (process_ != 0) return;
        const int nowhere = ::open("/dev/null", O_WRONLY);
        ::dup2(nowhere, STDOUT_FILENO);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves none behind
        ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket().c_str(), "--save", "", "--dir",
                 folder_.c_str(), "--repl-timeout", "5", nullptr);
        ::_exit(127);
    }
    void stop(int signal) {
        if (process_ <= 0) return;
        ::kill(process_, signal);
        ::waitpid(process_, nullptr, 0);
        process_ = 0;
    }
    void signal(int which) const { ::kill(process_, which); }

private:
    std::string folder_;
    pid_t process_ = 0;
};

}  // namespace etage::redis
