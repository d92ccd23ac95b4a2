#pragma once
// Where connections find the service that is in charge, while another may take its place (a reload).
//
// Who asks holds what it asks: a connection takes the service for as long as a request lasts, and looks before the next
// whether it is still the one. So a service that was replaced ends with the last request that it answers, whatever else
// it had begun holds it for itself, and a hit pays one load and one comparison.
//
// Concurrency · Any thread may call anything. Comparing addresses suffices: the one that is held cannot be freed, so no
// other can stand at its address.

#include "flow/answer.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace etage::flow {

class Entrance {
public:
    /// Not null.
    explicit Entrance(std::shared_ptr<Service> first) : service_(std::move(first)), address_(service_.get()) {}

    /// Makes `held` the service that is in charge now.
    void refresh(std::shared_ptr<Service>& held) const {
        if (held.get() == address_.load(std::memory_order_acquire)) return;
        auto before = std::move(held);  // it may end here, but not under the mutex
        const std::lock_guard lock(mutex_);
        held = service_;
    }

    void change(std::shared_ptr<Service> next) {
        const std::lock_guard lock(mutex_);
        service_.swap(next);
        address_.store(service_.get(), std::memory_order_release);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<Service> service_;
    std::atomic<const Service*> address_;
};

}  // namespace etage::flow
