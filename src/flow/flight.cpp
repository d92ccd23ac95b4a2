#include "flow/flight.hpp"

namespace etage::flow {

void Flight::land(Outcome outcome) {
    outcome_ = std::move(outcome);
    landed_.store(true, std::memory_order_release);
    event_.notify_all();
}

asio::awaitable<bool> Flight::landed_by(Instant deadline) {
    co_return co_await event_.wait_until(deadline, [this] { return has_landed(); });
}

FlightTable::Boarding FlightTable::board(const std::string& key, const std::function<bool(const Flight&)>& may_join,
                                         const std::function<std::shared_ptr<Flight>()>& make) {
    const std::lock_guard lock(mutex_);
    auto& place = flights_[key];
    if (place && may_join(*place)) return {place, false};
    place = make();
    return {place, true};
}

void FlightTable::leave(const Flight& flight) {
    std::shared_ptr<Flight> gone;  // destroyed after the lock
    const std::lock_guard lock(mutex_);
    const auto it = flights_.find(flight.key());
    if (it == flights_.end() || it->second.get() != &flight) return;
    gone = std::move(it->second);
    flights_.erase(it);
}

std::size_t FlightTable::size() const {
    const std::lock_guard lock(mutex_);
    return flights_.size();
}

}  // namespace etage::flow
