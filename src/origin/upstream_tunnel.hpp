#pragma once
// What the connection becomes after 101 (Switching Protocols).

#include "net/tunnel.hpp"
#include "origin/upstream_pool.hpp"

namespace etage::origin {

/// Owns the lease; the connection ends with it. What came behind the 101 is read first.
class UpstreamTunnel final : public net::Tunnel {
public:
    explicit UpstreamTunnel(Lease lease) noexcept : lease_(std::move(lease)) {}

    asio::awaitable<Result<std::string_view>> read() override;
    asio::awaitable<bool> write(std::string_view bytes) override;
    void end_writing() noexcept override;
    void close() noexcept override;

private:
    Lease lease_;
};

}  // namespace etage::origin
