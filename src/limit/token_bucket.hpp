#pragma once
// GCRA, the token bucket as one number (ITU-T I.371; Brandur 2015): the theoretical arrival time. Pure functions of
// (state, now, cost), and a bounded table of states keyed by client.

#include <etage/time.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace etage::limit {

/// `quota` requests per `window`, at most `burst` at once. Preconditions: all positive.
struct Rate {
    std::uint64_t quota = 1;
    Duration window = std::chrono::seconds(60);
    std::uint64_t burst = 1;

    /// Time in which one token comes back: rounded up to whole nanoseconds, so that a client never gets more than the
    /// quota. (It gets less by at most quota ns per window; the fastest rate is one token per nanosecond.)
    Duration emission() const noexcept {
        const auto span = static_cast<std::uint64_t>(window.count());
        return Duration(static_cast<std::int64_t>(span / quota + (span % quota != 0 ? 1 : 0)));
    }
};

struct Decision {
    bool allowed = true;
    std::uint64_t remaining = 0;  // whole tokens left after this decision
    Duration retry_after{};       // when refused: until `cost` tokens are there, exactly; Duration::max() when never
    Duration reset_after{};       // until the bucket is full again
};

/// One decision. `tat` is the bucket's whole state (theoretical arrival time; default-constructed = full bucket); it is
/// advanced only when allowed. A cost above the burst is refused for ever. Precondition: `now` is not before Instant{};
/// it may be earlier than at the last decision (another thread has read the clock), which errs against the client by as
/// much. Nothing overflows: a bucket that would need more than 73 years to fill counts as one that needs 73 years.
Decision take(const Rate&, Instant& tat, Instant now, std::uint64_t cost = 1) noexcept;

/// Buckets by 64-bit key hash (keyed: the client chooses the input).
///
/// Concurrency · Any thread may call anything: 64 shards with a short mutex each (fewer in a small table).
/// Bounded · A shard is a table of sets, eight buckets each, and doubles when a set is full of buckets in use; a
/// decision allocates nothing once its shard has grown. An idle bucket is a full one, so it is nothing: its place is
/// free. When a set is full and the shard may not grow, the set forgets the bucket that is full soonest, which errs in
/// that client's favour by at most one burst; whoever presses hardest is forgotten last.
class BucketTable {
public:
    /// A row of docs/limits.md; 16 bytes each, allocated as needed. Reached: buckets_forgotten().
    static constexpr std::size_t buckets_max_default = std::size_t{1} << 20;

    /// Room for the largest power of two of buckets that is at most `buckets_max`, but for eight at least.
    explicit BucketTable(std::size_t buckets_max = buckets_max_default);
    ~BucketTable();
    BucketTable(const BucketTable&) = delete;
    BucketTable& operator=(const BucketTable&) = delete;

    Decision take(const Rate&, std::uint64_t key, Instant now, std::uint64_t cost = 1);

    /// Buckets that occupy a place, idle ones included until their place is needed.
    std::size_t size() const noexcept;
    std::size_t buckets_max() const noexcept;
    /// How many buckets in use were forgotten for want of room.
    std::uint64_t buckets_forgotten() const noexcept { return forgotten_.load(std::memory_order_relaxed); }

private:
    struct Shard;
    std::size_t shard_count_;
    std::size_t shard_sets_max_;
    std::unique_ptr<Shard[]> shards_;
    std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace etage::limit
