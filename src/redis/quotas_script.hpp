#pragma once
// What Redis does for limits: one script for all claims of a request, its arguments, and what its reply means.
//
// Numbers of Lua are doubles: whole ones are exact up to 2^53. So everything is counted in whole numbers below that,
// and what must be rounded is rounded against the client. A bucket counts nanoseconds; one that takes more than 52 days
// to fill counts microseconds, and its emission is rounded up to a whole one.
//
// A bucket is stored as the time that is used and the moment at which it was, not as the moment at which none is used
// any more: the clock of a server that is set back, or of the replica that follows it, then costs a client no more than
// what it had used anyway.

#include "limit/remote_quotas.hpp"
#include "redis/client.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace etage::redis {

/// The largest count, and the longest time in the unit that counts, that a script is told: whatever is more is as much.
inline constexpr std::uint64_t exact_max = (std::uint64_t{1} << 53) - 1;

/// KEYS: one for each claim. Reply: for each claim what was granted, and what is used then: time, current, previous.
const Script& quotas_script();
std::vector<std::string> quotas_arguments(std::span<const limit::Claim> claims);
Result<std::vector<limit::Grant>> parse_grants(std::span<const limit::Claim> claims, const Reply& reply);

}  // namespace etage::redis
