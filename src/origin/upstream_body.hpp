#pragma once
// The content of an upstream's answer, decoded as it is read, straight from the connection's buffer.

#include "http/h1_parser.hpp"
#include "net/body_source.hpp"
#include "net/patience.hpp"
#include "origin/upstream_pool.hpp"

#include <optional>
#include <string>

namespace etage::origin {

/// Owns the lease until the content has been read. Read to its end: the connection goes back into the pool, if
/// `reusable` and nothing surplus came. Destroyed before, on any thread: the connection is closed.
class UpstreamBody final : public net::BodySource {
public:
    /// `rate_min`: UpstreamOptions::announced_rate_min.
    UpstreamBody(Lease lease, http::BodyDecoder decoder, Duration pause_max, std::size_t rate_min, bool reusable);
    ~UpstreamBody() override;

    asio::awaitable<Result<std::string_view>> read() override;
    /// Closes the connection: reads fail from now on.
    void cancel() noexcept override;

private:
    asio::awaitable<std::expected<std::size_t, asio::error_code>> receive();
    void release();
    std::unexpected<Error> fail(Fault fault, std::string what);
    std::unexpected<Error> cut_short(const asio::error_code& ec);

    std::optional<Lease> lease_;  // nothing: given back
    http::BodyDecoder decoder_;
    const Duration pause_max_;
    net::Patience patience_;
    bool reusable_;
    bool ended_ = false;
    std::uint64_t received_ = 0;
    std::optional<Error> failed_;
};

}  // namespace etage::origin
