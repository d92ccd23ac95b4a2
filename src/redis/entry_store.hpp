#pragma once
// The shared tier on Redis (DESIGN §8): entries as plain strings, each under its readable name.
//
//   ns:v1:<route>:<hash>              an entry, or which fields select among several
//   {ns:v1:<route>:<hash>}:<hash>     one of several, by its secondary key
//   {ns:v1:<route>:<hash>}:claim      who is asking the origin for it now, and with which fence
//
// A read is a plain GET. How old a value is goes by the clock of the server that the log lies on: its writer and its
// readers each know between which bounds that is now, and whatever is uncertain makes it older. A write is one small
// script: the higher fence wins.
//
// Concurrency · Thread-safe; the client gives each event loop a connection of its own.
// Lifetime · What is still to be written when the house closes is counted by `writes_under_way`.

#include "base/metrics.hpp"
#include "coherence/engine.hpp"
#include "redis/client.hpp"
#include "redis/log_clock.hpp"
#include "store/remote_store.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace etage::redis {

/// Rows of docs/limits.md.
struct EntryLimits {
    std::size_t value_bytes_max = std::size_t{1} << 20;   // redis.entry_max: a larger value is not written
    std::size_t writes_max = 512;                         // under way at once; more are dropped
    std::size_t write_bytes_max = std::size_t{64} << 20;  // of those; likewise
    Duration write_time_max = std::chrono::seconds(1);    // then a write is given up
    Duration claim_for = std::chrono::milliseconds(600);  // how long a claim outlives its holder
    Duration kept_for_max = std::chrono::hours(168);
};

class EntryStore : public store::RemoteStore {
public:
    /// `generation` is that of the log, 0 while it is not attached: then nothing can be judged, and all is away.
    /// Everything is borrowed and outlives this.
    EntryStore(Client& client, const coherence::Engine& engine, const LogClock& clock, std::string name_space,
               const std::atomic<std::uint64_t>& generation, base::Metrics& metrics, const EntryLimits& limits = {});

    asio::awaitable<Found> find(const store::RemoteName& name, Instant deadline) override;
    asio::awaitable<Claimed> claim(const store::RemoteName& name, Sequence fence, Instant deadline) override;
    void put(const asio::any_io_executor& executor, std::string_view name, base::Ref<const store::Entry> entry,
             const http::VaryNames& vary, std::shared_ptr<store::RemoteClaim> claim, Instant now) override;
    bool is_away() const noexcept override;

    std::size_t writes_under_way() const noexcept { return pending_->writes.load(std::memory_order_acquire); }

private:
    struct Pending {
        std::atomic<std::size_t> writes{0};
        std::atomic<std::size_t> bytes{0};
    };
    struct Write;

    std::string value_name(std::string_view name) const;
    std::string lookup_name(const store::RemoteName& name) const;
    asio::awaitable<Result<Reply>> ask(std::string_view verb, const store::RemoteName& name, Instant deadline);
    asio::awaitable<Found> find_variant(const store::RemoteName& name, const http::VaryNames& vary, Instant deadline);
    Found read(const store::RemoteName& name, const Reply& value, http::VaryNames* vary);
    Found away() const noexcept;
    Found damaged() const noexcept;
    asio::awaitable<void> write(std::shared_ptr<Write> write);

    Client& client_;
    const coherence::Engine& engine_;
    const LogClock& clock_;
    const std::string name_space_;
    const std::atomic<std::uint64_t>& generation_;
    base::Metrics& metrics_;
    const EntryLimits limits_;
    std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
};

/// For how long it is of any use to anybody: while it is fresh or may be used stale, and a minute more when it has a
/// validator. Zero: not at all.
Duration useful_for(const store::EntryParts& parts, Instant now) noexcept;

}  // namespace etage::redis
