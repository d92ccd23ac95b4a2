#pragma once
// Work that outlives the request that asked for it, and can be looked at: one thread, a bounded number of jobs.
//
// Thread-safety: any thread may call anything. Lifetime: the destructor waits for the job that is running and forgets
// those that are not; what a job captures must live until then.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace etage::demo {

class Jobs {
public:
    enum class State : std::uint8_t { waiting, running, done, failed };
    struct Job {
        State state = State::waiting;
        std::string what;        // for people
        std::size_t result = 0;  // when done
        std::string error;       // when failed
    };

    static constexpr std::size_t waiting_max = 100;      // more are refused
    static constexpr std::size_t remembered_max = 1000;  // the oldest that have ended are forgotten

    Jobs();
    ~Jobs();
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    /// The job's number, or nothing when too many are waiting.
    std::optional<std::int64_t> start(std::string what, std::function<std::size_t()> work);
    std::optional<Job> find(std::int64_t id) const;

private:
    struct Waiting {
        std::int64_t id;
        std::function<std::size_t()> work;
    };
    void work_off(std::stop_token stop);
    void run(const Waiting& next);
    void forget_oldest();  // under the mutex

    mutable std::mutex mutex_;
    std::condition_variable_any arrived_;
    std::deque<Waiting> waiting_;
    std::map<std::int64_t, Job> jobs_;
    std::int64_t last_id_ = 0;
    std::jthread thread_;  // last: it uses all of the above
};

std::string_view state_name(Jobs::State) noexcept;

}  // namespace etage::demo
