#include "origin/upstream_pool.hpp"

#include <asio/dispatch.hpp>

#include <algorithm>
#include <utility>

namespace etage::origin {

UpstreamPool::UpstreamPool(const asio::any_io_executor& executor, std::size_t idle_max, Duration idle_timeout)
    : executor_(executor), idle_max_(idle_max), idle_timeout_(idle_timeout), sweeper_(executor) {}

std::unique_ptr<UpstreamConnection> UpstreamPool::take(std::size_t endpoint, Duration idle_at_most) {
    const Instant oldest = base::TimerClock::now() - std::min(idle_at_most, idle_timeout_);
    for (std::size_t i = idle_.size(); i-- > 0 && idle_[i].since >= oldest;) {
        if (idle_[i].endpoint != endpoint) continue;
        auto connection = std::move(idle_[i].connection);
        idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
        // Bytes nobody asked for would be taken for the next answer (response queue poisoning); an end is a dead one.
        if (!connection->readable()) return connection;
    }
    return nullptr;
}

void UpstreamPool::put(std::size_t endpoint, std::unique_ptr<UpstreamConnection> connection) {
    if (closed_ || idle_max_ == 0) return;
    if (idle_.size() >= idle_max_) idle_.erase(idle_.begin());
    idle_.push_back({std::move(connection), endpoint, base::TimerClock::now()});
    sweep_later();
}

void UpstreamPool::close() noexcept {
    closed_ = true;
    idle_.clear();
    sweeper_.cancel();
}

void UpstreamPool::sweep_later() {
    if (sweep_pending_ || idle_.empty()) return;
    sweep_pending_ = true;
    sweeper_.expires_at(idle_.front().since + idle_timeout_);
    sweeper_.async_wait([weak = weak_from_this()](const asio::error_code&) {
        if (const auto self = weak.lock()) self->sweep();
    });
}

void UpstreamPool::sweep() {
    sweep_pending_ = false;
    const Instant oldest = base::TimerClock::now() - idle_timeout_;
    std::erase_if(idle_, [oldest](const Idle& idle) { return idle.since <= oldest; });
    sweep_later();
}

Lease::Lease(std::shared_ptr<UpstreamPool> pool, std::unique_ptr<UpstreamConnection> connection, InFlight in_flight,
             net::Slot slot, bool kept) noexcept
    : pool_(std::move(pool)),
      connection_(std::move(connection)),
      in_flight_(std::move(in_flight)),
      slot_(std::move(slot)),
      kept_(kept) {}

Lease::~Lease() { end(false); }

void Lease::give_back() { end(true); }

net::Slot Lease::abandon() {
    net::Slot slot = std::move(*slot_);
    end(false);
    return slot;
}

void Lease::end(bool reuse) {
    if (!connection_) return;
    // In its own thread this runs at once, before the slot is free: whoever waits for it finds the connection.
    asio::dispatch(pool_->executor(), [pool = pool_, endpoint = in_flight_->endpoint().index(),
                                       connection = std::move(connection_), reuse]() mutable {
        if (reuse) pool->put(endpoint, std::move(connection));
        connection.reset();
    });
    in_flight_.reset();
    slot_.reset();
}

}  // namespace etage::origin
