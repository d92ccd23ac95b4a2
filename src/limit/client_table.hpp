#pragma once
// What is known of each client, by a 64-bit key hash (keyed: the client chooses the input).
//
// Concurrency · Any thread may call anything: 64 shards with a short mutex each (fewer in a small table).
// Bounded · A shard is a table of sets, eight clients each; a client may be in either of two sets, and the shard
// doubles when both are full of clients in use. A visit allocates nothing once its shard has grown, and looks at
// sixteen places at most, however many clients there are. What is idle is as good as nothing: its place is free. When
// both sets are full and the shard may not grow, the one that is idle soonest is forgotten, which errs in that client's
// favour by at most one burst; whoever presses hardest is forgotten last.

#include <etage/time.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace etage::limit {

/// `T` is default-constructed when nothing is known, and says from when on it is as good as that: `Instant idle_at`, a
/// member or a member function, Instant{} of a default-constructed one.
template <class T>
class ClientTable {
public:
    /// A row of docs/limits.md; bytes_each() for each, allocated as needed. Reached: clients_forgotten().
    static constexpr std::size_t clients_max_default = std::size_t{1} << 20;
    static constexpr std::size_t ways = 8;
    /// What a full table takes for each client.
    static constexpr std::size_t bytes_each() noexcept { return sizeof(Set) / ways; }

    /// Room for the largest power of two of clients that is at most `clients_max`, but for eight at least.
    explicit ClientTable(std::size_t clients_max = clients_max_default) {
        const std::size_t sets = std::bit_floor(std::max(clients_max / ways, std::size_t{1}));
        shard_count_ = std::min(sets, most_shards);
        shard_sets_max_ = sets / shard_count_;
        shards_ = std::make_unique<Shard[]>(shard_count_);
    }

    /// f(T&) under the shard's mutex: short, and without a visit. What it returns is returned.
    template <class F>
    decltype(auto) visit(std::uint64_t key, Instant now, F&& f) {
        if (key == free) key = instead_of_free;
        Shard& shard = shards_[static_cast<std::size_t>(spread(key) >> 58U) & (shard_count_ - 1)];
        const std::lock_guard lock(shard.mutex);
        const auto [set, way] = place_for(shard, key, now);
        const Counted counted(shard, set->clients[way]);
        if (set->keys[way] != key) set->clients[way] = T{};
        set->keys[way] = key;
        return std::forward<F>(f)(set->clients[way]);
    }

    /// f(key, T&) of each client in use, shard by shard under its mutex; other threads go on meanwhile.
    template <class F>
    void for_each(Instant now, F&& f) {
        for (std::size_t i = 0; i < shard_count_; ++i) {
            const std::lock_guard lock(shards_[i].mutex);
            for (Set& set : shards_[i].sets)
                for (std::size_t way = 0; way < ways; ++way)
                    if (idle_at(set.clients[way]) > now) {
                        const Counted counted(shards_[i], set.clients[way]);
                        f(std::as_const(set.keys[way]), set.clients[way]);
                    }
        }
    }

    /// Clients that occupy a place, idle ones included until their place is needed.
    std::size_t size() const noexcept {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < shard_count_; ++i) sum += shards_[i].used.load(std::memory_order_relaxed);
        return sum;
    }
    std::size_t clients_max() const noexcept { return shard_count_ * shard_sets_max_ * ways; }
    /// How many clients in use were forgotten for want of room.
    std::uint64_t clients_forgotten() const noexcept { return forgotten_.load(std::memory_order_relaxed); }

private:
    static constexpr std::size_t most_shards = 64;

    static Instant idle_at(const T& client) noexcept {
        if constexpr (requires { client.idle_at(); })
            return client.idle_at();
        else
            return client.idle_at;
    }

    /// Keys of places where nobody is yet, and of the client that has it by chance.
    static constexpr std::uint64_t free = 0;
    static constexpr std::uint64_t instead_of_free = 0x2545'F491'4F6C'DD1D;

    struct alignas(64) Set {
        std::array<std::uint64_t, ways> keys{};  // `free` until somebody comes
        std::array<T, ways> clients{};

        /// All lines at once: in a large table each is a wait for memory.
        void fetch() const noexcept {
            for (std::size_t at = 0; at < sizeof(Set); at += 64)
                __builtin_prefetch(reinterpret_cast<const char*>(this) + at, 1);
        }
        std::size_t way_of(std::uint64_t key) const noexcept {
            for (std::size_t way = 0; way < ways; ++way)
                if (keys[way] == key) return way;
            return ways;
        }
        std::size_t idle_soonest() const noexcept {
            std::size_t soonest = 0;
            for (std::size_t way = 1; way < ways; ++way)
                if (ClientTable::idle_at(clients[way]) < ClientTable::idle_at(clients[soonest])) soonest = way;
            return soonest;
        }
        std::size_t in_use(Instant now) const noexcept {
            std::size_t count = 0;
            for (const T& client : clients) count += ClientTable::idle_at(client) > now ? 1 : 0;
            return count;
        }
    };

    struct alignas(64) Shard {
        std::mutex mutex;
        std::vector<Set> sets{1};
        std::atomic<std::size_t> used{0};
    };

    /// Keeps Shard::used, while one of its clients is looked at.
    class Counted {
    public:
        Counted(Shard& shard, const T& client) noexcept
            : shard_(shard), client_(client), was_used_(idle_at(client) != Instant{}) {}
        ~Counted() {
            const bool is_used = idle_at(client_) != Instant{};
            if (is_used != was_used_) shard_.used.fetch_add(is_used ? 1 : std::size_t(-1), std::memory_order_relaxed);
        }
        Counted(const Counted&) = delete;
        Counted& operator=(const Counted&) = delete;

    private:
        Shard& shard_;
        const T& client_;
        bool was_used_;
    };

    struct Place {
        Set* set;
        std::size_t way;
    };

    /// Fibonacci hashing, for keys that are not uniform after all. The shard takes the uppermost bits, the sets those
    /// from the 32nd on: they stay independent however far a shard grows.
    static std::uint64_t spread(std::uint64_t key) noexcept { return key * 0x9E37'79B9'7F4A'7C15U; }
    static std::size_t first_set(std::uint64_t key) noexcept { return static_cast<std::size_t>(spread(key) >> 32U); }
    static std::size_t second_set(std::uint64_t key) noexcept {
        return static_cast<std::size_t>((key ^ (key >> 32U)) * 0xD6E8'FEB8'6659'FD93U >> 32U);
    }

    Place place_for(Shard& shard, std::uint64_t key, Instant now) {
        for (;;) {
            Set& first = shard.sets[first_set(key) & (shard.sets.size() - 1)];
            Set& second = shard.sets[second_set(key) & (shard.sets.size() - 1)];
            first.fetch();
            second.fetch();
            if (const std::size_t way = first.way_of(key); way < ways) return {&first, way};
            if (const std::size_t way = second.way_of(key); way < ways) return {&second, way};
            // Into the emptier of the two, so that nearly all sets are full before any two are.
            Set& emptier = first.in_use(now) <= second.in_use(now) ? first : second;
            if (emptier.in_use(now) < ways) return {&emptier, emptier.idle_soonest()};
            if (shard.sets.size() < shard_sets_max_) {
                grow(shard, now);
                continue;
            }
            forgotten_.fetch_add(1, std::memory_order_relaxed);
            const std::size_t in_first = first.idle_soonest(), in_second = second.idle_soonest();
            if (idle_at(second.clients[in_second]) < idle_at(first.clients[in_first])) return {&second, in_second};
            return {&first, in_first};
        }
    }

    /// Each set becomes two, so all clients in use find room; idle ones are left behind.
    static void grow(Shard& shard, Instant now) {
        std::vector<Set> old(shard.sets.size() * 2);
        old.swap(shard.sets);
        std::size_t kept = 0;
        for (std::size_t index = 0; index < old.size(); ++index)
            for (std::size_t way = 0; way < ways; ++way) {
                if (idle_at(old[index].clients[way]) <= now) continue;
                put(shard, index, old[index].keys[way], old[index].clients[way], now);
                ++kept;
            }
        shard.used.store(kept, std::memory_order_relaxed);
    }

    /// Into the half that the set at `index` has become: there are at most eight that come from there.
    static void put(Shard& shard, std::size_t index, std::uint64_t key, const T& client, Instant now) noexcept {
        const std::size_t old_mask = shard.sets.size() / 2 - 1;
        const std::size_t hash = (first_set(key) & old_mask) == index ? first_set(key) : second_set(key);
        Set& set = shard.sets[hash & (shard.sets.size() - 1)];
        std::size_t way = 0;
        while (idle_at(set.clients[way]) > now) ++way;
        set.keys[way] = key;
        set.clients[way] = client;
    }

    std::size_t shard_count_;
    std::size_t shard_sets_max_;
    std::unique_ptr<Shard[]> shards_;
    std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace etage::limit
