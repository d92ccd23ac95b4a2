#include "base/metrics.hpp"

#include <bit>

namespace etage::base {

namespace {

#define ETAGE_NAME(name, help) #name,
constexpr std::array<std::string_view, counter_count> counter_names = {ETAGE_COUNTERS(ETAGE_NAME)};
#undef ETAGE_NAME
#define ETAGE_HELP(name, help) help,
constexpr std::array<std::string_view, counter_count> counter_helps = {ETAGE_COUNTERS(ETAGE_HELP)};
#undef ETAGE_HELP

constexpr std::size_t shared_row = Metrics::rows_max - 1;
static_assert(Metrics::rows_max == 64, "one bit per row below");

/// Bit n: row n belongs to a living thread. The bit of the shared row is never taken.
constinit std::atomic<std::uint64_t> rows_taken{0};

/// A thread's claim to a row. The next thread to take a row goes on counting in it: sums never go down.
class Seat {
public:
    Seat() noexcept {
        std::uint64_t taken = rows_taken.load(std::memory_order_relaxed);
        do {
            row_ = static_cast<std::size_t>(std::countr_one(taken));
        } while (row_ < shared_row &&
                 !rows_taken.compare_exchange_weak(taken, taken | bit(), std::memory_order_relaxed));
    }
    ~Seat() {
        if (row_ < shared_row) rows_taken.fetch_and(~bit(), std::memory_order_relaxed);
    }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    std::size_t row() const noexcept { return row_; }

private:
    std::uint64_t bit() const noexcept { return std::uint64_t{1} << row_; }
    std::size_t row_ = shared_row;
};

}  // namespace

std::string_view counter_name(Counter c) noexcept { return counter_names[static_cast<std::size_t>(c)]; }
std::string_view counter_help(Counter c) noexcept { return counter_helps[static_cast<std::size_t>(c)]; }

std::size_t Metrics::thread_row() noexcept {
    // Apart from the seat, so that the usual call is one load without the guard of a thread-local with a destructor.
    // What other thread-local destructors count after the seat is given back still lands in this row: cells are atomic.
    constexpr std::size_t unseated = rows_max;
    thread_local constinit std::size_t row = unseated;
    if (row == unseated) [[unlikely]] {
        thread_local const Seat seat;
        row = seat.row();
    }
    return row;
}

std::uint64_t Metrics::sum(Counter c) const noexcept { return total(&Row::counters, static_cast<std::size_t>(c)); }
std::uint64_t Metrics::sum(Forward f) const noexcept { return total(&Row::forwards, static_cast<std::size_t>(f)); }
std::uint64_t Metrics::sum(Detail d) const noexcept { return total(&Row::details, static_cast<std::size_t>(d)); }
std::uint64_t Metrics::sum_origin_calls(std::size_t origin) const noexcept {
    return total(&Row::origin_calls, clip(origin));
}
std::uint64_t Metrics::sum_origin_saved(std::size_t origin) const noexcept {
    return total(&Row::origin_saved, clip(origin));
}

}  // namespace etage::base
