#include "limit/token_bucket.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <vector>

namespace etage::limit {

namespace {

/// No span in here is longer, so that the sum of three of them and the age of the process still fit into 64 bits.
constexpr std::int64_t span_max = INT64_MAX / 4;

std::int64_t span_of(std::uint64_t tokens, std::int64_t emission) noexcept {
    std::int64_t span = 0;
    return __builtin_mul_overflow(tokens, emission, &span) ? span_max : std::min(span, span_max);
}

}  // namespace

Decision take(const Rate& rate, Instant& tat, Instant now, std::uint64_t cost) noexcept {
    const std::int64_t emission = rate.emission().count();
    const std::int64_t full = span_of(rate.burst, emission);
    const std::int64_t used = std::max((tat - now).count(), std::int64_t{0});
    const std::int64_t wanted = used + span_of(cost, emission);

    Decision decision;
    decision.allowed = wanted <= full && cost <= rate.burst;
    const std::int64_t left_used = decision.allowed ? wanted : used;
    if (decision.allowed)
        tat = now + Duration(wanted);
    else
        decision.retry_after = cost <= rate.burst ? Duration(wanted - full) : Duration::max();
    decision.remaining = static_cast<std::uint64_t>(std::max(full - left_used, std::int64_t{0}) / emission);
    decision.reset_after = Duration(left_used);
    return decision;
}

namespace {

constexpr std::size_t ways = 8;
constexpr std::size_t shards_max = 64;

/// A bucket is in use while `tat` lies in the future. A free place is the full bucket of key 0, which is as good as
/// none; the true bucket of key 0 stands before all free places, since both take the first.
struct alignas(64) Set {
    std::array<std::uint64_t, ways> keys{};
    std::array<Instant, ways> tats{};

    /// The place of `key`, or of the bucket that is full soonest.
    std::size_t place_for(std::uint64_t key) const noexcept {
        for (std::size_t way = 0; way < ways; ++way)
            if (keys[way] == key) return way;
        return static_cast<std::size_t>(std::ranges::min_element(tats) - tats.begin());
    }
};

/// Fibonacci hashing, for keys that are not uniform after all. The shard takes the uppermost bits, the set those from
/// the 32nd on: they stay independent however far a shard grows.
std::uint64_t spread(std::uint64_t key) noexcept { return key * 0x9E37'79B9'7F4A'7C15U; }

}  // namespace

struct alignas(64) BucketTable::Shard {
    std::mutex mutex;
    std::vector<Set> sets{1};
    std::atomic<std::size_t> used{0};

    Set& set_of(std::uint64_t key) noexcept {
        return sets[static_cast<std::size_t>(spread(key) >> 32U) & (sets.size() - 1)];
    }

    /// Each set becomes two, so all buckets in use find room; idle ones are left behind.
    void grow(Instant now) {
        std::vector<Set> old(sets.size() * 2);
        old.swap(sets);
        std::size_t kept = 0;
        for (const Set& set : old)
            for (std::size_t way = 0; way < ways; ++way)
                if (set.tats[way] > now) {
                    put(set.keys[way], set.tats[way]);
                    ++kept;
                }
        used.store(kept, std::memory_order_relaxed);
    }

    void put(std::uint64_t key, Instant tat) noexcept {
        Set& set = set_of(key);
        const std::size_t way = set.place_for(key);
        set.keys[way] = key;
        set.tats[way] = tat;
    }
};

BucketTable::BucketTable(std::size_t buckets_max) {
    const std::size_t sets = std::bit_floor(std::max(buckets_max / ways, std::size_t{1}));
    shard_count_ = std::min(sets, shards_max);
    shard_sets_max_ = sets / shard_count_;
    shards_ = std::make_unique<Shard[]>(shard_count_);
}

BucketTable::~BucketTable() = default;

Decision BucketTable::take(const Rate& rate, std::uint64_t key, Instant now, std::uint64_t cost) {
    Shard& shard = shards_[static_cast<std::size_t>(spread(key) >> 58U) & (shard_count_ - 1)];
    const std::lock_guard lock(shard.mutex);
    Set* set = &shard.set_of(key);
    std::size_t way = set->place_for(key);
    const auto taken_by_other = [&] { return set->keys[way] != key && set->tats[way] > now; };
    while (taken_by_other() && shard.sets.size() < shard_sets_max_) {
        shard.grow(now);
        set = &shard.set_of(key);
        way = set->place_for(key);
    }
    if (taken_by_other()) forgotten_.fetch_add(1, std::memory_order_relaxed);

    Instant& tat = set->tats[way];
    const bool was_used = tat != Instant{};
    if (set->keys[way] != key) tat = Instant{};
    set->keys[way] = key;
    const Decision decision = limit::take(rate, tat, now, cost);
    const bool is_used = tat != Instant{};
    if (is_used != was_used) shard.used.fetch_add(is_used ? 1 : std::size_t(-1), std::memory_order_relaxed);
    return decision;
}

std::size_t BucketTable::size() const noexcept {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < shard_count_; ++i) sum += shards_[i].used.load(std::memory_order_relaxed);
    return sum;
}

std::size_t BucketTable::buckets_max() const noexcept { return shard_count_ * shard_sets_max_ * ways; }

}  // namespace etage::limit
