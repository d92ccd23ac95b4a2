#pragma once
// The right to ask the origin for all instances. Renewed while it is held, so that it can be short: what a dead holder
// leaves behind lapses within `claim_for`.

#include "redis/client.hpp"
#include "store/remote_store.hpp"

#include <etage/sequence.hpp>

#include <asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace etage::redis {

/// What stands under a claim's name: the fence of the fill, and whose it is.
struct ClaimText {
    static constexpr std::string_view abandoned = "abandoned";

    Sequence fence = 0;
    static std::string make(Sequence fence);  // unique in all processes
    static std::optional<ClaimText> parse(std::string_view text);
};

class Claim final : public store::RemoteClaim {
public:
    /// For a claim that was just made on the server. Renewals and the giving back run on `executor`; `client` outlives
    /// its event loop's work.
    Claim(const asio::any_io_executor& executor, Client& client, std::string name, std::string text, Duration lasts);
    ~Claim() override;
    void abandon() noexcept override;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace etage::redis
