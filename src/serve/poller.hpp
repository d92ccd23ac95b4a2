#pragma once
// Readiness of many sockets through one epoll of our own, which the event loop watches as a single descriptor.
//
// Why · Asio reads speculatively: every request costs a recv() that finds nothing, and a handler's dispatch. Here a hit
// costs one recv() and one send(), and the event loop is entered once per batch (docs/decisions/0003).
// Concurrency · One thread, that of the event loop. Lifetime · A watcher is removed before it is destroyed; it may be
// removed, and others too, while a batch is handed out.
// What this does not promise · Edges: a watcher with unread bytes is told again in the next batch.

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <functional>

namespace etage::serve {

class Poller {
public:
    class Watcher {
    public:
        virtual void on_readable() = 0;

    protected:
        ~Watcher() = default;
    };

    /// `after_batch` runs when everybody in a batch has been told.
    Poller(asio::io_context& loop, std::function<void()> after_batch);

    /// False when the kernel refuses (out of memory or watches).
    bool add(int descriptor, Watcher& watcher) noexcept;
    void remove(int descriptor, const Watcher& watcher) noexcept;

private:
    static constexpr std::size_t batch_max = 128;
    static constexpr int rounds_max = 16;  // batches before the event loop's own work gets its turn

    void wait();
    int hand_out();

    std::function<void()> after_batch_;
    asio::posix::stream_descriptor epoll_;
    std::array<epoll_event, batch_max> events_;
    std::size_t next_ = 0;  // of the batch that is being handed out
    std::size_t count_ = 0;
};

}  // namespace etage::serve
