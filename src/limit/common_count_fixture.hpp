#pragma once
// For tests: what several instances count together, by limit::take. The script of redis/ is compared with it, and who
// asks a common count is tried with it; it may be away, fail, or not answer.

#include "base/clock.hpp"
#include "limit/remote_quotas.hpp"
#include "net/timer.hpp"

#include <gtest/gtest.h>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace etage::limit::testing {

class CommonCount final : public RemoteQuotas {
public:
    /// All or nothing, as the port says.
    std::vector<Grant> count(std::span<const Claim> claims, Now now) {
        bool all = true;
        for (const Claim& claim : claims) {
            State& state = states[std::string(claim.name)];
            state = more_used(claim.quota, state, state_of(claim.at_least, now), now);
            credit(claim.quota, state, now, claim.back);
            debit(claim.quota, state, now, claim.debt);
            all = all && (!claim.binding || has(claim, now));
        }
        std::vector<Grant> grants;
        for (const Claim& claim : claims) {
            State& state = states[std::string(claim.name)];
            const std::uint64_t granted = all && has(claim, now) ? std::min(claim.want, left(claim, now)) : 0;
            EXPECT_TRUE(granted == 0 || limit::take(claim.quota, state, now, granted).allowed);
            grants.push_back({granted, used(claim.quota, state, now)});
        }
        return grants;
    }

    asio::awaitable<Result<std::vector<Grant>>> take(std::span<const Claim> claims, Instant deadline) override {
        ++calls;
        if (is_silent) {
            net::Timer timer(co_await asio::this_coro::executor);
            timer.expires_at(deadline);
            co_await timer.async_wait(net::quietly);
        }
        if (is_silent || fails) co_return failure(Blame::remote_store, Fault::internal, "no reply", true);
        co_return count(claims, base::read_clock());
    }
    bool away() const noexcept override { return is_away; }
    std::uint64_t instances() const noexcept override { return 2; }

    std::map<std::string, State> states;  // by the names of claims
    int calls = 0;
    bool is_away = false;
    bool is_silent = false;
    bool fails = false;

private:
    std::uint64_t left(const Claim& claim, Now now) const {
        State copy = states.at(std::string(claim.name));
        return limit::take(claim.quota, copy, now, 0).remaining;
    }
    bool has(const Claim& claim, Now now) const { return left(claim, now) >= std::max<std::uint64_t>(claim.need, 1); }
};

}  // namespace etage::limit::testing
