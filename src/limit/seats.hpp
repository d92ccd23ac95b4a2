#pragma once
// How many requests of one client, route or anything may be in flight at once.
//
// Concurrency · Any thread may call anything: 64 shards with a short mutex each.
// Bounded · Who has nothing in flight is forgotten. When subjects_max others have something in flight, nobody else
// comes in: so much at once is what the limit is there to keep out, and every seat ends with its request, so it passes.
// (What counts clients by time fails open instead, see client_table.hpp: there the harm is one burst, and refusing
// would last.) Nothing is allocated once a shard has grown.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace etage::limit {

/// Who counts seats: what a Seat is given back to. Outlives all its seats.
class SeatKeeper {
public:
    virtual void leave(std::uint64_t key) noexcept = 0;

protected:
    ~SeatKeeper() = default;
};

/// One request in flight, or none. Given back when it is destroyed, by any thread.
class Seat {
public:
    Seat() = default;
    Seat(SeatKeeper& keeper, std::uint64_t key) noexcept : keeper_(&keeper), key_(key) {}
    Seat(Seat&& other) noexcept : keeper_(std::exchange(other.keeper_, nullptr)), key_(other.key_) {}
    Seat& operator=(Seat&& other) noexcept {
        Seat taken(std::move(other));
        std::swap(keeper_, taken.keeper_);
        std::swap(key_, taken.key_);
        return *this;
    }
    ~Seat() {
        if (keeper_ != nullptr) keeper_->leave(key_);
    }
    explicit operator bool() const noexcept { return keeper_ != nullptr; }

private:
    SeatKeeper* keeper_ = nullptr;
    std::uint64_t key_ = 0;
};

class SeatTable final : public SeatKeeper {
public:
    /// A row of docs/limits.md: subjects that have something in flight, 64 bytes each at most.
    static constexpr std::size_t subjects_max_default = std::size_t{1} << 16;

    explicit SeatTable(std::size_t subjects_max = subjects_max_default);
    ~SeatTable();
    SeatTable(const SeatTable&) = delete;
    SeatTable& operator=(const SeatTable&) = delete;

    /// An empty seat when `max` are taken. `taken`: how many are, with this one. By a 64-bit hash of the subject
    /// (keyed: the client chooses the input).
    Seat enter(std::uint64_t key, std::uint64_t max, std::uint64_t& taken);

    std::uint64_t taken(std::uint64_t key) const;
    /// Subjects that have something in flight.
    std::size_t size() const noexcept { return subjects_.load(std::memory_order_relaxed); }
    std::size_t subjects_max() const noexcept { return subjects_max_; }
    /// How often nobody was let in for want of room.
    std::uint64_t subjects_refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

    void leave(std::uint64_t key) noexcept override;

private:
    struct Shard;
    Shard& shard_of(std::uint64_t key) const noexcept;

    const std::size_t subjects_max_;
    std::unique_ptr<Shard[]> shards_;
    std::atomic<std::size_t> subjects_{0};
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace etage::limit
