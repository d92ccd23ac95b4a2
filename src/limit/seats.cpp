#include "limit/seats.hpp"

#include <mutex>
#include <vector>

namespace etage::limit {

namespace {

constexpr std::size_t shards = 64;

/// Fibonacci hashing, for keys that are not uniform after all: the shard takes the uppermost bits, the place lower
/// ones.
std::uint64_t spread(std::uint64_t key) noexcept { return key * 0x9E37'79B9'7F4A'7C15U; }

struct Subject {
    std::uint64_t key = 0;
    std::uint64_t taken = 0;  // 0: a free place
};

}  // namespace

/// Open addressing with linear probing; whoever leaves closes the gap, so there are no tombstones and no growth but by
/// more subjects at once.
struct alignas(64) SeatTable::Shard {
    mutable std::mutex mutex;
    std::vector<Subject> places = std::vector<Subject>(8);
    std::size_t used = 0;

    std::size_t home(std::uint64_t key) const noexcept {
        return static_cast<std::size_t>(spread(key) >> 20U) & (places.size() - 1);
    }
    std::size_t next(std::size_t place) const noexcept { return (place + 1) & (places.size() - 1); }

    /// The place of `key`, or the free one where it would be. At least half of the places are free.
    std::size_t find(std::uint64_t key) const noexcept {
        std::size_t place = home(key);
        while (places[place].taken != 0 && places[place].key != key) place = next(place);
        return place;
    }

    void make_room() {
        if ((used + 1) * 2 <= places.size()) return;
        std::vector<Subject> old(places.size() * 2);
        old.swap(places);
        for (const Subject& subject : old)
            if (subject.taken != 0) places[find(subject.key)] = subject;
    }

    void erase(std::size_t gap) noexcept {
        --used;
        for (std::size_t place = next(gap); places[place].taken != 0; place = next(place)) {
            const std::size_t mask = places.size() - 1;
            const std::size_t way = (place - home(places[place].key)) & mask;
            if (way < ((place - gap) & mask)) continue;  // the gap lies before its home
            places[gap] = places[place];
            gap = place;
        }
        places[gap] = {};
    }
};

SeatTable::SeatTable(std::size_t subjects_max)
    : subjects_max_(subjects_max), shards_(std::make_unique<Shard[]>(shards)) {}

SeatTable::~SeatTable() = default;

SeatTable::Shard& SeatTable::shard_of(std::uint64_t key) const noexcept {
    return shards_[static_cast<std::size_t>(spread(key) >> 58U)];
}

Seat SeatTable::enter(std::uint64_t key, std::uint64_t max, std::uint64_t& taken) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    std::size_t place = shard.find(key);
    taken = shard.places[place].taken;
    if (taken >= max) return {};
    if (taken == 0) {
        if (subjects_.fetch_add(1, std::memory_order_relaxed) >= subjects_max_) {
            subjects_.fetch_sub(1, std::memory_order_relaxed);
            refused_.fetch_add(1, std::memory_order_relaxed);
            return {};
        }
        shard.make_room();
        place = shard.find(key);
        shard.places[place].key = key;
        ++shard.used;
    }
    taken = ++shard.places[place].taken;
    return {*this, key};
}

std::uint64_t SeatTable::taken(std::uint64_t key) const {
    const Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    return shard.places[shard.find(key)].taken;
}

void SeatTable::leave(std::uint64_t key) noexcept {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const std::size_t place = shard.find(key);
    if (--shard.places[place].taken > 0) return;
    shard.erase(place);
    subjects_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace etage::limit
