#pragma once
// GCRA, the token bucket as one number (ITU-T I.371; Brandur 2015): the theoretical arrival time. Pure functions of
// (state, now, cost), and a bounded table of states keyed by client.

#include <etage/time.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace etage::limit {

/// `quota` requests per `window`, at most `burst` at once. Preconditions: all positive.
struct Rate {
    std::uint64_t quota = 1;
    Duration window = std::chrono::seconds(60);
    std::uint64_t burst = 1;

    /// Time in which one token comes back.
    Duration emission() const noexcept { return Duration(window.count() / static_cast<std::int64_t>(quota)); }
};

struct Decision {
    bool allowed = true;
    std::uint64_t remaining = 0;   // whole tokens left after this decision
    Duration retry_after{};        // when refused: until `cost` tokens are there; never earlier than the real refill
    Duration reset_after{};        // until the bucket is full again
};

/// One decision. `tat` is the bucket's whole state (theoretical arrival time; default-constructed = full bucket); it is
/// advanced only when allowed.
Decision take(const Rate&, Instant& tat, Instant now, std::uint64_t cost = 1) noexcept;

/// Buckets by 64-bit key hash (keyed: the client chooses the input). Thread-safe, sharded; a decision allocates nothing
/// once the shard has grown. Bounded: a full shard forgets the bucket that is full soonest, which errs in the client's
/// favour by at most one burst. Idle (full) buckets are forgotten.
class BucketTable {
public:
    explicit BucketTable(std::size_t buckets_max = std::size_t{1} << 20);
    ~BucketTable();
    BucketTable(const BucketTable&) = delete;
    BucketTable& operator=(const BucketTable&) = delete;

    Decision take(const Rate&, std::uint64_t key, Instant now, std::uint64_t cost = 1);
    std::size_t size() const noexcept;

private:
    struct Shard;
    std::unique_ptr<Shard[]> shards_;
    std::size_t shard_max_;
};

}  // namespace etage::limit
