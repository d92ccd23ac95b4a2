#pragma once
// The port to limits that several instances count together. `redis/` implements it.
//
// All or nothing: every binding claim of a call is granted what it needs, or none is granted anything. So a request
// that one limit refuses pays no other.

#include "limit/quota.hpp"

#include <etage/error.hpp>

#include <asio/awaitable.hpp>

#include <span>
#include <string_view>
#include <vector>

namespace etage::limit {

/// One client's share of one limit. Borrowed for the call.
struct Claim {
    Quota quota;
    std::string_view name;   // of limit and client, the same on every instance; printable, without spaces
    std::uint64_t need = 1;  // 0: asks whether there is anything left
    std::uint64_t want = 1;  // at least `need`; what is granted beyond it is a lease
    std::uint64_t back = 0;  // of a lease that has lapsed: given back before anything is taken
    std::uint64_t debt = 0;  // charged whatever is left (debit), before anything is taken
    Used at_least{};         // what is known to be used: the common count is raised to it first
    bool binding = true;     // false (a dry run): whether it is granted has no effect on the others
};

struct Grant {
    std::uint64_t granted = 0;  // 0 (of a need above 0): refused
    Used used;                  // of all instances, after this call
};

class RemoteQuotas {
public:
    virtual ~RemoteQuotas() = default;

    /// One round trip for all. As many grants as claims, or one error (blame remote_store): then it is not known
    /// whether anything was taken, and nothing may be spent.
    virtual asio::awaitable<Result<std::vector<Grant>>> take(std::span<const Claim> claims, Instant deadline) = 0;

    /// A call would fail at once.
    virtual bool away() const noexcept = 0;
    /// How many instances count together, at least 1: as last known.
    virtual std::uint64_t instances() const noexcept = 0;
};

}  // namespace etage::limit
