#include "serve/turnstile.hpp"

#include "base/hash.hpp"

namespace etage::serve {

namespace {

constexpr std::size_t network_bytes = 8;  // of an address of IPv6

template <class Bytes>
std::string_view text_of(const Bytes& bytes, std::size_t count) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), count};
}

}  // namespace

std::uint64_t Turnstile::key_of(const asio::ip::address& client) const noexcept {
    if (client.is_v4()) {
        const auto bytes = client.to_v4().to_bytes();
        return base::hash64(text_of(bytes, bytes.size()), secret_);
    }
    const auto bytes = client.to_v6().to_bytes();
    return base::hash64(text_of(bytes, network_bytes), secret_);
}

std::optional<limit::Seat> Turnstile::enter(const asio::ip::address& client, std::size_t per_client_max) {
    if (per_client_max == 0) return limit::Seat();
    std::uint64_t taken = 0;
    limit::Seat seat = seats_.enter(key_of(client), per_client_max, taken);
    if (!seat) return std::nullopt;
    return seat;
}

}  // namespace etage::serve
