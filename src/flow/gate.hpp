#pragma once
// Step 2: may this client come in?
//
// Limits of the house come first, then those of the route. A request that one of them refuses pays none: what the
// others had taken is given back. Limits that instances count together are decided from what this instance has
// leased; when that is used up, the walk goes the long way and asks Redis once for all limits of the request.
//
// Concurrency · Any thread may call anything. A decision locks one shard of a table for some nanoseconds.
// What this does not promise · An order between requests that ask at the same moment.

#include "base/metrics.hpp"
#include "flow/client_records.hpp"
#include "flow/limits.hpp"
#include "limit/remote_quotas.hpp"
#include "limit/remote_seats.hpp"
#include "policy/route.hpp"

#include <asio/awaitable.hpp>

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace etage::flow {

/// Rows of docs/limits.md: when an instance stops, or says what it holds.
inline constexpr Duration upkeep_time_max = std::chrono::milliseconds(300);
inline constexpr std::size_t leases_returned_max = 10'000;
inline constexpr std::size_t leases_per_call_max = 100;

/// What became of a request at the gate, or at one limit.
enum class Passage : std::uint8_t {
    open,     // come in
    ask,      // only Redis knows: await Gate::ask()
    refused,  // too much: 429
    full,     // too many at once: 503
    unknown,  // Redis is away, and the limit lets nobody in without it: 503
    denied,   // by a list: 403
};

/// What one limit said of one request.
struct Ticket {
    const Limit* limit;
    std::uint64_t key;   // of its client here
    std::uint64_t cost;  // that was taken; 0: nothing
    limit::Decision decision;
    Passage passage;
    bool is_shared;

    /// It stops the request: no dry run.
    bool stops() const noexcept { return passage > Passage::ask && !limit->policy.dry_run; }
};

/// What is left to one client.
struct Standing {
    const Limit* limit;
    std::string_view route;  // empty: of all routes. Lives as long as the gate
    limit::Decision decision;
};

/// What the limits said of one request, and what it holds of them: seats, until it is destroyed.
class GatePass {
public:
    GatePass() = default;
    GatePass(GatePass&& other) noexcept { *this = std::move(other); }
    GatePass& operator=(GatePass&& other) noexcept;

    std::span<Ticket> tickets() noexcept { return {tickets_.data(), count_}; }
    std::span<const Ticket> tickets() const noexcept { return {tickets_.data(), count_}; }
    bool is_charged_afterwards() const noexcept;
    /// The first that stops the request, or null.
    const Ticket* stopped_by() const noexcept;

private:
    friend class Gate;
    struct Asking {
        std::size_t ticket;
        limit::Spending spending;
        std::uint64_t seats;  // of concurrency: so many are to be held; 0: another request asks
    };
    void ask(Asking asking);
    Ticket& add(const Limit& limit, std::uint64_t key, bool is_shared) noexcept {
        return tickets_[count_++] = Ticket{&limit, key, 0, {}, Passage::open, is_shared};
    }

    std::array<Ticket, limits_per_request_max> tickets_;  // the first count_ of them: nothing is cleared for the others
    std::size_t count_ = 0;
    std::array<limit::Seat, 2> seats_;  // of the house and of the route
    std::size_t seat_count_ = 0;
    std::unique_ptr<std::vector<Asking>> asking_;  // what only Redis knows
};

class Gate {
public:
    struct Ties {
        limit::RemoteQuotas* quotas = nullptr;  // null: every instance counts alone; with it, …
        limit::RemoteSeats* seats = nullptr;    // … this, too
        std::uint64_t secret = 0;               // keys local hashes
        std::uint64_t shared_secret = 0;        // keys the hashes that instances share; 0: they have none
        base::Metrics& metrics;
        std::shared_ptr<ClientRecords> records = nullptr;  // of an earlier gate as well; null: its own
        std::weak_ptr<const void> keeper{};  // what owns the gate: calls that nobody waits for hold it; may be empty
    };

    /// Borrows the routes and the ties. Errors: limits that cannot be.
    static Result<std::unique_ptr<Gate>> make(const policy::Router& router, std::span<const LimitPolicy> for_all,
                                              const Ties& ties);

    struct Request {
        const policy::Route* route;  // null: none matched; then only the limits of the house hold
        Client client;
        Now now;
    };

    /// The limits that hold for every request; before anything is looked up. No allocation, unless it returns `ask`.
    Passage enter(const Request& request, GatePass& pass) { return enter(request, LimitPolicy::Count::all, pass); }
    /// The limits that hold for what the cache could not answer; before anybody else is asked.
    Passage enter_as_miss(const Request& request, GatePass& pass) {
        return enter(request, LimitPolicy::Count::misses, pass);
    }
    /// After `ask`: never returns that again. What was only to be leased beforehand does not hold the request up.
    asio::awaitable<Passage> ask(GatePass& pass, Instant deadline);

    /// A request that was let in for less turns out to cost this much, as its answer says; also into debt.
    void charge(const Ticket& ticket, std::uint64_t cost, Now now);

    /// What is left to a client of each limit that would count it, and for each route where routes are counted apart.
    /// Takes nothing.
    std::vector<Standing> look(const http::RequestHead& request, std::string_view address, Now now);

    /// Clients in use whom the tables of limits had no room for, since the start.
    std::uint64_t clients_forgotten() const noexcept {
        return records_->alone.clients_forgotten() + records_->shares.clients_forgotten();
    }

    /// With Redis: says every second which seats are held, for ever. On an executor that is stopped before `seats`
    /// goes.
    static asio::awaitable<void> keep_up(std::shared_ptr<ClientRecords> records, limit::RemoteSeats& seats);
    /// With Redis, when no request comes any more: what is leased or held goes back.
    asio::awaitable<void> give_up();

    /// No limit anywhere: the walk need not ask.
    bool is_open(const policy::Route* route) const noexcept { return for_all_.empty() && limits_of(route).empty(); }

private:
    Gate(const policy::Router& router, const Ties& ties);
    std::span<const Limit> limits_of(const policy::Route* route) const noexcept;
    Passage enter(const Request& request, LimitPolicy::Count count, GatePass& pass);
    void pass_limit(const Limit& limit, const Request& request, GatePass& pass);
    Passage take_seat(Ticket& ticket, Now now, GatePass& pass);
    Passage take_shared_seat(Ticket& ticket, Now now, GatePass& pass);
    Passage seat_without_redis(Ticket& ticket, Now now, GatePass& pass);
    static Passage sit(Ticket& ticket, limit::Seat seat, std::uint64_t taken, GatePass& pass);
    asio::awaitable<Passage> ask_for_seat(Ticket& ticket, std::uint64_t wanted, Instant deadline, GatePass& pass);
    void withdraw(Ticket& ticket, const limit::Spending& spending, Now now);
    static asio::awaitable<void> say_what_is_held(ClientRecords& records, limit::RemoteSeats& seats, bool is_last);
    const Limit* find(std::size_t id) const noexcept;
    /// Each limit decides once about a request: a dry run is counted here.
    void decide(Ticket& ticket, Passage passage) noexcept;
    Passage take_alone(Ticket& ticket, std::uint64_t cost, Now now);
    Passage take_shared(Ticket& ticket, std::uint64_t cost, Now now, GatePass& pass);
    Passage without_redis(Ticket& ticket, std::uint64_t cost, Now now);
    Standing look(const Limit& limit, const Client& client, Now now);
    void give_back(GatePass& pass, Now now);
    std::uint64_t key_of(const Limit& limit, std::string_view subject) const noexcept;
    static std::string shared_name_of(const Ticket& ticket);
    Passage conclude(GatePass& pass, Now now);
    struct Call;
    asio::awaitable<Result<std::vector<limit::Decision>>> settle(std::vector<Call> calls, Instant deadline);
    asio::awaitable<void> settle_behind(std::shared_ptr<const void> keeper, std::vector<Call> calls, Instant deadline);

    const policy::Router& router_;
    Ties ties_;
    std::vector<Limit> for_all_;
    std::vector<std::vector<Limit>> of_routes_;  // by policy::Route::index
    std::shared_ptr<ClientRecords> records_;
};

}  // namespace etage::flow
