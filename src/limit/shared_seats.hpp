#pragma once
// Seats of what several instances may have in flight together. Each holds some, as RemoteSeats grants them, and fills
// them with requests without asking; it asks for more when they are full, says every second how many it still holds,
// and lets go of what it did not need since. A crashed instance says nothing, so what it held is free three seconds
// later. An instance that cannot be heard for so long keeps what is in flight, and lets nobody in beyond its part.
//
// One call of hold() is under way for a subject at a time, since what it says is absolute and the last word counts.
//
// A request · enter(). Answer::ask: call RemoteSeats::hold with `wanted`, then granted() or, when it failed, failed().
// Answer::wait: another's call is under way; wait(), then enter() again.
// Every second · beat(), and hold() and confirmed() or failed() for each. At shutdown · hold() with 0 for each.
//
// Concurrency · Any thread may call anything; one short mutex, since each of these requests may cost a round trip.
// Bounded · Like SeatTable, and fails closed like it.

#include "limit/remote_seats.hpp"
#include "limit/seats.hpp"

#include <etage/time.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace etage::limit {

class SharedSeats final : public SeatKeeper {
public:
    /// A row of docs/limits.md: subjects that hold something.
    static constexpr std::size_t shared_subjects_max = std::size_t{1} << 16;
    /// As RemoteSeats counts them.
    static constexpr Duration lapse_after = std::chrono::seconds(3);
    /// Between two of these everything held is said again.
    static constexpr Duration heartbeat = std::chrono::seconds(1);

    explicit SharedSeats(std::size_t subjects_max = shared_subjects_max) : subjects_max_(subjects_max) {}
    SharedSeats(const SharedSeats&) = delete;
    SharedSeats& operator=(const SharedSeats&) = delete;

    enum class Answer : std::uint8_t { yes, no, ask, wait };
    struct Entering {
        Answer answer = Answer::no;
        Seat seat;                 // of a yes
        std::uint64_t wanted = 0;  // of an ask: what to hold
        std::uint64_t in_flight = 0;
    };

    /// `key`: a hash of `name`, which is the same on every instance. After a call that was not granted enough nobody
    /// asks for `again_after`; until then only a seat that becomes free here is given.
    Entering enter(std::uint64_t key, std::string_view name, std::uint64_t max, Instant now);
    static constexpr Duration again_after = std::chrono::milliseconds(100);

    /// `wake` is called once, by the thread that ends the call under way; at once when there is none.
    void wait(std::uint64_t key, std::move_only_function<void()> wake);

    /// The reply to hold(). `asked_at`: when it was called; what is held lapses by that. The seat may be empty.
    Seat granted(std::uint64_t key, std::uint64_t held, Instant asked_at, Instant now);
    /// The same for a heartbeat, which nobody waits for.
    void confirmed(std::uint64_t key, std::uint64_t held, Instant asked_at);
    void failed(std::uint64_t key);

    /// Without Redis: this instance's part, `max` / `instances`, one at least; or what it still holds, if that is more.
    Seat enter_alone(std::uint64_t key, std::string_view name, std::uint64_t max, std::uint64_t instances, Instant now);

    struct Held {
        std::uint64_t key;
        std::string name;
        RemoteSeats::Wish wish;
    };
    /// What is to be said now: for each subject that holds anything the most that was in flight at once since the last
    /// heartbeat. Who holds nothing is forgotten. Subjects that are being asked for are left out; their call says it.
    /// Each ends in confirmed() or failed().
    std::vector<Held> beat();

    std::uint64_t in_flight(std::uint64_t key) const;
    std::size_t size() const;

    void leave(std::uint64_t key) noexcept override;

private:
    using Waiting = std::vector<std::move_only_function<void()>>;
    struct Subject {
        std::string name;
        std::uint64_t max = 0;
        std::uint64_t in_flight = 0;
        std::uint64_t peak = 0;  // of in_flight since the last heartbeat
        std::uint64_t held = 0;
        Instant lapses{};
        Instant ask_at{};
        bool is_asking = false;
        Waiting waiting;
        std::uint64_t woken = 0;  // who waited for the last call, and has not entered yet
    };
    Subject* find(std::uint64_t key);
    Subject* find_or_add(std::uint64_t key, std::string_view name, std::uint64_t max);
    Seat sit(std::uint64_t key, Subject& subject) noexcept;
    template <class F>
    Seat end(std::uint64_t key, F&& settle);

    const std::size_t subjects_max_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, Subject> subjects_;  // ordered: without redis.secret the keys are no secret of ours
};

}  // namespace etage::limit
