#pragma once
// The shared tier, as the walk sees it (step 6): a port that `redis` implements. What it holds is as fallible as any
// network: whatever it does not give in time is `away`, which is not the same as a miss.
//
// Thread-safe; coroutines run on the caller's executor. Outlives every call.

#include "store/entry.hpp"

#include "http/vary.hpp"

#include <etage/sequence.hpp>
#include <etage/time.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace etage::store {

/// What is looked for. Everything is borrowed for the call.
struct RemoteName {
    std::string_view name;  // readable, the same in every process: "v1:<route>:<hash>"
    std::string_view key;   // the full primary key: what is found must have the same
    base::Hash128 key_hash;
    http::FieldSpan request;                // selects among variants
    const http::VaryNames* vary = nullptr;  // if it is known already what they vary on: then one trip suffices
};

/// The right to ask the origin for everybody (SET NX PX): held while it lives, renewed meanwhile, given back at its
/// end.
class RemoteClaim {
public:
    virtual ~RemoteClaim() = default;

    /// What came is for one client only: those who wait for it need not, nor need they wait for each other.
    virtual void abandon() noexcept = 0;
};

class RemoteStore {
public:
    virtual ~RemoteStore() = default;

    enum class Answer : std::uint8_t { hit, miss, away };
    struct Found {
        Answer answer = Answer::miss;
        base::Ref<const Entry> entry;  // of a hit; whether it is valid, fresh, of the route, is the caller's to judge
    };
    /// One trip; a second one for a variant when it was not known what they vary on. What is damaged is deleted, and a
    /// miss.
    virtual asio::awaitable<Found> find(const RemoteName& name, Instant deadline) = 0;

    struct Claimed {
        Answer answer = Answer::away;        // hit: the claim is ours; miss: somebody else has it
        std::shared_ptr<RemoteClaim> claim;  // ours
        Sequence fence = 0;                  // of the other's fill
        bool is_shareable = true;            // false: the other has abandoned it
        base::Ref<const Entry> entry;        // ours came too late: this was put there meanwhile
    };
    /// Cross-instance single flight: tells the others that a fill with this fence is under way. One trip.
    virtual asio::awaitable<Claimed> claim(const RemoteName& name, Sequence fence, Instant deadline) = 0;

    /// Write-behind: returns at once, works on `executor`. The entry replaces what is there unless that has a higher
    /// fence (DESIGN §4 rule 3). `claim` is given back when it is done, so that those who wait find something.
    virtual void put(const asio::any_io_executor& executor, std::string_view name, base::Ref<const Entry> entry,
                     const http::VaryNames& vary, std::shared_ptr<RemoteClaim> claim, Instant now) = 0;

    /// Calls would be `away` at once.
    virtual bool is_away() const noexcept = 0;
};

}  // namespace etage::store
