#include "gateway/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace etage::gateway {

std::size_t clients_within(std::size_t wanted, std::size_t descriptors, std::size_t origin_connections) noexcept {
    const std::size_t kept = std::min(descriptors_kept + origin_connections, descriptors / 2);
    return std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(descriptors - kept, 1));
}

std::size_t descriptors_of_process() noexcept {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_cur) : 1024;
}

void raise_descriptors() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace etage::gateway
