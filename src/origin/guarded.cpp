#include "origin/guarded.hpp"

#include "base/clock.hpp"
#include "origin/words.hpp"

#include <algorithm>
#include <utility>

namespace etage::origin {

namespace {

constexpr Duration come_back = std::chrono::seconds(1);   // what a client is told that was turned away
constexpr Duration log_pause = std::chrono::seconds(10);  // between two lines that say the same

/// A call's place, until its content has ended or nobody reads it any more.
class SlottedBody final : public net::BodySource {
public:
    SlottedBody(net::Slot slot, std::shared_ptr<net::BodySource> body)
        : slot_(std::move(slot)), body_(std::move(body)) {}

    asio::awaitable<Result<std::string_view>> read() override {
        auto piece = co_await body_->read();
        if (!piece || piece->empty()) slot_.reset();
        co_return piece;
    }
    void cancel() noexcept override { body_->cancel(); }

private:
    std::optional<net::Slot> slot_;
    std::shared_ptr<net::BodySource> body_;
};

}  // namespace

Guarded::Guarded(std::unique_ptr<flow::Origin> origin, std::string name, const GuardLimits& limits, base::Log& log)
    : origin_(std::move(origin)),
      name_(std::move(name)),
      limits_(limits),
      log_(log),
      slots_(limits.concurrency_max, limits.queue_max) {
    if (!limits.is_adaptive) return;
    limit::AdaptiveLimit::Options options;
    options.max = limits.concurrency_max;
    options.min = std::min(options.min, options.max);
    adaptive_.emplace(options);
    slots_.resize(adaptive_->limit());
}

asio::awaitable<Result<flow::OriginResponse>> Guarded::fetch(flow::OriginRequest request) {
    auto slot = co_await slots_.acquire(base::TimerClock::now() + limits_.queue_time_max);
    const Instant begin = base::TimerClock::now();
    if (!slot) co_return std::unexpected(refusal(begin));
    const bool is_measured = adaptive_.has_value() && !request.body && request.upgrade.empty();
    auto response = co_await origin_->fetch(std::move(request));
    if (is_measured) {
        const Instant now = base::TimerClock::now();
        learn(response, now - begin, now);
    }
    if (response && response->body)
        response->body = std::make_shared<SlottedBody>(std::move(*slot), std::move(response->body));
    co_return response;
}

void Guarded::learn(const Result<flow::OriginResponse>& response, Duration latency, Instant now) {
    const bool is_dropped = response ? response->status == 503 : response.error().fault == Fault::origin_timeout;
    if (!is_dropped && (!response || response->status >= 500)) return;
    const std::size_t in_flight = slots_.in_use();
    const std::lock_guard lock(mutex_);
    const std::size_t before = adaptive_->limit();
    adaptive_->sample(latency, is_dropped, in_flight, now);
    if (adaptive_->limit() != before) slots_.resize(adaptive_->limit());
}

Error Guarded::refusal(Instant now) {
    shed_.fetch_add(1, std::memory_order_relaxed);
    const View here = view();
    std::string what = "origin \"" + name_ + "\": " + std::to_string(here.limit) + " calls were under way for " +
                       in_words(limits_.queue_time_max);
    Instant until = quiet_until_.load(std::memory_order_relaxed);
    if (now >= until && quiet_until_.compare_exchange_strong(until, now + log_pause))
        log_.warn("origin busy", {{"origin", name_},
                                  {"limit", static_cast<std::int64_t>(here.limit)},
                                  {"shed", static_cast<std::int64_t>(here.shed)}});
    return {Blame::us, Fault::origin_busy, true, std::move(what), come_back};
}

Guarded::View Guarded::view() const {
    const auto shed = shed_.load(std::memory_order_relaxed);
    const std::size_t in_flight = slots_.in_use();
    const std::lock_guard lock(mutex_);
    return {adaptive_ ? adaptive_->limit() : limits_.concurrency_max, in_flight, shed};
}

}  // namespace etage::origin
