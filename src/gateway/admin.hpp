#pragma once
// The administration: health, metrics, purge, explain and a page to look at, on an address of their own.
//
//   GET /healthz  /readyz              open to all: they say nothing but how we are
//   GET /                              the page; open, because it holds no data: its script fetches /stats.json
//   GET /stats.json /metrics /explain  guarded (guard.hpp)
//   POST /purge /reload                guarded

#include "base/log.hpp"
#include "flow/answer.hpp"
#include "gateway/config.hpp"
#include "gateway/guard.hpp"
#include "gateway/house.hpp"

#include <string>
#include <string_view>

namespace etage::gateway {

/// What one request to the administration may hold; rows of docs/limits.md.
inline constexpr std::size_t admin_body_bytes_max = std::size_t{1} << 20;

class Admin : public flow::Service {
public:
    /// `house` and `log` are borrowed and outlive this.
    Admin(House& house, const AdminConfig& config, base::Log& log);

    /// Nothing here is hot: always false.
    bool answer_now(flow::Visit& visit, flow::Answer& out) noexcept override;
    asio::awaitable<void> answer(flow::Visit& visit, std::shared_ptr<net::BodySource> body, flow::Answer& out) override;
    void refuse(Fault fault, std::string_view why, flow::Answer& out) noexcept override;

private:
    struct Page;
    struct Door;
    static const Door doors[];

    asio::awaitable<Page> open(flow::Visit& visit, net::BodySource* body);
    asio::awaitable<Page> purge(const flow::Visit& visit, net::BodySource* body);
    void note(const flow::Visit& visit, const std::string& what, const Result<PurgeReceipt>& receipt);
    asio::awaitable<Page> explain(std::string_view query);
    asio::awaitable<Page> reload(const flow::Visit& visit);
    Page ready(Now now) const;

    House& house_;
    base::Log& log_;
    std::string_view by_;  // by what right somebody is let in: "token", or "loopback" where none is asked for
    Guard guard_;
};

}  // namespace etage::gateway
