#include "serve/poller.hpp"

#include <system_error>

namespace etage::serve {

namespace {

int make_epoll() {
    const int descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return descriptor;
}

}  // namespace

Poller::Poller(asio::io_context& loop, std::function<void()> after_batch)
    : after_batch_(std::move(after_batch)), epoll_(loop, make_epoll()) {
    wait();
}

bool Poller::add(int descriptor, Watcher& watcher) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.ptr = &watcher;
    return epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::remove(int descriptor, const Watcher& watcher) noexcept {
    epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
    for (std::size_t i = next_; i < count_; ++i)
        if (events_[i].data.ptr == &watcher) events_[i].data.ptr = nullptr;
}

void Poller::wait() {
    epoll_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
        if (error) return;
        for (int round = 0; round < rounds_max && hand_out() > 0; ++round) {
        }
        wait();
    });
}

int Poller::hand_out() {
    const int ready = epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(batch_max), 0);
    count_ = ready > 0 ? static_cast<std::size_t>(ready) : 0;
    for (next_ = 0; next_ < count_;) {
        auto* watcher = static_cast<Watcher*>(events_[next_++].data.ptr);
        if (watcher != nullptr) watcher->on_readable();
    }
    count_ = next_ = 0;
    after_batch_();
    return ready;
}

}  // namespace etage::serve
