#include "serve/reserve.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace etage::serve {

void Reserve::take() noexcept {
    if (descriptor_ < 0) descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void Reserve::give_up() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

bool Reserve::keep() noexcept {
    const std::lock_guard lock(mutex_);
    take();
    return descriptor_ >= 0;
}

bool Reserve::hang_up_on_one(int listening) noexcept {
    const std::lock_guard lock(mutex_);
    give_up();
    const int client = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client >= 0) ::close(client);
    take();
    return client >= 0;
}

}  // namespace etage::serve
