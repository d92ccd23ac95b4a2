#pragma once
// How long a peer is waited for that is slow, but not silent.

#include <etage/time.hpp>

#include <algorithm>
#include <cstddef>

namespace etage::net {

/// Time that waiting uses up and bytes bring back, never more than there was at first. So whoever brings `rate_min`
/// bytes a second is waited for as long as it takes, a pause of `most` is allowed at any time, and a drip ends. A rate
/// of 0: any byte brings all of it back.
class Patience {
public:
    Patience(Duration most, std::size_t rate_min) noexcept
        : most_(most),
          for_each_byte_(rate_min == 0 ? most : Duration(Duration(std::chrono::seconds(1)) / rate_min)),
          left_(most) {}

    /// Not above zero: it is used up.
    Duration left() const noexcept { return left_; }
    bool is_whole() const noexcept { return left_ == most_; }

    void spend(Duration waited, std::size_t bytes) noexcept {
        left_ -= std::max(waited, Duration::zero());
        const Duration missing = most_ - left_;
        const auto rest =
            static_cast<std::size_t>(missing.count() / std::max<Duration::rep>(for_each_byte_.count(), 1));
        left_ = bytes > rest ? most_ : left_ + for_each_byte_ * static_cast<Duration::rep>(bytes);
    }

private:
    Duration most_;
    Duration for_each_byte_;
    Duration left_;
};

}  // namespace etage::net
