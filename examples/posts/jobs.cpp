#include "jobs.hpp"

#include <exception>
#include <utility>

namespace etage::demo {

std::string_view state_name(Jobs::State state) noexcept {
    switch (state) {
        case Jobs::State::waiting: return "waiting";
        case Jobs::State::running: return "running";
        case Jobs::State::done: return "done";
        case Jobs::State::failed: break;
    }
    return "failed";
}

Jobs::Jobs() : thread_([this](std::stop_token stop) { work_off(std::move(stop)); }) {}

Jobs::~Jobs() = default;

std::optional<std::int64_t> Jobs::start(std::string what, std::function<std::size_t()> work) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max) return std::nullopt;
    const std::int64_t id = ++last_id_;
    Job job;
    job.what = std::move(what);
    jobs_.emplace(id, std::move(job));
    waiting_.push_back({id, std::move(work)});
    forget_oldest();
    arrived_.notify_one();
    return id;
}

std::optional<Jobs::Job> Jobs::find(std::int64_t id) const {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return std::nullopt;
    return found->second;
}

void Jobs::forget_oldest() {
    for (auto it = jobs_.begin(); jobs_.size() > remembered_max && it != jobs_.end();) {
        const bool ended = it->second.state == State::done || it->second.state == State::failed;
        it = ended ? jobs_.erase(it) : std::next(it);
    }
}

void Jobs::work_off(std::stop_token stop) {
    for (;;) {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait(lock, stop, [&] { return !waiting_.empty(); }) || stop.stop_requested()) return;
        const Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        jobs_[next.id].state = State::running;
        lock.unlock();
        run(next);
    }
}

void Jobs::run(const Waiting& next) {
    std::size_t result = 0;
    std::string error;
    State state = State::done;
    try {
        result = next.work();
    } catch (const std::exception& e) {
        state = State::failed;
        error = e.what();
    }
    const std::lock_guard lock(mutex_);
    Job& job = jobs_[next.id];
    job.state = state;
    job.result = result;
    job.error = std::move(error);
}

}  // namespace etage::demo
